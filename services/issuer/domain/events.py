"""What happens to a guarantee from its number to its end: each event gives the guarantee after it, or says why not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.form import MailWish
from services.issuer.domain.guarantee import Guarantee, Impossible, Mail, MailState, Outcome, Repeated, Version
from services.issuer.domain.names import VersionKind
from services.issuer.domain.states import (
    GUARANTEE_TRANSITIONS,
    VERSION_TRANSITIONS,
    GuaranteeEvent,
    GuaranteeState,
    VersionEvent,
    VersionState,
)
from shared.problems import Problem

_MENDABLE: Final = frozenset({VersionKind.NEW, VersionKind.CHANGE, VersionKind.CORRECTION})

_EVENT_OF_EFFECT: Final = {
    VersionKind.CHANGE: VersionEvent.SUPERSEDED,
    VersionKind.TERMINATION: VersionEvent.SUPERSEDED,
    VersionKind.CORRECTION: VersionEvent.CORRECTED,
    VersionKind.CHANGE_CANCELLATION: VersionEvent.CANCELLED,
}
"""What the arrival of a version is to the one that was in force."""


def number_given(guarantee: Guarantee) -> Guarantee:
    """The number is given when the line is taken in; from now on the guarantee waits for its conclusion."""
    return replace(guarantee, state=GUARANTEE_TRANSITIONS[guarantee.state, GuaranteeEvent.NUMBER_GIVEN])


def conclude(guarantee: Guarantee, concluded_at: datetime, wish: MailWish, message: str | None = None) -> Outcome:
    """引受 is approved: the guarantee is active and its first version is on its way, or ordered on paper."""
    state = GUARANTEE_TRANSITIONS.get((guarantee.state, GuaranteeEvent.CONCLUDED))
    if state is None:
        if guarantee.concluded_at is not None:
            return Repeated("it was concluded before")
        return Impossible("contradicts_decision", f"it cannot be concluded, for it is {guarantee.state}")
    concluded = replace(guarantee, state=state, concluded_at=concluded_at, message_from_guarantor=message)
    return with_version(concluded, Version(1, VersionKind.NEW, VersionState.CREATED, Mail()), wish)


def decline(guarantee: Guarantee, problems: tuple[Problem, ...], message: str | None) -> Outcome:
    """The guarantor does not give this guarantee."""
    state = GUARANTEE_TRANSITIONS.get((guarantee.state, GuaranteeEvent.DECLINED))
    if state is None:
        if guarantee.state is GuaranteeState.DECLINED:
            return Repeated("it was declined before")
        return Impossible("contradicts_decision", f"it cannot be declined, for it is {guarantee.state}")
    return replace(guarantee, state=state, problems=problems, message_from_guarantor=message)


def with_version(guarantee: Guarantee, created: Version, wish: MailWish) -> Guarantee:
    """The guarantee with a version more: on its way to the platform, or ordered and thereby in force on paper.

    A paper certificate gets no mail, whatever was wished for (domain rule 9).
    """
    if guarantee.certificate_form == "electronic":
        event, mail = VersionEvent.CERTIFICATE_ANNOUNCED, Mail(wish.wanted, wish.address)
    else:
        event, mail = VersionEvent.PAPER_ORDERED, Mail()
    sent = replace(created, state=VERSION_TRANSITIONS[created.state, event], mail=mail)
    grown = replace(guarantee, versions=(*guarantee.versions, sent))
    return _in_force_with(grown, sent) if sent.state is VersionState.ORDERED else grown


def arrive(guarantee: Guarantee, number: int, arrived_at: datetime, certificate_id: str) -> Outcome:
    """The platform holds this version. Its first arrival time is 電子保証発行日時 and stands for ever."""
    version = guarantee.version(number)
    if version is None:
        return unknown_version(number)
    if version.issued_at is not None:
        same = version.issued_at == arrived_at
        return Repeated("it arrived before" if same else "it arrived before, at another time; the first one stands")
    state = VERSION_TRANSITIONS.get((version.state, VersionEvent.CERTIFICATE_ARRIVED))
    if state is None:
        return _not_in_transit(version)
    mail = replace(version.mail, state=MailState.WAITING if version.mail.wanted else MailState.NONE, ordinal=1)
    arrived = replace(
        version, state=state, issued_at=arrived_at.astimezone(UTC), certificate_id=certificate_id, mail=mail
    )
    return replace(_in_force_with(with_changed(guarantee, arrived), arrived), problems=())


def refuse(guarantee: Guarantee, number: int, refused_at: datetime, refusal: str) -> Outcome:
    """The platform refused this version for good; the office mends it by a 訂正."""
    version = guarantee.version(number)
    if version is None:
        return unknown_version(number)
    if version.refused_at is not None:
        return Repeated("it was refused before")
    state = VERSION_TRANSITIONS.get((version.state, VersionEvent.CERTIFICATE_REFUSED))
    if state is None:
        return _not_in_transit(version)
    refused = replace(version, state=state, refused_at=refused_at, refusal=refusal)
    return replace(with_changed(guarantee, refused), problems=(problem(Code.REFUSED_BY_PLATFORM),))


def hold(guarantee: Guarantee, number: int, held_at: datetime, reason: str) -> Outcome:
    """The bridge tries nothing more with this version until a person has looked."""
    version = guarantee.version(number)
    if version is None:
        return unknown_version(number)
    if version.state is not VersionState.IN_TRANSIT:
        return Repeated(f"it is {version.state} by now")
    if version.held_at is not None and held_at <= version.held_at:
        return Repeated("a hold at least as late was heard before")
    return with_changed(guarantee, replace(version, held_at=held_at, hold_reason=reason))


def release(guarantee: Guarantee, number: int, released_at: datetime) -> Outcome:
    """A person has looked, and the version is being posted again; the news may overtake that of the hold."""
    version = guarantee.version(number)
    if version is None:
        return unknown_version(number)
    if version.state is not VersionState.IN_TRANSIT:
        return Repeated(f"it is {version.state} by now")
    if version.released_at is not None and released_at <= version.released_at:
        return Repeated("a release at least as late was heard before")
    return with_changed(guarantee, replace(version, released_at=released_at))


def effect_of(versions: Sequence[Version], version: Version) -> VersionKind:
    """As what a version takes effect: as its own kind, or as the kind of the refused version that it mends.

    The 訂正 of a refused 変更 *is* that change when it arrives. A refused 変更取消 or 解約 has no values to mend,
    so its 訂正 corrects what is in force, and the office sends the 変更取消 or 解約 anew.
    """
    below = versions[version.version - 2] if version.version > 1 else None
    mends = version.kind is VersionKind.CORRECTION and below is not None and below.refused_at is not None
    return effect_of(versions, below) if below and mends and below.kind in _MENDABLE else version.kind


def _in_force_with(guarantee: Guarantee, arrived: Version) -> Guarantee:
    """The guarantee once a version has arrived or was ordered: what that does to the versions before it, and to it."""
    effect = effect_of(guarantee.versions, arrived)
    earlier = guarantee.versions[: arrived.version - 1]
    top = next((version for version in reversed(earlier) if version.stands), None)
    moved = tuple(_moved(version, version is top, effect) for version in earlier)
    versions = (*moved, *guarantee.versions[arrived.version - 1 :])
    state = guarantee.state
    if effect is VersionKind.TERMINATION:
        state = GUARANTEE_TRANSITIONS[state, GuaranteeEvent.TERMINATION_ARRIVED]
    said = arrived.particulars
    if said is None:
        return replace(guarantee, state=state, versions=versions)
    return replace(
        guarantee,
        state=state,
        versions=versions,
        contractor_name=said.contractor_name,
        obligee_name=said.obligee_name,
        project_name=said.project_name,
        price=said.price,
        amount=said.amount,
        guarantee_until=said.guarantee_until,
    )


def _moved(version: Version, is_top: bool, effect: VersionKind) -> Version:
    event = VersionEvent.SUPERSEDED
    if version.state is VersionState.REFUSED:
        # Only a 訂正 follows a refused version, so whatever arrives after one has mended it.
        event = VersionEvent.CORRECTED
    elif is_top:
        event = _EVENT_OF_EFFECT[effect]
    # What was superseded before and is not in force stays as it is; the table has no edge for it.
    return replace(version, state=VERSION_TRANSITIONS.get((version.state, event), version.state))


def with_changed(guarantee: Guarantee, changed: Version) -> Guarantee:
    """The guarantee with one of its versions replaced."""
    versions = tuple(changed if version.version == changed.version else version for version in guarantee.versions)
    return replace(guarantee, versions=versions)


def unknown_version(number: int) -> Impossible:
    """What is told of a version that was never made."""
    return Impossible("unknown_version", f"the guarantee has no version {number}")


def _not_in_transit(version: Version) -> Impossible:
    return Impossible("version_not_in_transit", f"version {version.version} is {version.state}, not on its way")
