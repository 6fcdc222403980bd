"""Numbers, dates, choices and texts in every wrong form, in every field that takes one: one problem, at its place."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final, get_args

import pytest
from pydantic import AwareDatetime

from services.intake.domain.change import Change
from services.intake.domain.change.form import Corrections
from services.intake.domain.fields import Part
from services.intake.domain.form import Application
from tests.unit.intake.changes import CORRECTION, change_codes
from tests.unit.intake.samples import EXAMPLE, INTERIM, codes

NUMBERS: Final = ["1", "", "１", "1,000", 1.0, 1.5, -0.0, 1e3, True, False, [], {}, "NaN", "1e3", "0x1"]
DATES: Final = [
    *("2026/01/20", "20260120", "2026-1-20", "2026-01-20T00:00:00", "2026年1月20日", "令和八年一月二十日", "R8-1-20"),
    *("大正15年1月1日", "H31.5.1", "令和0年1月1日", "2026-02-29", "2026-13-01", "0000-00-00", "1899-12-31"),
    *("2200-01-01", "", " ", "明日", 20260120, 1.5, True, [], {}),
]
TIMES: Final = [
    *("2026-01-15", "2026-01-15T09:30:00", "2026-01-15 09:30:00+09:00", "令和8年1月15日", "2026-01-15T25:00:00Z"),
    *("", 1_768_437_000, True, [], {}),
]
BOOLEANS: Final = ["true", "false", 0, 1, "", "希望する", [], {}]
CHOICES: Final = ["", "Electronic", "PAPER", 0, True, [], {}]
TEXTS: Final = [5, 1.5, True, [], {}]


def _leaves(part: type[Part], pointer: str) -> Iterator[tuple[str, Any]]:
    """Every field of a form that holds no other part: its pointer and what it holds."""
    for name, field in part.model_fields.items():
        held = (get_args(field.annotation) or (field.annotation,))[0]
        place = f"{pointer}/{name}"
        if name == "guarantees":
            yield from _leaves(held, f"{place}/0")
        elif isinstance(held, type) and issubclass(held, Part):
            yield from _leaves(held, place)
        else:
            yield place, held


def _wrong(held: Any) -> list[Any]:
    for kind, values in ((bool, BOOLEANS), (int, NUMBERS), (date, DATES)):
        if held is kind:
            return values
    if held is AwareDatetime:
        return TIMES
    return TEXTS if held is str else CHOICES


APPLICATION: Final = {**EXAMPLE, "guarantees": [INTERIM, EXAMPLE["guarantees"][1]]}
FIELDS: Final = [*_leaves(Application, "")]
CHANGE_FIELDS: Final = [leaf for leaf in _leaves(Change, "") if not leaf[0].startswith("/corrections")]
CORRECTED: Final = [*_leaves(Corrections, "")]


def test_every_kind_of_field_is_there() -> None:
    held = {kind for _, kind in (*FIELDS, *CHANGE_FIELDS, *CORRECTED)}

    assert {bool, int, date, str, AwareDatetime} <= held
    assert (len(FIELDS), len(CHANGE_FIELDS), len(CORRECTED)) >= (39, 14, 10)


@pytest.mark.parametrize(("pointer", "held"), FIELDS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_form_is_one_problem_at_its_place(pointer: str, held: Any) -> None:
    for value in _wrong(held):
        found = codes({**{f"/{name}": sent for name, sent in APPLICATION.items()}, pointer: value})

        assert [where for _, where in found] == [pointer], value


@pytest.mark.parametrize(("pointer", "held"), CHANGE_FIELDS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_form_in_a_change_is_one_problem_at_its_place(pointer: str, held: Any) -> None:
    for value in _wrong(held):
        assert [where for _, where in change_codes({pointer: value})] == [pointer], value


@pytest.mark.parametrize(("pointer", "held"), CORRECTED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_form_in_a_correction_is_one_problem_at_its_place(pointer: str, held: Any) -> None:
    for value in _wrong(held):
        found = change_codes({"/corrections": {pointer[1:]: value}}, CORRECTION)

        assert [where for _, where in found] == [f"/corrections{pointer}"], value
