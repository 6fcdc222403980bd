"""How a key may be spelled, and a search that knows all spellings of all keys at once.

A key is letters and digits, and so is all of its base64 and hex: one expression finds every run that is long enough,
and each window of it is looked up. What escapes letters one by one is put back into letters first.
"""

import base64
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

CHUNK_BYTES: Final = 8 * 1024 * 1024
OVERLAP_BYTES: Final = 512
"""More than the longest spelling of a key, so that none hides on the seam of two chunks."""

LETTERS_MIN: Final = 8
"""Shorter keys would be found everywhere by chance."""


@dataclass(frozen=True, slots=True)
class Found:
    """A key that stands where it must not: which one, spelled how, in which piece; the key itself is not told."""

    key_of: str
    spelling: str
    where: str


def encoded(key: str) -> dict[bytes, str]:
    """The spellings of a key that are nothing but letters and digits, each with its name.

    In base64 a key that begins one or two bytes into a group of three has a first and a last letter that belong to its
    neighbours too; what lies between is the key's alone. No letter or digit becomes + or / or - or _, because the
    highest bit of ASCII is 0, so base64url is spelled the same (the test compares).
    """
    raw = key.encode()
    spelled = {raw: "clear", raw.hex().encode(): "hex", raw.hex().upper().encode(): "hex in capitals"}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        first = (0, 2, 3)[before]
        last = (before + len(raw)) * 8 // 6
        spelled[whole[first:last]] = f"base64, {before} bytes into a group"
    return spelled


def _as_it_is(run: bytes) -> bytes:
    return run


def _from_codes(run: bytes) -> bytes:
    return bytes(int(code, 16) & 0xFF for code in re.findall(rb"[ux]([0-9A-Fa-f]+)", run))


def _from_markup(run: bytes) -> bytes:
    return html.unescape(run.decode("ascii")).encode("latin-1", errors="replace")


def _without_zeros(run: bytes) -> bytes:
    return run.replace(b"\0", b"")


_ESCAPES: Final[Mapping[str, tuple[bytes, Callable[[bytes], bytes]]]] = {
    "URL escapes": (rb"(?:%[0-9A-Fa-f]{2})", unquote_to_bytes),
    "JSON escapes": (rb"(?:\\{1,4}u00[0-9A-Fa-f]{2})", _from_codes),
    "byte escapes": (rb"(?:\\{1,4}x[0-9A-Fa-f]{2})", _from_codes),
    "markup escapes": (rb"(?:&#(?:[0-9]{1,4}|[xX][0-9A-Fa-f]{1,4});)", _from_markup),
}


class Search:
    """Finds the keys it was given, by the guarantee numbers they belong to."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._spelled: dict[bytes, tuple[str, str]] = {}
        for number, key in keys.items():
            if len(key) < LETTERS_MIN or not (key.isascii() and key.isalnum()):
                raise ValueError(f"the key of {number} is not letters and digits, or shorter than {LETTERS_MIN}")
            self._spelled |= {text: (number, name) for text, name in encoded(key).items()}
        self._lengths = sorted({len(text) for text in self._spelled})
        least = min(self._lengths, default=LETTERS_MIN)
        self._families = [
            ("", re.compile(rb"[A-Za-z0-9]{%d,}" % least), _as_it_is),
            ("UTF-16", re.compile(rb"(?:[A-Za-z0-9]\0){%d,}[A-Za-z0-9]" % (least - 1)), _without_zeros),
            *((name, re.compile(one + rb"{%d,}" % least), back) for name, (one, back) in _ESCAPES.items()),
        ]

    def in_bytes(self, data: bytes, where: str) -> Iterator[Found]:
        """Every key in these bytes, in any spelling."""
        for family, pattern, back in self._families:
            for run in pattern.findall(data):
                for number, spelling in self._in_letters(back(run)):
                    yield Found(number, " of ".join(filter(None, (family, spelling))), where)

    def in_file(self, path: Path) -> Iterator[Found]:
        """Every key in a file of any size; one that stands on the seam of two chunks may be told of twice."""
        with path.open("rb") as file:
            before = b""
            while chunk := file.read(CHUNK_BYTES):
                # Servers reserve space as zeros, and there is nothing in them.
                if chunk.strip(b"\0"):
                    yield from self.in_bytes(before + chunk, str(path))
                before = chunk[-OVERLAP_BYTES:]

    def _in_letters(self, letters: bytes) -> Iterator[tuple[str, str]]:
        for length in self._lengths:
            for start in range(len(letters) - length + 1):
                found = self._spelled.get(letters[start : start + length])
                if found is not None:
                    yield found


def told(found: Iterable[Found]) -> list[str]:
    """The findings in words, each once; never with a key in it."""
    return sorted({f"the key of {one.key_of} stands in {one.where} ({one.spelling})" for one in found})
