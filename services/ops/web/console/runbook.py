"""The runbook as a page in two languages: its headings, so that a trouble leads to what to do, and its few marks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from services.ops.web.console.words import ENGLISH, JAPANESE

DOCS: Final = Path(__file__).parents[4] / "docs"
FILE: Final = DOCS / "runbook.md"
FILES: Final[Mapping[str, Path]] = {JAPANESE: DOCS / "runbook.ja.md", ENGLISH: FILE}

_MARK: Final = re.compile(r"\*\*(?P<strong>[^*]+)\*\*|`(?P<code>[^`]+)`")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a paragraph: `kind` is text, strong or code."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its paragraphs."""

    heading: str
    paragraphs: tuple[tuple[Piece, ...], ...]


@cache
def sections(file: Path = FILE) -> tuple[Section, ...]:
    """The whole runbook; nothing where it is not installed beside the services."""
    if not file.exists():
        return ()
    parts = re.split(r"(?m)^#{1,2} ", file.read_text(encoding="utf-8"))[1:]
    return tuple(_section(text) for text in parts)


def read_in(language: str) -> Sequence[tuple[str, Section]]:
    """The sections for whoever reads this language, each with the language it is in.

    What can wait for the day is written in English only, and comes after what is needed at night.
    """
    own = sections(FILES[language])
    if not own:
        return [(ENGLISH, section) for section in sections()]
    named = {section.heading for section in own[1:]}
    others = [section for section in sections()[1:] if language != ENGLISH and section.heading not in named]
    return [*((language, section) for section in own), *((ENGLISH, section) for section in others)]


def _section(text: str) -> Section:
    heading, _, rest = text.partition("\n")
    lines = [line.strip() for line in rest.splitlines() if line.strip()]
    return Section(heading.strip(), tuple(tuple(_pieces(line)) for line in lines))


def _pieces(line: str) -> Iterator[Piece]:
    end = 0
    for found in _MARK.finditer(line):
        if found.start() > end:
            yield Piece("text", line[end : found.start()])
        kind = "strong" if found["strong"] is not None else "code"
        yield Piece(kind, found[kind])
        end = found.end()
    if end < len(line):
        yield Piece("text", line[end:])
