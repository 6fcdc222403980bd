"""What programs tell in English, as a page tells it: in Japanese where somebody wrote down what it means."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.ops.web.console.words import JAPANESE

_FILE: Final = Path(__file__).parent / "reasons.toml"
_SAID: Final = "said"
_JAPANESE: Final = re.compile("[぀-ヿ一-鿿]")


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as a page shows it.

    Attributes:
        words: in the reader's language, or as it was told where nobody knows what it means.
        original: as it was told, where `words` are others: whoever reads logs looks for these.
        is_foreign: whether `words` are not in the reader's language.
    """

    words: str
    original: str = ""
    is_foreign: bool = False


def _read() -> Sequence[tuple[re.Pattern[str], str]]:
    sections = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [
        (re.compile(told, re.DOTALL), japanese) for section in sections.values() for told, japanese in section.items()
    ]


KNOWN: Final = _read()


def in_words(text: object, language: str) -> Reason:
    """A reason for whoever reads this language."""
    told = str(text)
    if language != JAPANESE or not told or _JAPANESE.search(told):
        return Reason(told)
    words = _in_japanese(told)
    return Reason(told, is_foreign=True) if words is None else Reason(words, told)


def _in_japanese(told: str) -> str | None:
    for pattern, japanese in KNOWN:
        found = pattern.fullmatch(told)
        if found is not None:
            pieces = found.groupdict()
            said = {name: _in_japanese(text) for name, text in pieces.items() if name.startswith(_SAID)}
            if None not in said.values():
                return japanese.format(**{**pieces, **said})
    # A service that is ill in several ways tells them in one line.
    parts = told.split("; ")
    each = [_in_japanese(part) for part in parts] if len(parts) > 1 else [None]
    return None if None in each else "、".join(map(str, each))
