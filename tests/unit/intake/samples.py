"""The published example of an application, ways to change one place of it, and the registry the tests judge by."""

import copy
import json
from pathlib import Path
from typing import Any, Final

from services.intake.domain.body import Unreadable
from services.intake.domain.judgement import Bad, Good, Judged, judge
from services.intake.domain.obligees import Registry
from services.intake.settings import read_obligees
from shared.problems import Problem

ROOT: Final = Path(__file__).parents[3]
REGISTRY: Final[Registry] = read_obligees(ROOT / "deploy" / "obligees.toml")
DOOR: Final = "portal-a"
GONE: Final = object()
"""Put in the place of a value, it takes the field away."""

EXAMPLE: Final[dict[str, Any]] = {
    "application_id": "A-2026-000123",
    "portal": "portal-a",
    "submitted_at": "2026-01-15T09:30:00+09:00",
    "receiving_office": "静岡支店",
    "paper_delivery": "office",
    "contractor": {"customer_number": "C-0045678", "name": "○○建設 株式会社", "jv_name": None},
    "contract": {
        "obligee_code": "222062",
        "obligee_name": "三島市長",
        "project_name": "市道○○線道路改良工事",
        "works_kind": "construction",
        "tender_notice_date": "2025-12-10",
        "contract_date": "2026-01-20",
        "contract_date_planned": True,
        "works_from": "2026-01-21",
        "works_until": "2026-12-25",
        "price": 50_000_000,
        "fiscal_year_amount": None,
        "fiscal_year": None,
        "advance_payment_planned": True,
        "low_bid": False,
    },
    "guarantees": [
        {
            "kind": "advance_payment",
            "certificate_form": "electronic",
            "amount": 20_000_000,
            "depository": "○○銀行\u3000××支店",
            "redeposit": False,
            "premium_payment_method": "bank_transfer",
            "premium_billed_to": "○○建設 株式会社",
            "paper_premium_statement": False,
        },
        {
            "kind": "contract_performance",
            "certificate_form": "paper",
            "amount": 5_000_000,
            "premium_payment_method": "bank_transfer",
            "premium_billed_to": "○○建設 株式会社",
            "paper_premium_statement": False,
        },
    ],
    "completion_mail": {"wanted": True, "address": "keiri@kensetsu.example"},
    "contact": {"department": "工務部", "title": "課長", "name": "三島 太郎", "phone": "055-000-0000"},
    "message_to_guarantor": None,
}

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


def judged(changes: dict[str, Any]) -> Judged:
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
