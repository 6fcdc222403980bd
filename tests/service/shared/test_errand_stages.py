"""A stage stops, asks, and starts again by itself; all processes agree, and no waiting row loses anything by it."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from shared import clock
from shared.errands import (
    Claimed,
    Later,
    OurFault,
    Outcome,
    Settled,
    Sign,
    breaker,
    stages,
)
from shared.errands.breaker import FAILURES_TO_OPEN, Breaker
from shared.errands.stages import Standing
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside, due, row
from tests.service.shared.weather import FAILING, SERVICE, SLOTS, edges, rows_where, stage_row, weather

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

pytestmark = pytest.mark.usefixtures("emptied", "quick_stages")


async def test_an_outside_that_keeps_failing_is_left_alone_by_all_and_called_again_by_itself(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    async with weather(stack) as both:
        both.away = FAILING
        await due(both.lives[0].desk(), *(row(f"{number:02}") for number in range(60)))
        await eventually(lambda: Breaker.CLOSED not in both.breakers())
        await eventually(lambda: both.rests() and Breaker.OPEN in both.breakers())
        called = set(both.outside.called)

        async def others_are_spared() -> bool:
            # What was fetched and not called is given back a moment after it was put out of hand.
            spared = "attempts = 0 and not unknown and due_at <= now() and lease_owner is null"
            return await rows_where(tables, spared) >= 60 - len(set(both.outside.called)) - 3

        await eventually(others_are_spared)
        stage = await stage_row(tables)

        # A probe is one row, and after each that fails the next comes later.
        await eventually(lambda: edges(logged).count("failed_probe") >= 3)
        steps = edges(logged)
        probed = len(both.outside.calls)

        both.away = None
        await eventually(lambda: len(both.outside.settled) == 60)
        await eventually(lambda: both.breakers() == {Breaker.CLOSED})
    healed = await stage_row(tables)

    assert FAILURES_TO_OPEN <= len(called) <= FAILURES_TO_OPEN + 4 * SLOTS
    assert (stage["cause"], stage["reason"]) == ("kept_failing", "reset")
    assert set(steps) == {"took_probe", "failed_probe"}
    assert probed <= FAILURES_TO_OPEN + 4 * SLOTS + steps.count("took_probe") + 2
    assert len(logged.heard("warning", "stage.moved")) == 1
    assert logged.heard("error", "stage.moved") == []
    assert [line["edge"] for line in logged.heard("info", "stage.moved")][-2:] == ["answered", "ramped_up"]
    assert (healed["breaker"], healed["failures"], healed["broken_since"]) == ("closed", 0, None)
    assert set(both.outside.settled.values()) == {1}


async def test_rows_that_waited_for_the_breaker_go_out_at_their_first_attempt(stack: Servers) -> None:
    async with weather(stack) as both:
        both.away = FAILING
        await due(both.lives[0].desk(), *(row(f"{number:02}") for number in range(40)))
        await eventually(lambda: both.rests() and Breaker.CLOSED not in both.breakers())
        before = set(both.outside.called)
        both.away = None
        await eventually(lambda: len(both.outside.settled) == 40)
    later = [one for one in both.outside.calls if one.key not in before]

    assert later
    assert all(one.attempts == 1 and not one.unknown_before for one in later)


async def test_one_row_that_always_fails_stops_nobody(stack: Servers, tables: "Tables") -> None:
    """Neither when it fails again and again alone, nor when it stands in front of all others after an outage."""
    async with weather(stack) as both:
        both.poison = frozenset({"00-poison"})
        await due(both.lives[0].desk(), row("00-poison"))
        await eventually(lambda: both.outside.called.count("00-poison") > 2 * FAILURES_TO_OPEN)
        alone = (await stage_row(tables))["breaker"]
        both.away = FAILING
        await due(both.lives[1].desk(), *(row(f"{number:02}") for number in range(1, 31)))
        await eventually(lambda: both.rests() and Breaker.CLOSED not in both.breakers())
        await tables.execute("update notifier.errand set due_at = now() - interval '1 hour' where key = '00-poison'")
        both.away = None
        await eventually(lambda: len(both.outside.settled) == 30)
        await eventually(lambda: both.breakers() == {Breaker.CLOSED})

    assert alone == "closed"


async def test_failures_of_one_process_count_nothing_while_another_succeeds(stack: Servers, logged: Ear) -> None:
    """What counts is what all processes saw: a bad line from one host is not an outside that is away."""
    good, bad = Outside(), Outside(otherwise=lambda claimed: Later("no route", after_s=60, sign=Sign.FAILING))
    async with AsyncExitStack() as lives:
        well = await lives.enter_async_context(living(stack, SERVICE, errands=[good.errand()]))
        cut_off = await lives.enter_async_context(living(stack, SERVICE, errands=[bad.errand()]))
        await eventually(lambda: all(one.runners[NAME].gate.is_open for one in (well, cut_off)))
        for number in range(3 * FAILURES_TO_OPEN):
            settled, failed = len(good.settled), len(bad.calls)
            while len(good.settled) == settled or len(bad.calls) == failed:
                await due(well.desk(), row(clock.new_uuid().hex))
                await due(cut_off.desk(), row(f"{number}-{clock.new_uuid().hex}"))
                await eventually(lambda: well.runners[NAME].in_hand == cut_off.runners[NAME].in_hand == 0)

    assert len(bad.calls) >= 3 * FAILURES_TO_OPEN
    assert logged.heard("warning", "stage.moved") == []


async def test_after_an_outage_calls_begin_few_at_once(
    stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (breaker, stages):
        monkeypatch.setattr(module, "RAMP_S", 3.0)
    in_flight: list[tuple[float, int]] = []

    def hang_after_the_first(claimed: Claimed) -> Outcome:
        both.outside.closed.clear()
        return Settled(claimed.key)

    async with weather(stack, slots=32) as both:
        real = both.outside.call

        async def call(claimed: Claimed) -> Outcome:
            if both.away is None:
                in_flight.append((clock.monotonic_s(), both.outside.calling.total()))
            return await real(claimed)

        for life in both.lives:
            object.__setattr__(life.runners[NAME].errand, "call", call)
        both.away = FAILING
        await due(both.lives[0].desk(), *(row(f"{number:03}") for number in range(300)))
        await eventually(lambda: both.rests() and Breaker.CLOSED not in both.breakers())
        await tables.execute("update notifier.stage set broken_since = now() - interval '1 hour'")
        both.outside.otherwise = hang_after_the_first
        both.away = None
        # From the first success on calls hang, so what is in flight is what was let begin.
        await eventually(lambda: both.outside.calling.total() == 2 * 32)
        both.outside.otherwise = None
        both.outside.closed.set()
        await eventually(lambda: len(both.outside.settled) == 300)
    probed_s, ramp = in_flight[0][0], in_flight[1:65]

    # One of each process at first, doubling five times in the three seconds.
    assert all(others < 2 * 32 * 2.0 ** (5 * min(0.0, (at_s - probed_s) / 3.0 - 1.0)) for at_s, others in ramp), ramp
    assert set(both.outside.settled.values()) == {1}


async def test_one_wish_of_the_outside_lets_every_row_of_every_process_wait(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    asked = Later("503", after_s=2.0, sign=Sign.WAIT)
    async with weather(stack) as both:
        both.outside.answers = {"first": [asked]}
        await due(both.lives[0].desk(), row("first"))
        await eventually(lambda: both.breakers() == {Breaker.WAITING})
        asked_s = clock.monotonic_s()
        await due(both.lives[0].desk(), *(row(f"a-{number}") for number in range(10)))
        await due(both.lives[1].desk(), *(row(f"b-{number}") for number in range(10)))
        stage = await stage_row(tables)
        shown = both.standings()
        await eventually(lambda: len(both.outside.calls) > 1)
        waited_s = clock.monotonic_s() - asked_s
        await eventually(lambda: len(both.outside.settled) == 21)
    waited = [one for one in both.outside.calls if one.key != "first"]

    assert 0 < stage["wait"].total_seconds() <= 2.0
    assert shown == {Standing.WAITING}
    assert waited_s > 1.5
    assert {one.attempts for one in waited} == {1}
    assert [line["edge"] for line in logged.heard("warning", "stage.moved")] == ["asked_to_wait"]


async def test_our_fault_stops_every_process_shouts_once_and_burns_nothing(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    def probes_taken() -> int:
        return [line["edge"] for line in logged.heard("info", "stage.moved")].count("took_probe")

    async with weather(stack) as both:
        both.away = OurFault("401")
        await due(both.lives[0].desk(), *(row(f"{number}") for number in range(40)))
        await eventually(lambda: both.rests() and both.standings() == {Standing.OUR_FAULT})
        at_closing, early_probes = len(both.outside.calls), probes_taken()
        await eventually(lambda: len(both.outside.calls) > at_closing + 1)
        await eventually(both.rests)
        probes = probes_taken()
        burnt = await rows_where(tables, "lease_owner is null and (attempts > 0 or unknown)")
        called = len(both.outside.calls)
        both.away = None
        await eventually(lambda: len(both.outside.settled) == 40)
        await due(both.lives[1].desk(), row("afterwards"))
        await eventually(lambda: "afterwards" in both.outside.settled)

    # On a slow machine the first probes go out before this test has looked.
    assert at_closing <= 2 * SLOTS + early_probes
    assert called - at_closing <= probes + SLOTS
    assert burnt == 0
    assert [line["reason"] for line in logged.heard("error", "stage.moved")] == ["401"]
    assert set(both.outside.settled.values()) == {1}
