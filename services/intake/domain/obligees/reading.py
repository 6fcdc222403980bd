"""From the text of the registry's file to the registry, or to everything that is wrong with it, line by line."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from services.intake.domain.obligees.registry import Registry
from services.intake.domain.obligees.rows import Dated

GENERAL_RATES_FROM_MAX: Final = date(1900, 1, 1)
"""The general rates hold from the first day that a form takes."""

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z_][\w.]*)\s*\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_TOML_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")

Place = tuple[str | int, ...]
"""Where something stands in the parsed file: names of tables and fields, and numbers of rows counted from 0."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the file.

    Attributes:
        line: counted from 1; None if it is about the whole file.
        row: which row, as a person finds it: `obligees 2 (990019 ○○市長), rates 1`.
        told: what is wrong.
    """

    line: int | None
    row: str
    told: str

    def __str__(self) -> str:
        where = [f"line {self.line}" if self.line else "", self.row]
        return ": ".join([*filter(None, where), self.told])


def read_registry(text: str) -> Registry | tuple[Fault, ...]:
    """The registry that a TOML text describes, or everything that is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else None
        return (Fault(line, "", f"is not TOML: {_TOML_LINE.sub('', str(error))}"),)
    lines = _lines(text)
    try:
        registry = Registry.model_validate(table)
    except ValidationError as error:
        told = [(tuple(one["loc"]), _sentence(one["msg"])) for one in error.errors(include_url=False)]
        return tuple(_fault(place, sentence, table, lines) for place, sentence in told)
    faults = tuple(_fault(place, sentence, table, lines) for place, sentence in _contradictions(registry))
    return faults or registry


def _contradictions(registry: Registry) -> Iterator[tuple[Place, str]]:
    """What is wrong between rows that are each right for themselves."""
    first_of: dict[tuple[str, str], int] = {}
    for index, obligee in enumerate(registry.obligees):
        first = first_of.setdefault((obligee.code, obligee.name), index)
        if first != index:
            yield ("obligees", index), f"stands twice; its first row is obligees {first + 1}"
        for name, rows in obligee.dated_rows.items():
            yield from _overlaps(("obligees", index, name), rows)
    yield from _overlaps(("general_rates",), registry.general_rates)
    yield from _gaps(registry.general_rates)


def _overlaps(place: Place, rows: Sequence[Dated]) -> Iterator[tuple[Place, str]]:
    for (_, earlier), (index, later) in pairwise(_by_day(rows)):
        if earlier.valid_until is None or earlier.valid_until >= later.valid_from:
            told = f"is in force on {later.valid_from} together with the row from {earlier.valid_from}; end that before"
            yield (*place, index), told


def _gaps(rows: Sequence[Dated]) -> Iterator[tuple[Place, str]]:
    """The general rates are what is left when nothing else holds, so no day may be without them."""
    ordered = _by_day(rows)
    first_index, first = ordered[0]
    if first.valid_from > GENERAL_RATES_FROM_MAX:
        yield ("general_rates", first_index), f"must hold from {GENERAL_RATES_FROM_MAX} on"
    for (_, earlier), (index, later) in pairwise(ordered):
        if earlier.valid_until is not None and (later.valid_from - earlier.valid_until).days > 1:
            yield ("general_rates", index), f"leaves days open after {earlier.valid_until}"
    last_index, last = ordered[-1]
    if last.valid_until is not None:
        yield ("general_rates", last_index), f"is the last and must not end ({last.valid_until})"


def _by_day(rows: Sequence[Dated]) -> list[tuple[int, Dated]]:
    return sorted(enumerate(rows), key=lambda row: row[1].valid_from)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _fault(place: Place, told: str, table: dict[str, Any], lines: dict[Place, int]) -> Fault:
    # A field that is missing has no line, so the line of the row that lacks it is told.
    known = next((place[:length] for length in range(len(place), 0, -1) if place[:length] in lines), None)
    return Fault(lines[known] if known else None, _row(place, table), told)


def _row(place: Place, table: Any) -> str:
    parts: list[str] = []
    for step in place:
        table = _inside(table, step)
        if not isinstance(step, int):
            parts.append(step)
            continue
        parts[-1] += f" {step + 1}"
        if parts == [f"obligees {step + 1}"] and isinstance(table, dict):
            parts[-1] += f" ({table.get('code', 'no code')} {table.get('name', 'no name')})"
    return ", ".join(parts)


def _inside(table: Any, step: str | int) -> Any:
    try:
        return table[step]
    except (KeyError, IndexError, TypeError):
        return None


def _lines(text: str) -> dict[Place, int]:
    """The line of every table and of every field written as `name = …` at the beginning of a line."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    in_text = False
    for number, line in enumerate(text.splitlines(), start=1):
        opens_or_closes = (line.count('"""') + line.count("'''")) % 2 == 1
        header = None if in_text else _HEADER.fullmatch(line)
        key = None if in_text else _KEY.match(line)
        if header:
            table = _table(header[2].split("."), header[1] == "[[", counts)
            lines[table] = number
        elif key:
            lines[*table, key[1]] = number
        in_text ^= opens_or_closes
    return lines


def _table(names: Sequence[str], is_row: bool, counts: dict[Place, int]) -> Place:
    """The place that a header names: inside the last row of each list of tables above it."""
    place: Place = ()
    for depth, name in enumerate(names, start=1):
        place = (*place, name)
        if is_row and depth == len(names):
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
