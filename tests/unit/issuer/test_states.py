"""The two life cycles and 手続状況."""

from datetime import date, timedelta

import pytest

from services.issuer.domain.states import (
    GUARANTEE_TRANSITIONS,
    STATUS_JA,
    VERSION_TRANSITIONS,
    GuaranteeEvent,
    GuaranteeState,
    Status,
    VersionEvent,
    VersionState,
    status_of,
)
from tests.unit.issuer.samples import TODAY

UNTIL = date(2026, 12, 25)


def test_every_state_of_a_guarantee_is_reached_by_its_events() -> None:
    assert set(GUARANTEE_TRANSITIONS.values()) | {GuaranteeState.REQUESTED} == set(GuaranteeState)
    assert {event for _, event in GUARANTEE_TRANSITIONS} == set(GuaranteeEvent)


def test_every_state_of_a_version_is_reached_by_its_events() -> None:
    assert set(VERSION_TRANSITIONS.values()) | {VersionState.CREATED} == set(VersionState)
    assert {event for _, event in VERSION_TRANSITIONS} == set(VersionEvent)


def test_an_arrived_version_never_travels_again_and_a_refused_one_is_only_corrected() -> None:
    def after(state: VersionState) -> set[VersionState]:
        return {target for (source, _), target in VERSION_TRANSITIONS.items() if source is state}

    assert after(VersionState.ARRIVED) == {VersionState.SUPERSEDED, VersionState.CORRECTED, VersionState.CANCELLED}
    assert after(VersionState.REFUSED) == {VersionState.CORRECTED}


@pytest.mark.parametrize(
    ("state", "latest", "status"),
    [
        (GuaranteeState.REQUESTED, None, Status.REQUESTED),
        (GuaranteeState.AWAITING_CONCLUSION, None, Status.AWAITING_CONCLUSION),
        (GuaranteeState.DECLINED, None, Status.DECLINED),
        (GuaranteeState.ACTIVE, VersionState.CREATED, Status.IN_TRANSIT),
        (GuaranteeState.ACTIVE, VersionState.IN_TRANSIT, Status.IN_TRANSIT),
        (GuaranteeState.ACTIVE, VersionState.ARRIVED, Status.ACTIVE),
        (GuaranteeState.ACTIVE, VersionState.REFUSED, Status.REFUSED_BY_PLATFORM),
        (GuaranteeState.ACTIVE, VersionState.ORDERED, Status.PAPER_ORDERED),
        (GuaranteeState.ACTIVE, VersionState.CANCELLED, Status.ACTIVE),
        (GuaranteeState.TERMINATED, VersionState.ARRIVED, Status.TERMINATED),
    ],
)
def test_the_status_follows_from_guarantee_and_latest_version(
    state: GuaranteeState, latest: VersionState | None, status: Status
) -> None:
    assert status_of(state, latest, UNTIL, TODAY) is status


@pytest.mark.parametrize("state", GuaranteeState)
@pytest.mark.parametrize("latest", [None, *VersionState])
def test_every_pair_of_states_has_a_status_and_every_status_a_label(
    state: GuaranteeState, latest: VersionState | None
) -> None:
    assert STATUS_JA[status_of(state, latest, UNTIL, TODAY)]
    assert set(STATUS_JA) == set(Status)


def test_a_guarantee_expires_on_the_day_after_its_last() -> None:
    def shown(state: VersionState, day: date) -> Status:
        return status_of(GuaranteeState.ACTIVE, state, UNTIL, day)

    assert shown(VersionState.ARRIVED, UNTIL) is Status.ACTIVE
    assert shown(VersionState.ARRIVED, UNTIL + timedelta(days=1)) is Status.EXPIRED
    assert shown(VersionState.ORDERED, UNTIL + timedelta(days=1)) is Status.EXPIRED


def test_what_is_still_on_its_way_or_refused_does_not_look_finished_after_the_last_day() -> None:
    late = UNTIL + timedelta(days=1)

    assert status_of(GuaranteeState.ACTIVE, VersionState.IN_TRANSIT, UNTIL, late) is Status.IN_TRANSIT
    assert status_of(GuaranteeState.ACTIVE, VersionState.REFUSED, UNTIL, late) is Status.REFUSED_BY_PLATFORM
    assert status_of(GuaranteeState.TERMINATED, VersionState.ARRIVED, UNTIL, late) is Status.TERMINATED
