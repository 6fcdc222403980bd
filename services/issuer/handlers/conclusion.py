"""Accepted applications become guarantees; concluded guarantees get their key and their first certificate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from services.issuer.domain.announcements import (
    Telling,
    status_change,
    telling_of_certificate,
    telling_of_paper,
    telling_of_status,
)
from services.issuer.domain.certificate import certificate_content
from services.issuer.domain.form import Application, Line, application_of
from services.issuer.domain.guarantee import (
    UNKNOWN_GUARANTEE,
    Guarantee,
    Impossible,
    Outcome,
    conclude,
    decline,
    number_given,
    requested,
)
from services.issuer.domain.names import guarantee_number_of
from services.issuer.domain.states import Conclusion
from services.issuer.handlers.means import Means
from services.issuer.handlers.telling import put_by, tell, today
from services.issuer.store import moving, taking_in
from services.issuer.store.moving import LineKey
from services.issuer.store.taking_in import AcceptedApplication, NewVersion
from shared.delivery import Heard
from shared.envelope import Fact
from shared.logs import get_logger
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import ApplicationAccepted
from shared.work import Work

logger = get_logger()

D = TypeVar("D", GuaranteeConcluded, GuaranteeDeclined)

DECISION_BYTES_MAX: Final = 65_536
"""A decision of the core system is told to the portal with its texts, in one message that a broker must take."""

CONCLUDED_AHEAD_MAX: Final = timedelta(minutes=5)
"""How far the core system's clock may run before ours."""


@dataclass(frozen=True, slots=True)
class Step:
    """One guarantee after one fact, with everything that follows from it."""

    guarantee: Guarantee
    application: Application
    tellings: tuple[Telling, ...]
    version: NewVersion | None
    cause: Fact


@dataclass(frozen=True, slots=True)
class _Asked:
    """One line of an accepted application."""

    heard: Heard[ApplicationAccepted]
    application: Application
    line: Line


async def on_application_accepted(means: Means, heard: Sequence[Heard[ApplicationAccepted]], work: Work) -> None:
    """Take every line in under a number of its own; conclude it at once unless the core system is to."""
    asked = _readable(heard, work)
    if not asked:
        return
    serials = await taking_in.take_serials(work.connection, len(asked))
    steps = [
        _taken_in(means, one, guarantee_number_of(serial), work) for one, serial in zip(asked, serials, strict=True)
    ]
    await taking_in.add_applications(work.connection, _applications(asked))
    fresh = await taking_in.add_guarantees(
        work.connection, [(step.guarantee, step.application) for step in steps], work.now
    )
    new = [step for step in steps if step.guarantee.guarantee_number in fresh]
    await _add_versions_and_tell(new, work)
    for step in steps:
        if step.guarantee.guarantee_number not in fresh:
            logger.info("guarantee.repeated", correlation=step.guarantee.correlation, kind=step.guarantee.kind)


def _readable(heard: Sequence[Heard[ApplicationAccepted]], work: Work) -> list[_Asked]:
    """The lines of all applications that can be read, each line once; the first one stands."""
    asked: dict[LineKey, _Asked] = {}
    for one in heard:
        try:
            application = application_of(one.data.application)
        except ValidationError as error:
            # The values stay out of the reason: they may be personal, and the parked fact has them.
            places = {".".join(map(str, found["loc"])): found["type"] for found in error.errors(include_input=False)}
            work.park(one.fact, "invalid_form", f"the form cannot be read: {places}")
            continue
        for line in application.guarantees:
            asked.setdefault((one.data.portal, one.data.application_id, line.kind), _Asked(one, application, line))
    return list(asked.values())


def _taken_in(means: Means, asked: _Asked, guarantee_number: str, work: Work) -> Step:
    data = asked.heard.data
    new = requested(guarantee_number, data.portal, data.application_id, asked.application, asked.line)
    outcome: Outcome = number_given(new)
    # An interim advance payment hangs on an earlier guarantee (domain rule 5), which a person compares so far.
    if means.conclusion is Conclusion.AUTOMATIC and asked.line.kind != "interim_advance_payment":
        outcome = conclude(number_given(new), _to_the_millisecond(work.now), asked.application.completion_mail)
    if not isinstance(outcome, Guarantee):
        raise TypeError(f"a guarantee that was just taken in can be concluded: {outcome.reason}")
    return _step(means, (new, outcome), asked.application, asked.heard.fact, work)


def _to_the_millisecond(moment: datetime) -> datetime:
    # As on the certificate, so that what is announced, stored and signed is one moment.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _applications(asked: Sequence[_Asked]) -> list[AcceptedApplication]:
    unique = {(one.heard.data.portal, one.heard.data.application_id): one.heard.data for one in reversed(asked)}
    return [
        AcceptedApplication(
            portal=data.portal,
            application_id=data.application_id,
            accepted_at=data.accepted_at,
            remarks=to_json(data.remarks).decode(),
            form=to_json(data.application).decode(),
        )
        for data in unique.values()
    ]


def _step(means: Means, moved: tuple[Guarantee, Guarantee], application: Application, cause: Fact, work: Work) -> Step:
    """What follows from a guarantee having moved: key, certificate or paper order, and what is told of it."""
    before, after = moved
    tellings: list[Telling] = []
    version: NewVersion | None = None
    concluded_at = after.concluded_at
    if before.concluded_at is None and concluded_at is not None:
        first, signed = after.versions[0], None
        if after.certificate_form == "electronic":
            sealed, fingerprint = means.draw_auth_key(after.guarantee_number)
            after = replace(after, sealed_auth_key=sealed, auth_key_fingerprint=fingerprint)
            signed = means.sign(_content(means, after, application, concluded_at))
            tellings.append(telling_of_certificate(after, first, signed))
        else:
            tellings.append(telling_of_paper(after, first, application))
        version = NewVersion(after.guarantee_number, first, signed)
    after, message = status_change(before.status(today(work)), after, today(work), work.now)
    if message is not None:
        tellings.append(telling_of_status(after, message))
    return Step(after, application, tuple(tellings), version, cause)


def _content(means: Means, guarantee: Guarantee, application: Application, concluded_at: datetime) -> dict[str, object]:
    return certificate_content(
        guarantee.guarantee_number,
        application,
        application.line_of(guarantee.kind),
        guarantor=means.guarantor_name,
        concluded_at=concluded_at,
    )


async def _add_versions_and_tell(steps: Sequence[Step], work: Work) -> None:
    versions = [step.version for step in steps if step.version is not None]
    if versions:
        await taking_in.add_versions(work.connection, versions, work.now)
    for step in steps:
        for telling in step.tellings:
            tell(work, step.guarantee, telling, step.cause)


async def on_guarantee_concluded(means: Means, heard: Sequence[Heard[GuaranteeConcluded]], work: Work) -> None:
    """The core system concluded a guarantee: key and certificate, or the paper order."""

    def decide(guarantee: Guarantee, application: Application, data: GuaranteeConcluded) -> Outcome:
        if data.concluded_at.tzinfo is None:
            return Impossible("time_without_zone", "concluded_at has no offset; the moment is a guess")
        if data.concluded_at > work.now + CONCLUDED_AHEAD_MAX:
            return Impossible("concluded_in_the_future", "concluded_at lies ahead; the certificate would be refused")
        concluded_at = _to_the_millisecond(data.concluded_at)
        return conclude(guarantee, concluded_at, application.completion_mail, data.message_from_guarantor)

    await _decided_by_core(means, heard, work, decide)


async def on_guarantee_declined(means: Means, heard: Sequence[Heard[GuaranteeDeclined]], work: Work) -> None:
    """The core system declined a guarantee: there will be none."""

    def decide(guarantee: Guarantee, _: Application, data: GuaranteeDeclined) -> Outcome:
        return decline(guarantee, data.problems, data.message_from_guarantor)

    await _decided_by_core(means, heard, work, decide)


async def _decided_by_core(
    means: Means, heard: Sequence[Heard[D]], work: Work, decide: Callable[[Guarantee, Application, D], Outcome]
) -> None:
    before = await moving.by_line(work.connection, {_line_of(one.data) for one in heard})
    forms = await moving.forms(work.connection, before.values())
    after = dict(before)
    steps: list[Step] = []
    for one in heard:
        if len(one.fact.data) > DECISION_BYTES_MAX:
            put_by(work, one.fact, Impossible("decision_too_long", f"it is longer than {DECISION_BYTES_MAX} bytes"))
            continue
        guarantee = after.get(_line_of(one.data))
        if guarantee is None:
            put_by(work, one.fact, UNKNOWN_GUARANTEE)
            continue
        application = forms[guarantee.portal, guarantee.application_id]
        outcome = decide(guarantee, application, one.data)
        if isinstance(outcome, Guarantee):
            step = _step(means, (guarantee, outcome), application, one.fact, work)
            after[_line_of(one.data)] = step.guarantee
            steps.append(step)
        else:
            put_by(work, one.fact, outcome)
    await moving.save(work.connection, before, after)
    await _add_versions_and_tell(steps, work)


def _line_of(data: GuaranteeConcluded | GuaranteeDeclined) -> LineKey:
    return data.portal, data.application_id, data.kind
