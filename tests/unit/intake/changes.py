"""The published example of a change, and the judgement on it with some places changed."""

import json
from typing import Any, Final

from services.intake.domain.body import Unreadable
from services.intake.domain.change import GoodChange, JudgedChange, judge_change
from services.intake.domain.verdict import Bad, Judged
from tests.unit.intake.samples import DOOR, EXAMPLES, body_of, changed

CHANGE: Final[dict[str, Any]] = json.loads((EXAMPLES / "change.json").read_text(encoding="utf-8"))
OFFICE: Final = "office"

CORRECTION: Final[dict[str, Any]] = {
    **CHANGE,
    "portal": OFFICE,
    "version_kind": "correction",
    "price": None,
    "amount": None,
    "customer_number": None,
    "corrections": {"contractor_name": "○○建設工業 株式会社"},
}
"""A 訂正 as the office sends it."""


def judged_change(changes: dict[str, Any], base: dict[str, Any] = CHANGE) -> JudgedChange:
    """The judgement on the changed example, through the door of the portal that it names in the first place."""
    result = judge_change(body_of(changed(changes, base)), OFFICE if base is CORRECTION else DOOR)
    assert isinstance(result, Judged)
    return result


def change_codes(changes: dict[str, Any], base: dict[str, Any] = CHANGE) -> list[tuple[str, str]]:
    """What is wrong with the changed example, as (code, pointer)."""
    verdict = judged_change(changes, base).verdict
    return [(found.code, found.pointer) for found in verdict.problems] if isinstance(verdict, Bad) else []


def good_change(changes: dict[str, Any], base: dict[str, Any] = CHANGE) -> GoodChange:
    """The verdict on the changed example, which is good."""
    verdict = judged_change(changes, base).verdict
    assert isinstance(verdict, GoodChange), verdict
    return verdict


def refusal_of_change(body: bytes) -> list[tuple[str, str]]:
    """What is wrong with a body, whether it could be read or not, as (code, pointer)."""
    result = judge_change(body, DOOR)
    problems = result.problems if isinstance(result, Unreadable) else _bad(result).problems
    return [(found.code, found.pointer) for found in problems]


def _bad(result: JudgedChange) -> Bad:
    assert isinstance(result.verdict, Bad)
    return result.verdict
