"""The published example of an application as intake hands it over, and guarantees at any point of their lives."""

import copy
from datetime import UTC, date, datetime
from typing import Any, Final

from services.issuer.domain.form import Application, MailWish, application_of
from services.issuer.domain.guarantee import Guarantee, Outcome, arrive, conclude, number_given, requested

NUMBER: Final = "00000-000001"
TODAY: Final = date(2026, 1, 15)
CONCLUDED_AT: Final = datetime(2026, 1, 15, 0, 30, 1, 200_000, UTC)
ARRIVED_AT: Final = datetime(2026, 1, 15, 0, 30, 2, 117_000, UTC)
ADDRESS: Final = "keiri@kensetsu.example"

FORM: Final[dict[str, Any]] = {
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
    "completion_mail": {"wanted": True, "address": ADDRESS},
    "contact": {"department": "工務部", "title": "課長", "name": "三島 太郎", "phone": "055-000-0000"},
    "message_to_guarantor": None,
}


def form(**places: object) -> dict[str, Any]:
    """The example with some places changed, named as `contract__price=1` or `guarantees__0__amount=1`."""
    changed = copy.deepcopy(FORM)
    for path, value in places.items():
        *parents, last = [int(part) if part.isdecimal() else part for part in path.split("__")]
        place: Any = changed
        for parent in parents:
            place = place[parent]
        place[last] = value
    return changed


def application(**places: object) -> Application:
    """The example as the issuer reads it."""
    return application_of(form(**places))


def waiting(line: int = 0, **places: object) -> Guarantee:
    """A guarantee that waits for its conclusion; line 0 is electronic, line 1 on paper."""
    read = application(**places)
    return number_given(requested(NUMBER, "portal-a", "A-2026-000123", read, read.guarantees[line]))


def moved(outcome: Outcome) -> Guarantee:
    """The guarantee, if the event moved it."""
    assert isinstance(outcome, Guarantee), outcome
    return outcome


def concluded(line: int = 0, *, wanted: bool = True) -> Guarantee:
    """A guarantee whose first version is on its way, or ordered."""
    wish = MailWish(wanted=wanted, address=ADDRESS if wanted else None)
    return moved(conclude(waiting(line), CONCLUDED_AT, wish))


def issued(*, wanted: bool = True) -> Guarantee:
    """A guarantee whose first version arrived."""
    return moved(arrive(concluded(wanted=wanted), 1, ARRIVED_AT, "c-1"))
