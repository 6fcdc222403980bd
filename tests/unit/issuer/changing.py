"""Changes beside the published example: what a test asks, what stands against it, and guarantees after some of them."""

from datetime import timedelta
from typing import Any

from services.issuer.domain.change import Asked, Change, changed_by
from services.issuer.domain.events import arrive, refuse
from services.issuer.domain.guarantee import Guarantee
from services.issuer.domain.limits import general_terms
from services.issuer.domain.particulars import particulars_of
from services.issuer.domain.shown import is_visible
from shared.messages.intake import Terms
from tests.unit.issuer.samples import ARRIVED_AT, NUMBER, application, moved

TERMS = general_terms("222062", "三島市長")


def form(kind: str, base: int, **fields: Any) -> dict[str, Any]:
    """A change of this kind on this base."""
    named = {
        "change_id": "C-1",
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": "C-0045678",
        "guarantee_number": NUMBER,
    }
    return {**named, "version_kind": kind, "base_version": base, **fields}


def asked(change: dict[str, Any], terms: Terms = TERMS, line: int = 0, beside: int = 0, **places: Any) -> Asked:
    """The change beside the application of the example, some places of which may be other ones."""
    read = application(**places)
    return Asked(Change.model_validate(change), particulars_of(read, read.guarantees[line]), terms, beside, "portal-a")


def problems(guarantee: Guarantee, change: dict[str, Any], **other: Any) -> list[tuple[str, str]]:
    """What stands against the change: codes and pointers."""
    outcome = changed_by(guarantee, asked(change, **other))
    return [] if isinstance(outcome, Guarantee) else [(one.code, one.pointer) for one in outcome]


def sent(guarantee: Guarantee, kind: str, base: int | None = None, **fields: Any) -> Guarantee:
    """The guarantee with the version that this change makes, on its way."""
    latest = guarantee.latest
    assert latest is not None
    outcome = changed_by(guarantee, asked(form(kind, base or latest.version, **fields)))
    assert isinstance(outcome, Guarantee), outcome
    return outcome


def came(guarantee: Guarantee, *kinds: str) -> Guarantee:
    """The guarantee after these changes, each of another amount and each arrived."""
    for kind in kinds:
        amount = guarantee.amount - 1
        values: dict[str, dict[str, Any]] = {
            "change": {"amount": amount},
            "correction": {"corrections": {"amount": amount}},
        }
        travelling = sent(guarantee, kind, **values.get(kind, {}))
        number = len(travelling.versions)
        guarantee = moved(arrive(travelling, number, ARRIVED_AT + timedelta(days=number), f"c-{number}"))
    return guarantee


def seen(guarantee: Guarantee) -> list[int]:
    """The versions that contractors see."""
    return [one.version for one in guarantee.versions if is_visible(one.kind, one.state, one.issued_at)]


def refused(guarantee: Guarantee) -> Guarantee:
    """The guarantee after the platform refused its latest version."""
    return moved(refuse(guarantee, len(guarantee.versions), ARRIVED_AT, "no"))
