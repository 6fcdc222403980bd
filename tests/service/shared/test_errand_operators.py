"""What operators do to stages and rows: each act is whole, and of two who press at once one wins."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared import clock
from shared.errands import (
    Claimed,
    Hold,
    Later,
    Outcome,
    Settled,
    Sign,
    due_store,
    operators,
    runner,
    store,
)
from shared.errands.breaker import Breaker
from shared.errands.due_store import Which
from shared.errands.operators import Told
from shared.errands.stages import Standing
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, due, row
from tests.service.shared.shift import Shift, shift

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, logged: Ear) -> None:
    """Sweeps in tenths of seconds; what operators do is logged for the test."""
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.1)
    monkeypatch.setattr(operators, "logger", logged)


async def test_a_paused_stage_is_not_called_until_it_is_resumed_and_the_slower_operator_is_told(
    stack: Servers, logged: Ear
) -> None:
    async with shift(stack) as one:
        pauses = await asyncio.gather(
            *(one.act(operators.pause, by=by, reason=f"{by} was asked to") for by in ("sato", "suzuki"))
        )
        winner = next(act for act in pauses if act.told is Told.DONE)
        loser = next(act for act in pauses if act.told is not Told.DONE)
        await eventually(lambda: one.life.stages()[NAME]["standing"] == Standing.PAUSED)
        await due(one.life.desk(), *(row(f"{number}") for number in range(20)))
        waiting = await eventually(lambda: _due_all(one, 20))
        called = len(one.outside.calls)
        ends = await asyncio.gather(*(one.act(operators.resume, reason="they are done") for _ in range(2)))
        await eventually(lambda: len(one.outside.settled) == 20)

    assert loser.told is Told.PAUSED_ALREADY
    assert loser.stage.pause == winner.stage.pause
    assert (called, waiting) == (0, True)
    assert sorted(act.told for act in ends) == [Told.DONE, Told.NOT_PAUSED]
    assert {one_call.attempts for one_call in one.outside.calls} == {1}
    assert len(logged.heard("info", "stage.paused")) == 1


async def _due_all(one: Shift, count: int) -> bool:
    return (await one.counts()).due == count


async def test_in_announced_hours_nothing_is_called_and_rows_wait_as_they_are(stack: Servers) -> None:
    async with shift(stack) as one:
        now = clock.now()
        hours = {"closes_at": now - timedelta(seconds=1), "opens_at": now + timedelta(hours=1)}
        announced = await one.act(operators.announce_closing, **hours, reason="maintenance")
        again = await one.act(operators.announce_closing, **hours, reason="the same")
        await eventually(lambda: one.life.stages()[NAME]["standing"] == Standing.CLOSED_HOURS)
        told = one.life.stages()[NAME]
        await due(one.life.desk(), *(row(f"{number}") for number in range(10)))
        await eventually(lambda: _due_all(one, 10))
        called = len(one.outside.calls)
        untouched = {(each.attempts, each.unknown) for each in await one.rows(Which.DUE)}
        withdrawn = await one.act(operators.withdraw_closing, closes_at=hours["closes_at"], reason="done early")
        over = await one.act(operators.withdraw_closing, closes_at=hours["closes_at"], reason="done early")
        await eventually(lambda: len(one.outside.settled) == 10)

    assert [act.told for act in (announced, again)] == [Told.DONE, Told.ANNOUNCED_ALREADY]
    assert datetime.fromisoformat(told["until"]) == hours["opens_at"]
    assert (called, untouched) == (0, {(0, False)})
    assert [act.told for act in (withdrawn, over)] == [Told.DONE, Told.OVER_ALREADY]


async def test_hours_that_lie_ahead_close_the_stage_when_they_come(stack: Servers) -> None:
    async with shift(stack) as one:
        begins = clock.now() + timedelta(seconds=1.5)
        hours = {"closes_at": begins, "opens_at": begins + timedelta(seconds=1.5)}
        await one.act(operators.announce_closing, **hours, reason="maintenance")
        await due(one.life.desk(), row("before"))
        await eventually(lambda: "before" in one.outside.settled)
        await eventually(lambda: one.life.stages()[NAME]["standing"] == Standing.CLOSED_HOURS)
        await due(one.life.desk(), row("within"))
        await eventually(lambda: "within" in one.outside.settled)
        ended = clock.now()

    assert ended >= hours["opens_at"]


async def test_a_stopped_stage_is_probed_at_once_when_an_operator_says_so(stack: Servers) -> None:
    async with shift(stack) as one:
        idle = await one.act(operators.probe_now, reason="curious")
        one.outside.otherwise = lambda claimed: Later("503", after_s=600, sign=Sign.WAIT)
        await due(one.life.desk(), row("1"), row("2"))
        await eventually(lambda: one.life.stages()[NAME]["standing"] == Standing.WAITING)
        await eventually(lambda: one.life.runners[NAME].in_hand == 0)
        one.outside.otherwise = None
        asked = await one.act(operators.probe_now, reason="they called")
        await due(one.life.desk(), row("3"))
        await eventually(lambda: "3" in one.outside.settled)
        stage, _ = await operators.look(one.life.pool, one.errand)

    assert idle.told is Told.NOT_STOPPED
    assert asked.told is Told.DONE
    assert stage.circuit.breaker in (Breaker.RAMPING, Breaker.CLOSED)


async def test_a_row_is_held_released_and_held_again_and_each_time_told_under_its_own_number(
    stack: Servers, tables: "Tables"
) -> None:
    async with shift(stack, answers={"1": [Hold("odd"), Hold("odd again")]}) as one:
        await due(one.life.desk(), row("1"))
        await eventually(lambda: one.told)
        await eventually(lambda: one.life.runners[NAME].in_hand == 0)
        seen = await one.rows(Which.HELD)
        one.outside.closed.clear()
        acts = await asyncio.gather(*(one.act(operators.release, "1", reason="looked") for _ in range(2)))
        one.outside.closed.set()
        await eventually(lambda: len(one.told) == 3)
        await eventually(lambda: one.life.runners[NAME].in_hand == 0)
        await one.act(operators.release, "1", reason="looked again")
        await eventually(lambda: one.outside.settled == {"1": 1})
        await eventually(lambda: one.life.runners[NAME].in_hand == 0)
        after = [await one.act(act, "1", reason="too late") for act in (operators.hold, operators.release)]
        unknown = await one.act(operators.release, "nobody", reason="a typing error")

    assert [(each.key, each.last_error, each.holds, each.held_by) for each in seen] == [("1", "odd", 1, None)]
    assert [act.told for act in acts].count(Told.DONE) == 1
    assert one.told == [
        ("held", "1", 1, "odd"),
        ("released", "1", 1, "looked"),
        ("held", "1", 2, "odd again"),
        ("released", "1", 2, "looked again"),
    ]
    assert [act.told for act in after] == [Told.SETTLED_ALREADY] * 2
    assert (unknown.told, unknown.row) == (Told.NO_SUCH_ROW, None)


async def test_an_operator_holds_what_waits_but_not_what_is_being_called(stack: Servers) -> None:
    async with shift(stack, answers={"waits": [Later("busy", after_s=3_000)]}) as one:
        await due(one.life.desk(), row("waits"))
        await eventually(lambda: _waits(one))
        one.outside.closed.clear()
        await due(one.life.desk(), row("called"))
        await eventually(lambda: "called" in one.outside.called)
        refused = await one.act(operators.hold, "called", reason="stop it")
        hastened_too_early = await one.act(operators.try_now, "called")
        holds = await asyncio.gather(
            *(one.act(operators.hold, "waits", by=by, reason=f"{by} says so") for by in ("sato", "suzuki"))
        )
        not_now = await one.act(operators.try_now, "waits")
        (held,) = await one.rows(Which.HELD)
        counts = await one.counts()
        one.outside.closed.set()
        await one.act(operators.release, "waits", reason="go on")
        await eventually(lambda: set(one.outside.settled) == {"called", "waits"})

    winner = next(act for act in holds if act.told is Told.DONE)
    assert sorted(act.told for act in holds) == [Told.DONE, Told.HELD_ALREADY]
    assert held == winner.row
    assert held.last_error == f"{held.held_by} says so"
    assert (refused.told, hastened_too_early.told) == (Told.BEING_CALLED, Told.BEING_CALLED)
    assert not_now.told is Told.HELD_ALREADY
    assert (counts.due, counts.calling, counts.waiting, counts.held) == (0, 1, 0, 1)
    assert counts.oldest_at == held.created_at


async def _waits(one: Shift) -> bool:
    return bool(await one.rows(Which.WAITING))


async def test_a_waiting_row_is_called_now_when_an_operator_says_so(stack: Servers) -> None:
    async with shift(stack, answers={"1": [Later("busy", after_s=3_000)]}) as one:
        await due(one.life.desk(), row("1"))
        await eventually(lambda: _waits(one))
        acts = await asyncio.gather(*(one.act(operators.try_now, "1") for _ in range(2)))
        await eventually(lambda: "1" in one.outside.settled)

    assert [act.told for act in acts].count(Told.DONE) == 1


async def test_whoever_waited_for_the_other_operators_commit_is_told(stack: Servers) -> None:
    """Their transaction is the older one, so by its own clock the row would still wait."""
    async with shift(stack, answers={"1": [Later("busy", after_s=3_000)]}) as one:
        await due(one.life.desk(), row("1"))
        await eventually(lambda: _waits(one))
        await one.act(operators.pause, reason="so that the row stays due")
        async with one.life.pool.acquire() as slower, slower.transaction():
            await slower.fetchval("select now()")
            faster = await one.act(operators.try_now, "1")
            done_again = await due_store.try_now(slower, NAME, "1")

    assert faster.told is Told.DONE
    assert not done_again


async def test_rows_are_read_page_by_page_in_the_order_in_which_they_are_due_without_what_calls_need(
    stack: Servers, tables: "Tables"
) -> None:
    def answer(claimed: Claimed) -> Outcome:
        return Settled("x") if claimed.key == "good" else Later("busy", after_s=1_000 + 10 * int(claimed.key))

    async with shift(stack, otherwise=answer) as one:
        await due(one.life.desk(), row("good"), *(row(f"{number}") for number in range(9)))
        await eventually(lambda: _waiting(one, 9))
        first = await one.rows(Which.WAITING, limit=4)
        second = await one.rows(Which.WAITING, limit=9, after=(first[-1].due_at, first[-1].key))
        backwards = await one.rows(Which.WAITING, newest_first=True, limit=2)

    assert [each.key for each in [*first, *second]] == [f"{number}" for number in range(9)]
    assert [each.key for each in backwards] == ["8", "7"]
    assert not any(hasattr(each, "payload") for each in first)


async def _waiting(one: Shift, count: int) -> bool:
    return (await one.counts()).waiting == count


async def test_what_operators_and_claims_ask_is_answered_from_indexes(stack: Servers, tables: "Tables") -> None:
    """With so many rows a look at each would take seconds: a claim looks only at as many as it takes.

    What a probe sorts is the few that it chooses from.
    """
    await tables.execute("set search_path = notifier")
    fill = """
        insert into errand (errand, key, turn_of, turn, payload, correlation, state, due_at, settled_at)
        select $1, $2 || n, 'p', n, '', 'c', $2, now() - interval '1 hour' + n * interval '1 ms',
               case when $2 = 'settled' then now() end
          from generate_series(1, 30000) n
    """
    for state in ("due", "settled", "held"):
        await tables.execute(fill, NAME, state)
    await tables.execute("analyze errand")
    plans = {
        "claim": await _plan(tables, store._CLAIM_BY_TURN, NAME, 1, 60.0, 64, []),
        "probe": await _plan(tables, store._CLAIM_PROBE, NAME, 1, 60.0, store.PROBE_CANDIDATES),
    }
    for which in (Which.DUE, Which.HELD):
        plans[which] = await _plan(tables, due_store._LISTS[which, False], NAME, None, "", 50)

    for name, plan in plans.items():
        assert "Seq Scan" not in plan, f"{name}: {plan}"
        assert plan.count("Sort Key") == (name == "probe"), f"{name}: {plan}"


async def _plan(tables: "Tables", query: str, *values: Any) -> str:
    return "\n".join(line[0] for line in await tables.fetch(f"explain {query}", *values))
