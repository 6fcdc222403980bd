"""What became outside of what the issuer made: a certificate arrived or was refused, a mail was sent or refused."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.issuer.domain.announcements import Telling, status_change, telling_of_issue, telling_of_status
from services.issuer.domain.events import arrive, hold, refuse, release
from services.issuer.domain.guarantee import UNKNOWN_GUARANTEE, Guarantee, Outcome
from services.issuer.domain.mails import mail_refused, mail_sent
from services.issuer.handlers.telling import put_by, tell, today
from services.issuer.store import moving
from shared.delivery import Heard
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import (
    CertificateArrived,
    CertificateHeld,
    CertificateRefused,
    CertificateReleased,
)
from shared.work import Work

D = TypeVar("D", CertificateArrived, CertificateRefused, CertificateHeld, CertificateReleased, MailSent, MailRefused)


async def on_certificate_arrived(heard: Sequence[Heard[CertificateArrived]], work: Work) -> None:
    """The platform's arrival time becomes 電子保証発行日時; only now is anybody told that a guarantee is issued."""

    def decide(guarantee: Guarantee, data: CertificateArrived) -> Outcome:
        return arrive(guarantee, data.version, data.arrived_at, data.certificate_id)

    def told(guarantee: Guarantee, data: CertificateArrived) -> Telling | None:
        version = guarantee.version(data.version)
        return telling_of_issue(guarantee, version, version.issued_at) if version and version.issued_at else None

    await _moved(heard, work, decide, told)


async def on_certificate_refused(heard: Sequence[Heard[CertificateRefused]], work: Work) -> None:
    """The platform refused a version for good; the status says that the office is dealing with it."""

    def decide(guarantee: Guarantee, data: CertificateRefused) -> Outcome:
        return refuse(guarantee, data.version, data.refused_at, f"{data.problem_type}: {data.detail}")

    await _moved(heard, work, decide)


async def on_certificate_held(heard: Sequence[Heard[CertificateHeld]], work: Work) -> None:
    """The bridge waits for a person; the status says that the office is dealing with it."""

    def decide(guarantee: Guarantee, data: CertificateHeld) -> Outcome:
        return hold(guarantee, data.version, data.held_at, data.reason)

    await _moved(heard, work, decide)


async def on_certificate_released(heard: Sequence[Heard[CertificateReleased]], work: Work) -> None:
    """A person let a version go on; it is on its way again."""

    def decide(guarantee: Guarantee, data: CertificateReleased) -> Outcome:
        return release(guarantee, data.version, data.released_at)

    await _moved(heard, work, decide)


async def on_mail_sent(heard: Sequence[Heard[MailSent]], work: Work) -> None:
    """The completion mail went out; portals show it."""

    def decide(guarantee: Guarantee, data: MailSent) -> Outcome:
        return mail_sent(guarantee, data.version, data.ordinal)

    await _moved(heard, work, decide)


async def on_mail_refused(heard: Sequence[Heard[MailRefused]], work: Work) -> None:
    """The completion mail was refused for good; portals show it, and it can be wished for at a mended address."""

    def decide(guarantee: Guarantee, data: MailRefused) -> Outcome:
        return mail_refused(guarantee, data.version, data.ordinal, f"{data.smtp_code} {data.reason}")

    await _moved(heard, work, decide)


async def _moved(
    heard: Sequence[Heard[D]],
    work: Work,
    decide: Callable[[Guarantee, D], Outcome],
    told: Callable[[Guarantee, D], Telling | None] = lambda _guarantee, _data: None,
) -> None:
    """Load and lock, decide fact by fact in their order, save what moved and tell it."""
    before = await moving.by_number(work.connection, {one.data.guarantee_number for one in heard})
    after = dict(before)
    for one in heard:
        guarantee = after.get(one.data.guarantee_number)
        if guarantee is None:
            put_by(work, one.fact, UNKNOWN_GUARANTEE)
            continue
        outcome = decide(guarantee, one.data)
        if not isinstance(outcome, Guarantee):
            put_by(work, one.fact, outcome)
            continue
        moved, message = status_change(guarantee.status(today(work)), outcome, today(work), work.now)
        after[moved.guarantee_number] = moved
        if message is not None:
            tell(work, moved, telling_of_status(moved, message), one.fact)
        telling = told(moved, one.data)
        if telling is not None:
            tell(work, moved, telling, one.fact)
    await moving.save(work, before, after)
