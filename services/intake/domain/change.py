"""変更: what can be told about a change today. They are not offered yet, so each is refused, never met with silence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.intake.domain.body import Unreadable, read_body
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.form import APPLICATION_ID_SHAPE, GUARANTEE_NUMBER_SHAPE
from shared.problems import Problem

_NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    "change_id": APPLICATION_ID_SHAPE,
    "guarantee_number": GUARANTEE_NUMBER_SHAPE,
}


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change as far as it could be read, and why it is refused."""

    change_id: str | None
    guarantee_number: str | None
    problems: tuple[Problem, ...]


def judge_change(body: bytes) -> RefusedChange | Unreadable:
    """The verdict on the body of a change. Never raises, whatever the bytes are."""
    document = read_body(body)
    if isinstance(document, Unreadable):
        return document
    names = {
        name: value if isinstance(value, str) and shape.fullmatch(value) else None
        for name, shape in _NAMES.items()
        for value in [document.fields.get(name)]
    }
    return RefusedChange(names["change_id"], names["guarantee_number"], (problem(Code.CHANGES_NOT_OFFERED_YET, ""),))
