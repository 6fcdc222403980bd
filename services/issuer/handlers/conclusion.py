"""Accepted applications become guarantees; concluded guarantees get their key and their first certificate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from services.issuer.domain.events import conclude, decline, number_given
from services.issuer.domain.form import Application, Line, application_of
from services.issuer.domain.guarantee import UNKNOWN_GUARANTEE, Guarantee, Impossible, Outcome, requested
from services.issuer.domain.interim import INTERIM, interim_problems
from services.issuer.domain.limits import general_terms
from services.issuer.domain.names import guarantee_number_of
from services.issuer.domain.states import Conclusion
from services.issuer.handlers.means import Means
from services.issuer.handlers.steps import Step, add_versions_and_tell, take_step, to_the_millisecond
from services.issuer.handlers.telling import put_by
from services.issuer.store import changing, moving, taking_in
from services.issuer.store.moving import LineKey
from services.issuer.store.taking_in import AcceptedApplication
from shared.delivery import Heard
from shared.logs import get_logger
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import ApplicationAccepted
from shared.problems import Problem
from shared.work import Work

logger = get_logger()

D = TypeVar("D", GuaranteeConcluded, GuaranteeDeclined)

DECISION_BYTES_MAX: Final = 65_536
"""A decision of the core system is told to the portal with its texts, in one message that a broker must take."""

CONCLUDED_AHEAD_MAX: Final = timedelta(minutes=5)
"""How far the core system's clock may run before ours."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One line of an accepted application."""

    heard: Heard[ApplicationAccepted]
    application: Application
    line: Line

    @property
    def key(self) -> LineKey:
        """What it is one of."""
        return self.heard.data.portal, self.heard.data.application_id, self.line.kind


async def on_application_accepted(means: Means, heard: Sequence[Heard[ApplicationAccepted]], work: Work) -> None:
    """Take every line in under a number of its own; conclude it at once unless the core system is to.

    An interim advance payment that its earlier guarantee speaks against is declined at once, with every reason.
    """
    asked = _readable(heard, work)
    if not asked:
        return
    declined = await _declined(asked, work)
    serials = await taking_in.take_serials(work.connection, len(asked))
    steps = [
        _taken_in(means, one, guarantee_number_of(serial), declined.get(one.key, ()), work)
        for one, serial in zip(asked, serials, strict=True)
    ]
    work.write(taking_in.adding_applications(_applications(asked)))
    guarantees = [(step.guarantee, step.application) for step in steps]
    fresh = await work.fresh(
        taking_in.adding_guarantees(guarantees, work.now), [step.guarantee.guarantee_number for step in steps]
    )
    new = [step for step in steps if step.guarantee.guarantee_number in fresh]
    add_versions_and_tell(new, work)
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


async def _declined(asked: Sequence[_Asked], work: Work) -> dict[LineKey, tuple[Problem, ...]]:
    """What stands against the interim lines, for which the guarantee before them had to be looked at (rule 5).

    Everything that touches one advance payment and its interim ones locks the advance payment first.
    """
    interim = [(one, one.line.earlier_guarantee_number or "") for one in asked if one.line.kind == INTERIM]
    if not interim:
        return {}
    work.look()
    named = {number for _, number in interim}
    earlier = await moving.by_number(work.connection, named)
    taken = await changing.interim_amounts(work.connection, named)
    known = await moving.by_line(work.connection, {one.key for one, _ in interim})
    found: dict[LineKey, tuple[Problem, ...]] = {}
    for one, number in interim:
        if one.key in known:
            # A repeat counts itself among the others; it is not taken in again whatever is found.
            continue
        contract, others = one.application.contract, taken.setdefault(number, {})
        terms = one.heard.data.terms or general_terms(contract.obligee_code, contract.obligee_name)
        problems = interim_problems(one.application, earlier.get(number), sum(others.values()), terms)
        if problems:
            found[one.key] = problems
        else:
            others["/".join(one.key)] = one.line.amount
    return found


def _taken_in(means: Means, asked: _Asked, guarantee_number: str, problems: tuple[Problem, ...], work: Work) -> Step:
    data = asked.heard.data
    new = requested(guarantee_number, data.portal, data.application_id, asked.application, asked.line)
    outcome: Outcome = number_given(new)
    if problems:
        outcome = decline(number_given(new), problems, None)
    elif means.conclusion is Conclusion.AUTOMATIC:
        outcome = conclude(number_given(new), to_the_millisecond(work.now), asked.application.completion_mail)
    if not isinstance(outcome, Guarantee):
        raise TypeError(f"a guarantee that was just taken in can be concluded or declined: {outcome.reason}")
    return take_step(means, (new, outcome), asked.application, asked.heard.fact, work)


def _applications(asked: Sequence[_Asked]) -> list[AcceptedApplication]:
    unique = {(one.heard.data.portal, one.heard.data.application_id): one.heard.data for one in reversed(asked)}
    return [
        AcceptedApplication(
            portal=data.portal,
            application_id=data.application_id,
            accepted_at=data.accepted_at,
            remarks=to_json(data.remarks).decode(),
            form=to_json(data.application).decode(),
            terms=None if data.terms is None else to_json(data.terms).decode(),
        )
        for data in unique.values()
    ]


async def on_guarantee_concluded(means: Means, heard: Sequence[Heard[GuaranteeConcluded]], work: Work) -> None:
    """The core system concluded a guarantee: key and certificate, or the paper order."""

    def decide(guarantee: Guarantee, application: Application, data: GuaranteeConcluded) -> Outcome:
        if data.concluded_at.tzinfo is None:
            return Impossible("time_without_zone", "concluded_at has no offset; the moment is a guess")
        if data.concluded_at > work.now + CONCLUDED_AHEAD_MAX:
            return Impossible("concluded_in_the_future", "concluded_at lies ahead; the certificate would be refused")
        concluded_at = to_the_millisecond(data.concluded_at)
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
            step = take_step(means, (guarantee, outcome), application, one.fact, work)
            after[_line_of(one.data)] = step.guarantee
            steps.append(step)
        else:
            put_by(work, one.fact, outcome)
    await moving.save(work, before, after)
    add_versions_and_tell(steps, work)


def _line_of(data: GuaranteeConcluded | GuaranteeDeclined) -> LineKey:
    return data.portal, data.application_id, data.kind
