"""How the command line shows things: as JSON for programs, as plain tables for people.

Times are Japan's and say so. On a screen a table is folded into its width; what goes into a pipe or a file is whole,
a row to a line.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from shared.clock import TOKYO

CELL_CHARACTERS_MAX: Final = 200
UNFOLDED_COLUMNS: Final = 1_000_000

console = Console(highlight=False, soft_wrap=False)


def show_json(told: Any) -> None:
    """Write it as JSON, Japanese as it is; times with their offset, as they came."""
    print(json.dumps(told, ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """Write a sentence; words of others in it are not taken for markup."""
    console.print(text, markup=False, soft_wrap=not console.is_terminal)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table, or one line where there is nothing to tell."""
    if not rows:
        say(f"{title}: nothing")
        return
    is_whole = not console.is_terminal
    table = Table(title=title, title_justify="left", box=None if is_whole else box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=is_whole)
    for row in rows:
        table.add_row(*(cell(value, None if is_whole else CELL_CHARACTERS_MAX) for value in row))
    if not is_whole:
        console.print(table)
        return
    unfolded = Console(file=StringIO(), highlight=False, width=UNFOLDED_COLUMNS)
    with unfolded.capture() as written:
        unfolded.print(table)
    for line in written.get().splitlines():
        say(line.rstrip())


def cell(value: object, characters_max: int | None = CELL_CHARACTERS_MAX) -> str:
    """A value as a cell of one line: times as `moment` tells them, nothing as a dash, no markup of others."""
    if value is None or value == "":
        return "–"
    text = " ".join(moment(str(value)).splitlines())
    # A name from outside may look like the table's own markup.
    return text[:characters_max].replace("[", r"\[")


def moment(text: str) -> str:
    """A time as ops tells it, in Japan's time with the name of the zone; any other text as it is."""
    if len(text) < len("2026-04-01T10:00") or text[4:5] != "-" or text[10:11] != "T":
        return text
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if told.tzinfo is None else told.astimezone(TOKYO).strftime("%m-%d %H:%M:%S %Z")
