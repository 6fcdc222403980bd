"""変更, 訂正, 変更取消 and 解約: a change that intake accepted becomes the next version, or is refused (rule 12)."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.events import effect_of, with_version
from services.issuer.domain.form import MailWish
from services.issuer.domain.guarantee import Guarantee, Mail, Version
from services.issuer.domain.limits import Case, judged
from services.issuer.domain.names import TOKYO, VersionKind
from services.issuer.domain.particulars import Particulars, fiscal_year_of
from services.issuer.domain.states import STATUS_JA, GuaranteeState, Status, VersionState
from shared.messages.intake import Terms
from shared.problems import Problem

_NO_IDENTITY: Final = frozenset({"submitted_at"})
"""What may differ between two sendings of one change (contracts, section 2)."""

_CHANGEABLE: Final = ("price", "fiscal_year_amount", "amount", "works_until")
_NO_MAIL: Final = MailWish(wanted=False)


class Corrections(BaseModel):
    """What a 訂正 mends; only what was sent counts, and null is a value where there may be none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    contractor_name: str = ""
    jv_name: str | None = None
    project_name: str = ""
    contract_date: date = date.min
    works_from: date = date.min
    works_until: date = date.min
    price: int = 0
    fiscal_year_amount: int | None = None
    amount: int = 0
    depository: str = ""

    @property
    def sent(self) -> dict[str, Any]:
        """The fields that were sent, with their values."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Change(BaseModel):
    """A change as intake hands it over, in the shape of the published `change.json`; null means as before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    change_id: str
    submitted_at: AwareDatetime
    customer_number: str | None = None
    guarantee_number: str
    base_version: int
    version_kind: Literal[
        VersionKind.CHANGE, VersionKind.CORRECTION, VersionKind.CHANGE_CANCELLATION, VersionKind.TERMINATION
    ]
    contract_date: date | None = None
    price: int | None = None
    fiscal_year_amount: int | None = None
    amount: int | None = None
    works_until: date | None = None
    corrections: Corrections = Corrections()
    completion_mail: MailWish | None = None

    @property
    def sent(self) -> dict[str, Any]:
        """The values that were sent."""
        if self.version_kind is VersionKind.CORRECTION:
            return self.corrections.sent
        if self.version_kind is VersionKind.CHANGE:
            return {name: getattr(self, name) for name in _CHANGEABLE if getattr(self, name) is not None}
        return {}

    @property
    def pointers(self) -> dict[str, str]:
        """Field → its JSON Pointer, for each field that was sent."""
        below = "/corrections" if self.version_kind is VersionKind.CORRECTION else ""
        pointers = {name: f"{below}/{name}" for name in self.sent}
        if self.version_kind is VersionKind.CHANGE and self.contract_date is not None:
            pointers["contract_date"] = "/contract_date"
        return pointers


@dataclass(frozen=True, slots=True)
class Asked:
    """A change beside what it is about.

    Attributes:
        own: what the first version says.
        terms: the obligee's terms that stayed with the guarantee.
        beside: the guaranteed amounts of the other advance payments on the same contract (rule 5).
        portal: who asks.
    """

    change: Change
    own: Particulars
    terms: Terms
    beside: int
    portal: str


def digest_of(form: dict[str, Any]) -> bytes:
    """What tells two contents under one change id apart: SHA-256 of the form without the time of its sending."""
    content = {name: value for name, value in form.items() if name not in _NO_IDENTITY}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()


def is_visible_to(guarantee: Guarantee | None, portal: str, change: Change, *, by_office: bool) -> bool:
    """Whether whoever asks may know that this guarantee exists (rule 12: the same customer's, through its portal)."""
    if guarantee is None or by_office:
        return guarantee is not None
    return guarantee.portal == portal and guarantee.customer_number == change.customer_number


def changed_by(guarantee: Guarantee | None, asked: Asked | None) -> Guarantee | tuple[Problem, ...]:
    """The guarantee with its next version, or everything that stands against it.

    `asked` is None where there is no such guarantee, or none that whoever asks may know of; the two look the same.
    """
    if guarantee is None or asked is None:
        return (problem(Code.GUARANTEE_UNKNOWN, "/guarantee_number"),)
    change, latest = asked.change, guarantee.latest
    if guarantee.state is not GuaranteeState.ACTIVE or latest is None:
        return (_not_active(guarantee),)
    base = _base_of(guarantee, latest, change)
    before = base.particulars or asked.own
    after = _after(guarantee, asked, before)
    problems = (*_state(guarantee, latest, change), *_content(guarantee, asked, before, after))
    if problems:
        return problems
    created = Version(latest.version + 1, change.version_kind, VersionState.CREATED, Mail(), particulars=after)
    own_change = change.change_id if asked.portal == guarantee.portal else None
    created = replace(created, revocable=_revocable(guarantee, created), change_id=own_change)
    return with_version(replace(guarantee, problems=()), created, change.completion_mail or _NO_MAIL)


def _not_active(guarantee: Guarantee) -> Problem:
    if guarantee.state is GuaranteeState.TERMINATED:
        return problem(Code.GUARANTEE_TERMINATED, "/guarantee_number")
    status = Status(guarantee.state.value)
    return problem(Code.GUARANTEE_NOT_ACTIVE, "/guarantee_number", status=status, status_ja=STATUS_JA[status])


def _base_of(guarantee: Guarantee, latest: Version, change: Change) -> Version:
    """The version whose values are changed: the one in force, or the refused one that a 訂正 mends."""
    mends = change.version_kind is VersionKind.CORRECTION and latest.state is VersionState.REFUSED
    return latest if mends and _has_values(latest) else guarantee.in_force or latest


def _has_values(refused: Version) -> bool:
    return refused.kind not in (VersionKind.CHANGE_CANCELLATION, VersionKind.TERMINATION)


def _after(guarantee: Guarantee, asked: Asked, before: Particulars) -> Particulars:
    change = asked.change
    if change.version_kind is VersionKind.CHANGE_CANCELLATION:
        below = guarantee.below
        return before if below is None else below.particulars or asked.own
    sent = change.sent
    after = before.model_copy(update=sent)
    if after.fiscal_year_amount is None:
        return after.model_copy(update={"fiscal_year": None})
    if "fiscal_year_amount" in sent and (change.version_kind is VersionKind.CHANGE or before.fiscal_year is None):
        # This year's amount is that of the year in which it is told, as on an application.
        year = fiscal_year_of(change.submitted_at.astimezone(TOKYO).date())
        return after.model_copy(update={"fiscal_year": year})
    return after


def _state(guarantee: Guarantee, latest: Version, change: Change) -> Iterator[Problem]:
    """What the life of the guarantee has against it."""
    if latest.state is VersionState.IN_TRANSIT:
        yield problem(Code.CHANGE_IN_PROGRESS, "/guarantee_number")
    elif latest.state is VersionState.REFUSED and change.version_kind is not VersionKind.CORRECTION:
        yield problem(Code.REFUSED_VERSION_UNMENDED, "/guarantee_number")
    in_force = guarantee.in_force
    # Portals do not see a 変更取消, so what it brought back is as good a base as its own number.
    if change.base_version not in (latest.version, in_force.version if in_force else latest.version):
        current = (in_force or latest).version
        yield problem(Code.STALE_VERSION, "/base_version", base_version=change.base_version, version=current)
    if change.version_kind is VersionKind.CHANGE_CANCELLATION and not (in_force and in_force.revocable):
        yield problem(Code.NOTHING_TO_CANCEL, "/version_kind")


def _content(guarantee: Guarantee, asked: Asked, before: Particulars, after: Particulars) -> Iterator[Problem]:
    """What its values have against it; a 変更取消 or 解約 has none of its own."""
    change = asked.change
    if not change.sent and change.version_kind not in (VersionKind.CHANGE, VersionKind.CORRECTION):
        return
    latest = guarantee.latest
    mends = latest is not None and latest.state is VersionState.REFUSED
    if after == before and not (mends and change.version_kind is VersionKind.CORRECTION):
        yield problem(Code.CHANGES_NOTHING)
    yield from judged(
        Case(
            kind=guarantee.kind,
            certificate_form=guarantee.certificate_form,
            values=after,
            terms=asked.terms,
            sent=change.pointers,
            change_date=change.contract_date if change.version_kind is VersionKind.CHANGE else None,
            beside=asked.beside,
        )
    )


def _revocable(guarantee: Guarantee, created: Version) -> bool:
    effect = effect_of((*guarantee.versions, created), created)
    if effect is VersionKind.CORRECTION:
        return guarantee.in_force is not None and guarantee.in_force.revocable
    return effect is VersionKind.CHANGE
