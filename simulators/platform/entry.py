"""What an official types or pastes, made certain: width and spaces are mended, a character is never guessed.

A 0 that should be an O stays a 0: guessing would try several keys in one check, and the lock counts checks.
"""

import re
import unicodedata
from dataclasses import dataclass

TYPED_CHARS_MAX = 200

NUMBER_MALFORMED = "保証契約番号は「00000-000000」の形（数字5けた、ハイフン、数字6けた）で入力してください。"
NUMBER_MISSING = "保証契約番号を入力してください。"
KEY_MALFORMED = "認証キーは英字と数字だけです。記号などが混ざっていないか確かめ、もう一度入力してください。"
KEY_MISSING = "認証キーを入力してください。"

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# What keyboards, word processors and PDFs put where the number has its one hyphen.
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−－ーｰ﹣－"), "-")
_NUMBER = re.compile(r"([0-9]{5})-?([0-9]{6})")
_KEY = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered: number and key as they are looked up, or what is wrong with either.

    Attributes:
        shown: the number as it goes back into its field; the key never goes back.
    """

    number: str
    auth_key: str
    shown: str
    number_problem: str | None = None
    key_problem: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether there is something to look up."""
        return self.number_problem is None and self.key_problem is None

    def __repr__(self) -> str:
        """The number only."""
        return f"Entry({self.number!r})"


def entered(number: str, auth_key: str) -> Entry:
    """Reads both fields. What cannot be a number or a key at all is told; it says nothing of what is stored."""
    shown = number.strip()[:TYPED_CHARS_MAX]
    bare = _without_spaces(number.translate(_HYPHENS).translate(_FULL_WIDTH))
    found = _NUMBER.fullmatch(bare)
    key = _without_spaces(auth_key.translate(_FULL_WIDTH))
    key_problem = None if _KEY.fullmatch(key) else (KEY_MALFORMED if key else KEY_MISSING)
    if found is None:
        return Entry("", key, shown, NUMBER_MALFORMED if bare else NUMBER_MISSING, key_problem)
    whole = f"{found[1]}-{found[2]}"
    return Entry(whole, key, whole, None, key_problem)


def _without_spaces(text: str) -> str:
    # Cf holds what cannot be seen, such as a zero-width space that came along from a PDF.
    return "".join(one for one in text if not one.isspace() and unicodedata.category(one) != "Cf")
