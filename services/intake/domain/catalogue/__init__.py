"""Every code intake can answer with, and what it says in Japanese and in English. Served as `GET /v1/problems`."""

from typing import Final

from services.intake.domain.catalogue.application import APPLICATION
from services.intake.domain.catalogue.body import BODY
from services.intake.domain.catalogue.change import CHANGE
from services.intake.domain.catalogue.codes import Code, Wording
from services.intake.domain.catalogue.fields import FIELDS
from services.intake.domain.catalogue.remarks import REMARKS
from shared.problems import Problem

__all__ = ["CATALOGUE", "POINTER_CHARS_MAX", "REMARKS", "Code", "Wording", "bounded", "problem"]

POINTER_CHARS_MAX = 256
"""Longer pointers are cut to the nearest ancestor: the name of an unknown field is as long as its sender likes."""

CATALOGUE: Final[dict[Code, Wording]] = {**BODY, **FIELDS, **APPLICATION, **CHANGE, **REMARKS}

_YEN: Final = frozenset({"base", "price", "maximum", "minimum", "number_max", "bytes_max"})


def problem(code: Code, pointer: str, **words: object) -> Problem:
    """Tell one problem or remark at one place. `words` fill the braces of its wording; yen get commas."""
    shown = {name: f"{word:,}" if name in _YEN else str(word) for name, word in words.items()}
    wording = CATALOGUE[code]
    return Problem(
        code=code.value,
        pointer=bounded(pointer),
        message_ja=wording.ja.format(**shown),
        message_en=wording.en.format(**shown),
    )


def bounded(pointer: str) -> str:
    """The pointer, or its nearest ancestor that is not longer than `POINTER_CHARS_MAX`."""
    while len(pointer) > POINTER_CHARS_MAX:
        pointer = pointer.rpartition("/")[0]
    return pointer
