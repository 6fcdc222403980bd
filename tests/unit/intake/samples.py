"""The published example of an application, ways to change one place of it, and the registry the tests judge by."""

import copy
import json
from pathlib import Path
from typing import Any, Final

from services.intake.domain.body import Unreadable
from services.intake.domain.judgement import Good, JudgedApplication, judge
from services.intake.domain.obligees import Registry
from services.intake.domain.verdict import Bad, Judged
from services.intake.settings import read_obligees
from shared.problems import Problem

ROOT: Final = Path(__file__).parents[3]
REGISTRY: Final[Registry] = read_obligees(ROOT / "deploy" / "obligees.toml")
DOOR: Final = "portal-a"
GONE: Final = object()
"""Put in the place of a value, it takes the field away."""

EXAMPLES: Final = ROOT / "tests" / "contract" / "examples"
EXAMPLE: Final[dict[str, Any]] = json.loads((EXAMPLES / "application.json").read_text(encoding="utf-8"))

INTERIM: Final[dict[str, Any]] = {
    **EXAMPLE["guarantees"][0],
    "kind": "interim_advance_payment",
    "amount": 10_000_000,
    "earlier_guarantee_number": "00000-000001",
    "interim_approval": True,
}


def changed(changes: dict[str, Any], base: dict[str, Any] = EXAMPLE) -> dict[str, Any]:
    """The example with other values at the places that JSON Pointers name; `GONE` takes a field away."""
    document = copy.deepcopy(base)
    for pointer, value in changes.items():
        *parents, last = pointer.strip("/").split("/")
        place: Any = document
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if value is GONE:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)
    return document


def body_of(document: object) -> bytes:
    """A document as a portal sends it."""
    return json.dumps(document, ensure_ascii=False).encode()


def judged(changes: dict[str, Any]) -> JudgedApplication:
    """The judgement on the changed example, which can be read."""
    result = judge(body_of(changed(changes)), DOOR, REGISTRY)
    assert isinstance(result, Judged)
    return result


def problems(changes: dict[str, Any]) -> list[Problem]:
    """What is wrong with the changed example; nothing if it is good."""
    verdict = judged(changes).verdict
    return list(verdict.problems) if isinstance(verdict, Bad) else []


def codes(changes: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the changed example, as (code, pointer)."""
    return [(found.code, found.pointer) for found in problems(changes)]


def good(changes: dict[str, Any]) -> Good:
    """The verdict on the changed example, which is good."""
    verdict = judged(changes).verdict
    assert isinstance(verdict, Good), verdict
    return verdict


def refusal_of(body: bytes) -> list[tuple[str, str]]:
    """What is wrong with a body, whether it could be read or not, as (code, pointer)."""
    result = judge(body, DOOR, REGISTRY)
    if isinstance(result, Unreadable):
        return [(found.code, found.pointer) for found in result.problems]
    assert isinstance(result.verdict, Bad)
    return [(found.code, found.pointer) for found in result.verdict.problems]
