"""Accepted changes become the next version of their guarantee, or are refused with every reason at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError
from pydantic_core import to_json

from services.issuer.domain.announcements import telling_of_refusal
from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.change import Asked, Change, changed_by, digest_of, is_visible_to
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee
from services.issuer.domain.interim import INTERIM
from services.issuer.domain.limits import LineNow, general_terms, remarks_on
from services.issuer.domain.particulars import particulars_of
from services.issuer.handlers.means import Means
from services.issuer.handlers.steps import Step, add_versions_and_tell, take_step
from services.issuer.handlers.telling import answer
from services.issuer.store import changing, moving
from services.issuer.store.changing import ApplicationKey, ChangeKey, Decided
from services.issuer.store.taking_in import NewVersion
from shared.delivery import Heard
from shared.logs import get_logger
from shared.messages.intake import ChangeAccepted, Terms
from shared.portals import OFFICE
from shared.problems import Problem
from shared.work import Work

logger = get_logger()


@dataclass(frozen=True, slots=True)
class _Heard:
    """One change that can be read."""

    heard: Heard[ChangeAccepted]
    change: Change
    digest: bytes

    @property
    def key(self) -> ChangeKey:
        """Whose change it is, and which."""
        return self.heard.data.portal, self.change.change_id


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a batch needs besides the guarantees, loaded once they are locked.

    Attributes:
        earlier: for interim guarantees, the advance payment before each.
        interim: for advance payments, the amounts of their interim guarantees; kept up while the batch goes on.
    """

    forms: Mapping[ApplicationKey, Application]
    terms: Mapping[ApplicationKey, Terms]
    lines: Mapping[ApplicationKey, Sequence[LineNow]]
    earlier: Mapping[str, str]
    interim: dict[str, dict[str, int]]


async def on_change_accepted(means: Means, heard: Sequence[Heard[ChangeAccepted]], work: Work) -> None:
    """Make the next version of each guarantee, or tell the portal why not; a change is decided once."""
    asked = _readable(heard, work)
    if not asked:
        return
    numbers = {one.change.guarantee_number for one in asked}
    earlier = await changing.earlier_numbers(work.connection, numbers)
    # Whatever touches an advance payment and its interim ones locks the advance payment, so that sums hold.
    before = await moving.by_number(work.connection, numbers | set(earlier.values()))
    known = await changing.decided(work.connection, {one.key for one in asked})
    beside = await _beside(before, earlier, work)
    after, steps, decided = dict(before), list[Step](), list[Decided]()
    for one in asked:
        if _is_known(one, known, work):
            continue
        known[one.key] = one.digest
        outcome = _decide(one, after, beside)
        if isinstance(outcome, Guarantee):
            made = _step(means, one, (after[outcome.guarantee_number], outcome), beside, work)
            after[outcome.guarantee_number] = made.guarantee
            steps.append(made)
        else:
            _refuse(one, outcome, work)
        decided.append(_decided(one, outcome))
    await moving.save(work, before, after)
    # A version of a paper certificate may have been followed by another one in the same batch.
    add_versions_and_tell([_as_it_is_now(made, after) for made in steps], work)
    if decided:
        work.write(changing.adding_changes(decided, work.now))


def _readable(heard: Sequence[Heard[ChangeAccepted]], work: Work) -> list[_Heard]:
    asked: list[_Heard] = []
    for one in heard:
        try:
            asked.append(_Heard(one, Change.model_validate(one.data.change), digest_of(one.data.change)))
        except ValidationError as error:
            # The values stay out of the reason: they may be personal, and the parked fact has them.
            places = {".".join(map(str, found["loc"])): found["type"] for found in error.errors(include_input=False)}
            work.park(one.fact, "invalid_change", f"the change cannot be read: {places}")
    return asked


async def _beside(before: Mapping[str, Guarantee], earlier: Mapping[str, str], work: Work) -> _Beside:
    applications = {(guarantee.portal, guarantee.application_id) for guarantee in before.values()}
    advances = {number for number, guarantee in before.items() if guarantee.kind == "advance_payment"}
    return _Beside(
        forms=await moving.forms(work.connection, before.values()),
        terms=await changing.terms(work.connection, applications),
        lines=await changing.lines(work.connection, applications),
        earlier=earlier,
        interim=await changing.interim_amounts(work.connection, advances | set(earlier.values())),
    )


def _is_known(one: _Heard, known: Mapping[ChangeKey, bytes], work: Work) -> bool:
    digest = known.get(one.key)
    if digest is None:
        return False
    if digest == one.digest:
        logger.info("change.repeated", correlation=one.heard.fact.correlation, change_id=one.change.change_id)
        return True
    _refuse(one, (problem(Code.CHANGE_ID_TAKEN, "/change_id"),), work, occurrence=one.digest.hex())
    return True


def _refuse(one: _Heard, problems: tuple[Problem, ...], work: Work, occurrence: str = "1") -> None:
    portal = one.heard.data.portal
    answer(work, portal, telling_of_refusal(portal, one.change, problems, work.now, occurrence), one.heard.fact)


def _decide(one: _Heard, guarantees: Mapping[str, Guarantee], beside: _Beside) -> Guarantee | tuple[Problem, ...]:
    portal, change = one.heard.data.portal, one.change
    guarantee, by_office = guarantees.get(change.guarantee_number), portal == OFFICE
    if guarantee is None or not is_visible_to(guarantee, portal, change, by_office=by_office):
        return changed_by(None, None)
    key = guarantee.portal, guarantee.application_id
    form = beside.forms[key]
    contract = form.contract
    asked = Asked(
        change=change,
        own=particulars_of(form, form.line_of(guarantee.kind)),
        terms=beside.terms.get(key) or general_terms(contract.obligee_code, contract.obligee_name),
        beside=_others(guarantee, guarantees, beside),
        portal=portal,
    )
    outcome = changed_by(guarantee, asked)
    if isinstance(outcome, Guarantee) and outcome.kind == INTERIM:
        beside.interim.setdefault(beside.earlier.get(outcome.guarantee_number, ""), {})[outcome.guarantee_number] = (
            outcome.amount_at_most
        )
    return outcome


def _others(guarantee: Guarantee, guarantees: Mapping[str, Guarantee], beside: _Beside) -> int:
    """What the other advance payments on the same contract secure: the sum of both is limited (rule 5)."""
    if guarantee.kind == INTERIM:
        number = beside.earlier.get(guarantee.guarantee_number, "")
        advance = guarantees.get(number)
        interim = beside.interim.get(number, {})
        others = sum(amount for name, amount in interim.items() if name != guarantee.guarantee_number)
        return others + (advance.amount_at_most if advance else 0)
    return sum(beside.interim.get(guarantee.guarantee_number, {}).values())


def _step(means: Means, one: _Heard, moved: tuple[Guarantee, Guarantee], beside: _Beside, work: Work) -> Step:
    _, after = moved
    key, number = (after.portal, after.application_id), after.guarantee_number
    form, latest = beside.forms[key], after.latest
    said = latest.particulars if latest else None
    lines = [
        replace(line, price=said.price, amount=said.amount) if said and line.guarantee_number == number else line
        for line in beside.lines[key]
    ]
    terms = beside.terms.get(key) or general_terms(form.contract.obligee_code, form.contract.obligee_name)
    remarks = remarks_on(number, lines, terms, low_bid=form.contract.low_bid)
    return take_step(means, moved, form, one.heard.fact, work, remarks=remarks)


def _decided(one: _Heard, outcome: Guarantee | tuple[Problem, ...]) -> Decided:
    made = outcome.latest if isinstance(outcome, Guarantee) else None
    return Decided(
        portal=one.heard.data.portal,
        change_id=one.change.change_id,
        guarantee_number=one.change.guarantee_number,
        version_kind=one.change.version_kind,
        content_sha256=one.digest,
        form=to_json(one.heard.data.change).decode(),
        accepted_at=one.heard.data.accepted_at,
        version=made.version if made else None,
        problems=() if isinstance(outcome, Guarantee) else outcome,
    )


def _as_it_is_now(made: Step, after: Mapping[str, Guarantee]) -> Step:
    new = made.version
    version = after[new.guarantee_number].version(new.version.version) if new else None
    return replace(made, version=NewVersion(new.guarantee_number, version, new.signed)) if new and version else made
