"""Facts are announced again from the rows they came of, each under the id it had, so that hearers know repeats.

A certificate, a paper order, an issue and a refused change can be told again to the letter. Of several mails about one
version only the last can, for only its address is kept. Changes of 手続状況 are not told again: nobody but portals
hears them, and portals read the present one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from pydantic_core import from_json

from services.issuer.domain.announcements import (
    Signed,
    Telling,
    telling_of_certificate,
    telling_of_issue,
    telling_of_paper,
    telling_of_refusal,
)
from services.issuer.domain.change import Change
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee, Version
from services.issuer.domain.particulars import particulars_of
from services.issuer.handlers.telling import tell
from services.issuer.store import again, moving
from shared.work import Work

ROWS_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """How far it has gone: the last version told (number and version), then the last change (portal and id)."""

    version: tuple[str, int] = ("", 0)
    change: tuple[str, str] = ("", "")


async def announce_page(work: Work, since: datetime, place: Place) -> tuple[int, Place | None]:
    """Announce the next page of what became true since then; gives how many facts, and None at the end."""
    rows = await again.versions(work.connection, since, place.version, ROWS_AT_ONCE)
    if rows:
        return await _versions(work, rows), replace(place, version=rows[-1][0])
    changes = await again.refused_changes(work.connection, since, place.change, ROWS_AT_ONCE)
    for row in changes:
        change = Change.model_validate(from_json(row.form))
        telling = telling_of_refusal(row.portal, change, row.problems, row.decided_at)
        work.announce(
            telling.message,
            subject=telling.subject,
            occurrence=telling.occurrence,
            correlation=telling.subject,
            portal=row.portal,
        )
    last = (changes[-1].portal, changes[-1].change_id) if changes else None
    return len(changes), None if last is None else replace(place, change=last)


async def _versions(work: Work, rows: list[tuple[again.VersionKey, Signed | None]]) -> int:
    guarantees = await moving.by_number(work.connection, {number for (number, _), _ in rows})
    forms = await moving.forms(work.connection, guarantees.values())
    told = 0
    for (number, no), signed in rows:
        guarantee = guarantees[number]
        version = guarantee.version(no)
        if version is not None:
            for telling in _tellings(guarantee, version, forms[guarantee.portal, guarantee.application_id], signed):
                tell(work, guarantee, telling)
                told += 1
    return told


def _tellings(
    guarantee: Guarantee, version: Version, application: Application, signed: Signed | None
) -> Iterator[Telling]:
    if signed is None:
        yield telling_of_paper(guarantee, version, application)
        return
    concluded_at = datetime.fromisoformat(json.loads(signed.certificate)["concluded_at"]).astimezone(UTC)
    yield telling_of_certificate(guarantee, version, signed, concluded_at)
    if version.issued_at is not None:
        said = version.particulars or particulars_of(application, application.line_of(guarantee.kind))
        yield telling_of_issue(guarantee, replace(version, particulars=said), version.issued_at)
