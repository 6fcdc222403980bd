"""How foreign text is made fit to be printed: nothing is lost, nothing is hidden, and every line can be broken.

A letter no face has, and a character that hides or reorders what people see, is printed as `〓(U+1F3D7)`: the geta mark
is what Japanese printers set for a missing type, and the number says which letter it was.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from struct import unpack_from
from typing import Any, Final

from pylopdf_fonts_jp import sans_path, serif_path

FACES: Final = (sans_path(), serif_path())

UNBROKEN_CHARS_MAX: Final = 12
"""A longer run without a place to break could be wider than its column."""

_MARKS_MAX: Final = 1
_BREAKABLE_BLOCKS: Final = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SELECTORS: Final = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Variation selectors: invisible by nature, they choose between two drawings of the same letter."""


def fit(value: Any) -> Any:
    """Texts as pieces between which a line may break, at any depth of lists and dicts."""
    if isinstance(value, str):
        return pieces(value)
    if isinstance(value, Mapping):
        return {name: fit(below) for name, below in value.items()}
    if isinstance(value, list):
        return [fit(below) for below in value]
    raise TypeError(f"papers are made of texts, not of {type(value).__qualname__}")


def pieces(text: str) -> list[str]:
    """The text, every letter of it visible, cut where a line may break besides the usual places."""
    cut: list[str] = []
    run = ""
    unbroken = 0
    for letter in _visible(text):
        if letter == "\n":
            cut += [run, letter] if run else [letter]
            run, unbroken = "", 0
            continue
        unbroken = 0 if _breakable(letter) else unbroken + len(letter)
        if run and unbroken > UNBROKEN_CHARS_MAX:
            cut.append(run)
            run, unbroken = "", len(letter)
        run += letter
    return [*cut, run] if run else cut


def _visible(text: str) -> Iterator[str]:
    """Letter by letter, each with the mark that stands on it; what cannot be shown as its number."""
    held = ""
    marks = 0
    for character in text.replace("\r\n", "\n"):
        is_mark = unicodedata.combining(character) != 0 or _within(_SELECTORS, character)
        if is_mark and held and marks < _MARKS_MAX and _printable(character):
            # A selector the faces do not know would be a missing type; the letter itself says the same.
            held += "" if _within(_SELECTORS, character) else character
            marks += 1
            continue
        if held:
            yield held
        shown = not is_mark and (character == "\n" or _printable(character))
        held, marks = (character, 0) if shown else ("", 0)
        if not shown:
            yield f"〓(U+{ord(character):04X})"
    if held:
        yield held


def _printable(character: str) -> bool:
    if _within(_SELECTORS, character):
        return True
    return unicodedata.category(character) not in _HIDING and ord(character) in _letters_of_all_faces()


def _breakable(letter: str) -> bool:
    return letter.isspace() or _within(_BREAKABLE_BLOCKS, letter[0])


def _within(blocks: tuple[tuple[int, int], ...], character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in blocks)


@cache
def _letters_of_all_faces() -> frozenset[int]:
    first, *others = (_letters(face) for face in FACES)
    return frozenset(first.intersection(*others))


def _letters(face: Path) -> set[int]:
    """The characters a face has letters for: its `cmap` table, the full-repertoire subtable (OpenType, format 12)."""
    data = face.read_bytes()
    tables = unpack_from(">H", data, 4)[0]
    offsets = {data[at : at + 4]: unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * tables, 16)}
    cmap = offsets[b"cmap"]
    for place in range(unpack_from(">H", data, cmap + 2)[0]):
        at = cmap + unpack_from(">I", data, cmap + 8 + 8 * place)[0]
        if unpack_from(">H", data, at)[0] == 12:
            groups = unpack_from(">I", data, at + 12)[0]
            spans = (unpack_from(">II", data, at + 16 + 12 * group) for group in range(groups))
            return {code for first, last in spans for code in range(first, last + 1)}
    raise ValueError(f"{face.name} has no table of letters that is understood here")
