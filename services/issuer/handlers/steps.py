"""One guarantee after one fact, with everything that follows: key, certificate or paper order, and what is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.issuer.domain.announcements import (
    Telling,
    status_change,
    telling_of_certificate,
    telling_of_paper,
    telling_of_status,
)
from services.issuer.domain.certificate import certificate_content
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee, Version
from services.issuer.domain.particulars import particulars_of
from services.issuer.handlers.means import Means
from services.issuer.handlers.telling import tell, today
from services.issuer.store import taking_in
from services.issuer.store.taking_in import NewVersion
from shared.envelope import Fact
from shared.problems import Problem
from shared.work import Work


@dataclass(frozen=True, slots=True)
class Step:
    """One guarantee after one fact, with everything that follows from it."""

    guarantee: Guarantee
    application: Application
    tellings: tuple[Telling, ...]
    version: NewVersion | None
    cause: Fact


def to_the_millisecond(moment: datetime) -> datetime:
    """A moment as on a certificate, so that what is announced, stored and signed is one and the same."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def take_step(
    means: Means,
    moved: tuple[Guarantee, Guarantee],
    application: Application,
    cause: Fact,
    work: Work,
    *,
    remarks: tuple[Problem, ...] = (),
) -> Step:
    """What follows from a guarantee having moved; a version that it has more now is made here."""
    before, after = moved
    tellings: list[Telling] = []
    version: NewVersion | None = None
    created = after.latest if len(after.versions) > len(before.versions) else None
    if created is not None:
        after, version, telling = _made(means, after, created, application, work)
        tellings.append(telling)
    again = created is not None and created.version > 1
    day = today(work)
    after, message = status_change(before.status(day), after, day, work.now, anyway=again, remarks=remarks)
    if message is not None:
        tellings.append(telling_of_status(after, message))
    return Step(after, application, tuple(tellings), version, cause)


def _made(
    means: Means, guarantee: Guarantee, created: Version, application: Application, work: Work
) -> tuple[Guarantee, NewVersion, Telling]:
    number = guarantee.guarantee_number
    if guarantee.certificate_form == "paper":
        return guarantee, NewVersion(number, created, None), telling_of_paper(guarantee, created, application)
    if guarantee.sealed_auth_key is None:
        sealed, fingerprint = means.draw_auth_key(number)
        guarantee = replace(guarantee, sealed_auth_key=sealed, auth_key_fingerprint=fingerprint)
    # A later version is concluded when it is taken in: the platform cannot have had it before.
    first = guarantee.concluded_at if created.version == 1 else None
    concluded_at = first or to_the_millisecond(work.now)
    content = certificate_content(
        (number, created.version, created.kind),
        guarantee.kind,
        created.particulars or particulars_of(application, application.line_of(guarantee.kind)),
        guarantor=means.guarantor_name,
        concluded_at=concluded_at,
    )
    signed = means.sign(content)
    telling = telling_of_certificate(guarantee, created, signed, concluded_at)
    return guarantee, NewVersion(number, created, signed), telling


def add_versions_and_tell(steps: Sequence[Step], work: Work) -> None:
    """Have the versions these steps made be stored, and announce what follows from each."""
    versions = [step.version for step in steps if step.version is not None]
    if versions:
        work.write(taking_in.adding_versions(versions, work.now))
    for one in steps:
        for telling in one.tellings:
            tell(work, one.guarantee, telling, one.cause)
