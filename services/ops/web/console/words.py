"""The words of the console in two languages, from `words.toml`: one line each, Japanese first."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

JAPANESE: Final = "ja"
ENGLISH: Final = "en"
LANGUAGES: Final = (JAPANESE, ENGLISH)

_FILE: Final = Path(__file__).parent / "words.toml"


def _read() -> Mapping[str, tuple[str, str]]:
    sections = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": (japanese, english)
        for section, words in sections.items()
        for name, (japanese, english) in words.items()
    }


WORDS: Final = _read()


def word(key: str) -> tuple[str, str] | None:
    """A key in both languages, if there is such a key."""
    return WORDS.get(key)


class Words:
    """The words of one language.

    Raises:
        KeyError: for a key that nobody wrote words for.
    """

    def __init__(self, language: str) -> None:
        self._at = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key, with the values put in."""
        return WORDS[key][self._at].format(**values)

    def maybe(self, section: str, name: object) -> str:
        """The words for a name that came from elsewhere; the name itself if nobody wrote words for it."""
        found = WORDS.get(f"{section}.{name}")
        return str(name) if found is None else found[self._at]
