"""What a stage permits at a moment, and how people see it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from shared.errands.breaker import RAMP_S, Breaker, Circuit, Edge, Step
from shared.errands.closing import Announced, weekly_hours
from shared.errands.stages import Pause, Shown, Stage, Standing, after, due_step, may_probe, permitted, shown

NOW: Final = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
"""Noon of a Thursday in Japan."""

SECOND: Final = timedelta(seconds=1)
SLOTS: Final = 32
WELL: Final = Stage("post", NOW)
OPEN: Final = replace(
    WELL, circuit=Circuit(Breaker.OPEN, 1), cause=Edge.KEPT_FAILING, since=NOW - SECOND, until=NOW + 9 * SECOND
)
PAUSED: Final = Pause(NOW - SECOND, "sato", "they asked")
CLOSING: Final = Announced(NOW - SECOND, NOW + 60 * SECOND)


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (WELL, Shown(Standing.CALLING)),
        (OPEN, Shown(Standing.FAILING, OPEN.since, OPEN.until)),
        (replace(OPEN, cause=Edge.WAS_OUR_FAULT), Shown(Standing.OUR_FAULT, OPEN.since, OPEN.until)),
        (replace(OPEN, circuit=Circuit(Breaker.WAITING)), Shown(Standing.WAITING, OPEN.since, OPEN.until)),
        (replace(OPEN, announced=[CLOSING]), Shown(Standing.CLOSED_HOURS, until=CLOSING.opens_at)),
        (replace(OPEN, announced=[CLOSING], pause=PAUSED), Shown(Standing.PAUSED, PAUSED.since)),
    ],
)
def test_a_stage_is_shown_with_what_stands_first_between_it_and_its_calls(stage: Stage, told: Shown) -> None:
    assert shown(stage, (), NOW) == told
    assert permitted(stage, (), SLOTS, NOW) == (SLOTS if stage is WELL else 0)


@pytest.mark.parametrize(
    "stage",
    [
        replace(WELL, circuit=Circuit(Breaker.RAMPING), changed_at=NOW),
        replace(WELL, resumed_at=NOW),
        replace(WELL, announced=[Announced(NOW - 60 * SECOND, NOW)]),
    ],
    ids=["after a probe", "after a pause", "after closing hours"],
)
def test_whatever_kept_a_stage_from_calling_it_begins_again_slowly(stage: Stage) -> None:
    assert permitted(stage, (), SLOTS, NOW) == 1
    assert 1 < permitted(stage, (), SLOTS, NOW + 3 * SECOND) < SLOTS
    assert permitted(stage, (), SLOTS, NOW + timedelta(seconds=RAMP_S)) == SLOTS
    assert shown(stage, (), NOW + SECOND).standing is Standing.RAMPING


def test_after_a_short_wait_the_ramp_is_as_short() -> None:
    stage = replace(WELL, circuit=Circuit(Breaker.RAMPING), since=NOW - SECOND, changed_at=NOW)
    long_away = replace(stage, since=NOW - 3_600 * SECOND)

    assert permitted(stage, (), SLOTS, NOW) == 1
    assert permitted(stage, (), SLOTS, NOW + SECOND) == SLOTS
    assert due_step(replace(stage, at=NOW + SECOND)) is not None
    assert permitted(long_away, (), SLOTS, NOW + SECOND) < SLOTS
    assert due_step(replace(long_away, at=NOW + SECOND)) is None


def test_nothing_is_probed_in_a_pause_or_in_closing_hours() -> None:
    due = replace(OPEN, until=NOW)

    assert may_probe(due, (), NOW)
    assert not may_probe(OPEN, (), NOW)
    assert not may_probe(WELL, (), NOW)
    assert not may_probe(replace(due, pause=PAUSED), (), NOW)
    assert not may_probe(due, weekly_hours("Thu 11:00-13:00"), NOW)


def test_a_stage_remembers_since_when_and_why_until_all_is_well() -> None:
    stage = after(WELL, Step(Circuit(Breaker.OPEN, 1), Edge.KEPT_FAILING, 4.0, "reset"))
    later = replace(stage, at=NOW + 9 * SECOND)
    probed = after(later, Step(Circuit(Breaker.OPEN, 2), Edge.FAILED_PROBE, 8.0, "no connection"))
    answered = after(later, Step(Circuit(Breaker.RAMPING, 2), Edge.ANSWERED))
    closed = after(later, Step(Circuit(), Edge.RAMPED_UP))

    assert (stage.since, stage.until, stage.reason) == (NOW, NOW + 4 * SECOND, "reset")
    assert (probed.since, probed.until, probed.reason) == (NOW, later.at + 8 * SECOND, "no connection")
    assert (answered.since, answered.until, answered.changed_at) == (NOW, None, later.at)
    assert (closed.since, closed.cause, closed.reason, closed.until) == (None, None, None, None)


def test_of_many_wishes_the_longest_counts() -> None:
    waiting = Circuit(Breaker.WAITING, 1)
    long = after(WELL, Step(waiting, Edge.ASKED_TO_WAIT, 60.0, "503"))
    short = after(long, Step(waiting, Edge.ASKED_TO_WAIT, 5.0, "503"))

    assert short.until == NOW + 60 * SECOND


def test_time_alone_ends_a_wait_and_a_ramp() -> None:
    waiting = replace(WELL, circuit=Circuit(Breaker.WAITING, 3), until=NOW)
    ramping = replace(WELL, circuit=Circuit(Breaker.RAMPING, 3), changed_at=NOW - timedelta(seconds=RAMP_S))
    waited, ramped_up = due_step(waiting), due_step(ramping)

    assert waited is not None
    assert waited.circuit == Circuit(Breaker.RAMPING, 3)
    assert ramped_up is not None
    assert ramped_up.circuit == Circuit()
    assert due_step(replace(waiting, until=NOW + SECOND)) is None
    assert due_step(replace(ramping, changed_at=NOW - SECOND)) is None
    assert due_step(WELL) is None
    assert due_step(OPEN) is None
