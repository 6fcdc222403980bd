"""How the command line shows things: as JSON for programs, as plain tables for people."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

CELL_CHARACTERS_MAX: Final = 200

console = Console(highlight=False, soft_wrap=False)


def show_json(told: Any) -> None:
    """Write it as JSON, Japanese as it is."""
    print(json.dumps(told, ensure_ascii=False, indent=2))


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table, or one line where there is nothing to tell."""
    if not rows:
        console.print(f"{title}: nothing")
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console.print(table)


def cell(value: object) -> str:
    """A value as a cell: times to the second here, nothing as a dash, no markup of others."""
    if value is None or value == "":
        return "–"
    text = str(value)
    if len(text) >= len("2026-04-01T10:00") and text[4:5] == "-" and text[10:11] == "T":
        try:
            text = datetime.fromisoformat(text).astimezone().strftime("%m-%d %H:%M:%S")
        except ValueError:
            return text.replace("[", r"\[")
    # A name from outside may look like the table's own markup.
    return text[:CELL_CHARACTERS_MAX].replace("[", r"\[")
