"""What the office and portals send to change a guarantee, and what became of it."""

import json
from collections.abc import Mapping
from typing import Any

from shared.messages.intake import ChangeAccepted
from shared.messages.platform_bridge import CertificateRefused
from tests.service.issuer.bench import Bench, change
from tests.unit.issuer.samples import ARRIVED_AT

RAISED: Mapping[str, Any] = {"price": 60_000_000, "amount": 24_000_000, "contract_date": "2026-06-01"}


def correction(number: str, base: int, **corrected: Any) -> ChangeAccepted:
    """What the office sends to mend a version."""
    named = {"portal": "office", "customer_number": None, "version_kind": "correction"}
    return change(number, base_version=base, corrections=corrected, **named)


def by_office(number: str, base: int, kind: str) -> ChangeAccepted:
    """変更取消 or 解約, which the office sends."""
    return change(number, base_version=base, version_kind=kind, portal="office", customer_number=None)


def refused(application_id: str, number: str, version: int) -> CertificateRefused:
    return CertificateRefused(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=version,
        problem_type="certificate-refused",
        detail="工事名を確認してください。",
        refused_at=ARRIVED_AT,
    )


async def problems_of(bench: Bench, one: ChangeAccepted) -> list[dict[str, str]]:
    """The problems with which a change is kept."""
    kept: list[dict[str, str]] = json.loads(
        await bench.pool.fetchval("select problems from change where change_id = $1", one.change_id)
    )
    return kept


async def codes_of(bench: Bench, one: ChangeAccepted) -> list[str]:
    """Their codes."""
    return [problem["code"] for problem in await problems_of(bench, one)]


async def statuses(bench: Bench, application_id: str, number: str) -> list[str]:
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)
    return [one.data["to"] for one in told if one.subject == number]
