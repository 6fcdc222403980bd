"""預託金融機関(全角): what is full-width, what becomes so for certain, and what is refused (domain rule 8).

Full-width is what stands in the table of JIS X 0208, not what East Asian width says: ○ and × are legal, ① is not.
Only this field is held to it; 髙橋建設 is a fine name for a contractor.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


def _jis_x_0208() -> frozenset[str]:
    """All characters of JIS X 0208, as EUC-JP holds them: 94 rows of 94 cells, of which 6,879 are taken."""
    cells = (bytes((row, cell)) for row in range(0xA1, 0xFF) for cell in range(0xA1, 0xFF))
    return frozenset("".join(pair.decode("euc_jp", errors="ignore") for pair in cells))


JIS_X_0208: Final = _jis_x_0208()


class Change(StrEnum):
    """What a character was before it was made full-width."""

    SPACE = "space"
    LETTER = "letter"
    DIGIT = "digit"
    KANA = "kana"
    WAVE_DASH = "wave_dash"
    MINUS_SIGN = "minus_sign"


SIGN_CHANGES: Final = frozenset({Change.WAVE_DASH, Change.MINUS_SIGN})
"""Changes of one full-width sign into its twin; all others make a half-width character full-width."""


class Twin(NamedTuple):
    """The one full-width character that another certainly means."""

    character: str
    change: Change


_HALF_KANA: Final = "".join(map(chr, range(0xFF61, 0xFF9E)))
_FULL_KANA: Final = (
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソ"
    "タチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
)
_FULL_WIDTH_OFFSET: Final = 0xFEE0

TWINS: Final[dict[str, Twin]] = {
    " ": Twin("\u3000", Change.SPACE),
    # Windows writes 〜 and − with other code points than the standard's own table; each pair is one sign.
    "\uff5e": Twin("\u301c", Change.WAVE_DASH),
    "\uff0d": Twin("\u2212", Change.MINUS_SIGN),
    **{chr(code): Twin(chr(code + _FULL_WIDTH_OFFSET), Change.DIGIT) for code in range(ord("0"), ord("9") + 1)},
    **{chr(code): Twin(chr(code + _FULL_WIDTH_OFFSET), Change.LETTER) for code in range(ord("A"), ord("Z") + 1)},
    **{chr(code): Twin(chr(code + _FULL_WIDTH_OFFSET), Change.LETTER) for code in range(ord("a"), ord("z") + 1)},
    **{half: Twin(full, Change.KANA) for half, full in zip(_HALF_KANA, _FULL_KANA, strict=True)},
}

# A voicing mark is certain only after a kana that it can voice: ｶﾞ is ガ, and a mark alone means nothing.
_VOICING: Final = {"ﾞ": "\u3099", "ﾟ": "\u309a", "\u3099": "\u3099", "\u309a": "\u309a"}


class Refused(NamedTuple):
    """A character that is not full-width and has no certain twin, at its place counted from 1."""

    position: int
    character: str


@dataclass(frozen=True, slots=True)
class Depository:
    """A depository's name made full-width.

    Attributes:
        text: the name; complete only if nothing was refused.
        changes: what was changed, each kind once, in the order of `Change`.
        refused: the characters that cannot stand.
    """

    text: str
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]


def full_width(text: str) -> Depository:
    """Make `text` full-width where that is certain, and say what was changed and what cannot stand."""
    made: list[str] = []
    changed: set[Change] = set()
    refused: list[Refused] = []
    for position, character in enumerate(text, start=1):
        twin = TWINS.get(character)
        if character in JIS_X_0208:
            made.append(character)
        elif twin is not None:
            made.append(twin.character)
            changed.add(twin.change)
        elif character in _VOICING and made and (voiced := _voiced(made[-1], character)):
            made[-1] = voiced
            changed.add(Change.KANA)
        else:
            refused.append(Refused(position, character))
    return Depository("".join(made), tuple(change for change in Change if change in changed), tuple(refused))


def _voiced(kana: str, mark: str) -> str | None:
    composed = unicodedata.normalize("NFC", kana + _VOICING[mark])
    return composed if composed in JIS_X_0208 else None
