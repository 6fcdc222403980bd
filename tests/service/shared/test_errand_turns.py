"""Whose row is called next: by turn between portals, in order within a key, and by one process at a time."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from shared.errands import Claimed, Hold, Later, Outcome, Settled, backoff, runner, store
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside, due, row
from tests.service.shared.wire import wire

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

SERVICE = "notifier"

pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off and sweeps in tenths of seconds."""
    monkeypatch.setattr(backoff, "BACKOFF_S_MIN", 0.02)
    monkeypatch.setattr(backoff, "BACKOFF_S_MAX", 0.05)
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.1)


async def test_a_version_is_never_called_before_the_one_before_it_is_settled(stack: Servers) -> None:
    """Heard in any order, retried, in two processes."""
    early: list[str] = []

    def judge(claimed: Claimed) -> Outcome:
        guarantee, _, version = claimed.key.partition("/")
        if version != "1" and f"{guarantee}/{int(version) - 1}" not in {key for key, _ in outside.recorded}:
            early.append(claimed.key)
        return Later("once more") if claimed.attempts == 1 and version == "2" else Settled(claimed.key)

    outside = Outside(otherwise=judge)
    keys = [f"{guarantee}/{version}" for guarantee in range(6) for version in (3, 1, 2)]
    async with AsyncExitStack() as lives:
        first = await lives.enter_async_context(living(stack, SERVICE, errands=[outside.errand(slots=8)]))
        await lives.enter_async_context(living(stack, SERVICE, errands=[outside.errand(slots=8)]))
        for key in keys:
            await due(first.desk(), row(key, order=int(key[-1])))
        await eventually(lambda: len(outside.settled) == len(keys))
    assert early == []
    assert set(outside.settled.values()) == {1}
    assert outside.one_row_at_once == 1


async def test_a_version_waits_as_long_as_the_one_before_it_is_held(stack: Servers, tables: "Tables") -> None:
    outside = Outside(answers={"g/1": [Hold("a person must look")]})
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("g/2", order=2), row("g/1", order=1), row("h/1", order=1))
        await eventually(lambda: "h/1" in outside.settled)
        await eventually(lambda: _is(tables, "g/1", "held"))
        await due(living_.desk(), row("i/1", order=1))
        await eventually(lambda: "i/1" in outside.settled)
        assert "g/2" not in outside.called

        await tables.execute("update notifier.errand set state = 'due' where key = 'g/1'")
        await eventually(lambda: "g/2" in outside.settled)
    assert outside.called.index("g/2") > outside.called.index("g/1")


async def _is(tables: "Tables", key: str, state: str) -> bool:
    return bool(await tables.fetchval("select state from notifier.errand where key = $1", key) == state)


async def test_a_quiet_portal_does_not_wait_behind_a_flood(stack: Servers) -> None:
    outside = Outside()
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand(slots=2)]) as living_:
        await due(living_.desk(), *(row(f"a-{number:04}", "portal-a") for number in range(120)))
        await due(living_.desk(), *(row(f"b-{number}", "portal-b") for number in range(3)))
        outside.closed.set()
        await eventually(lambda: len(outside.settled) == 123)
    places = [place for place, key in enumerate(outside.called) if key.startswith("b")]
    assert max(places) < 20, places


async def test_a_flood_that_never_ends_does_not_starve_a_quiet_portal(stack: Servers) -> None:
    outside = Outside()
    enough = asyncio.Event()

    async def flood() -> None:
        number = 0
        while not enough.is_set():
            await due(living_.desk(), *(row(f"a-{number + more:05}", "portal-a") for more in range(8)))
            number += 8

    async with living(stack, SERVICE, errands=[outside.errand(slots=2)]) as living_:
        flooding = asyncio.create_task(flood())
        try:
            await eventually(lambda: len(outside.calls) > 50)
            await due(living_.desk(), *(row(f"b-{number}", "portal-b") for number in range(3)))
            told = len(outside.calls)
            await eventually(lambda: {"b-0", "b-1", "b-2"} <= set(outside.settled))
        finally:
            enough.set()
            await flooding
    places = [place for place, key in enumerate(outside.called) if key.startswith("b")]
    assert max(places) - told < 30, (told, places)


async def test_while_rows_may_wait_in_the_table_new_ones_queue_up_behind_them(stack: Servers) -> None:
    """Otherwise the rows of a flood would slip into free slots past those of the quiet, as long as it lasts."""
    outside = Outside()
    async with living(stack, SERVICE, errands=[outside.errand(slots=4)]) as living_:
        hands = living_.runners[NAME]

        def grants() -> int:
            granted = hands.reserve(5)
            hands.give_back(granted)
            return granted

        await eventually(lambda: grants() == 5)
        living_.owner.shout()
        assert grants() == 0
        await eventually(lambda: grants() == 5)


async def test_a_row_in_a_long_wait_does_not_let_the_next_flood_overtake_everybody(
    stack: Servers, tables: "Tables"
) -> None:
    async with living(stack, SERVICE) as living_:

        async def add(*keys: str) -> None:
            async with unit_of_work(living_.desk()) as work:
                work.write(store.Insertion(NAME, [row(key, key[0]) for key in keys], 0).write(1, 60.0))

        await add("a-0")
        await tables.execute("update notifier.errand set due_at = now() + interval '1 hour'")
        await add(*(f"c-{number:03}" for number in range(100)))
        await tables.execute(
            "update notifier.errand set state = 'settled', settled_at = now() where key between 'c-000' and 'c-079'"
        )
        await add(*(f"b-{number:03}" for number in range(50)))
        async with unit_of_work(living_.desk()) as work:
            claimed = await store.claim(work.connection, NAME, 1, 60.0, 20)
    # Claimed in the order of their turns: those of one portal never in another order than they came.
    assert [one.key for one in claimed if one.key[0] == "b"] == sorted(one.key for one in claimed if one.key[0] == "b")
    turns = [one.key[0] for one in claimed]
    assert turns.count("c") >= 9, turns
    assert turns.count("b") >= 9, turns


async def test_two_processes_never_call_one_row_at_once_and_share_the_work(stack: Servers) -> None:
    def answer(claimed: Claimed) -> Outcome:
        return Later("again") if claimed.attempts < 3 else Settled(claimed.key)

    outsides = [Outside(otherwise=answer), Outside(otherwise=answer)]
    both = Outside()

    def calling(outside: Outside) -> Outside:
        outside.calling = both.calling
        return outside

    async with AsyncExitStack() as lives:
        errands = [calling(outside).errand(slots=4) for outside in outsides]
        first = await lives.enter_async_context(living(stack, SERVICE, errands=errands[:1]))
        await lives.enter_async_context(living(stack, SERVICE, errands=errands[1:]))
        await due(first.desk(), *(row(f"{number}") for number in range(150)))
        await eventually(lambda: sum(len(outside.settled) for outside in outsides) == 150)
    assert max(outside.one_row_at_once for outside in outsides) == 1
    assert all(outside.calls for outside in outsides)
    assert all(len({one.token for one in outside.calls if one.key == "7"}) <= 3 for outside in outsides)
    tokens = [one.token for outside in outsides for one in outside.calls if one.key == "7"]
    assert len(tokens) == len(set(tokens)) == 3


async def test_without_its_lock_a_process_starts_no_call(stack: Servers) -> None:
    outside = Outside()
    async with living(stack, SERVICE, errands=[outside.errand(slots=1)]) as living_:
        outside.closed.clear()
        await due(living_.desk(), row("1"), row("2"))
        await eventually(lambda: outside.calls and living_.runners[NAME].in_hand == 2)
        living_.owner.alive = False
        outside.closed.set()
        await eventually(lambda: "1" in outside.settled)
        living_.runners[NAME].take([])
        await due(living_.desk(), row("3"))
        assert outside.called == ["1"]

        living_.owner.alive = True
        living_.owner.shout()
        await eventually(lambda: len(outside.settled) == 3)


async def test_whoever_was_taken_for_dead_calls_none_of_the_rows_it_still_holds(stack: Servers, logged: Ear) -> None:
    paused, other = Outside(), Outside()
    paused.closed.clear()
    async with AsyncExitStack() as lives:
        line = await lives.enter_async_context(wire(stack.database_url(SERVICE)))
        errand = paused.errand(slots=1)
        first = await lives.enter_async_context(living(stack, SERVICE, errands=[errand], database_url=line.url))
        await due(first.desk(), row("called"), row("waits"))
        await eventually(lambda: paused.called == ["called"] and first.runners[NAME].in_hand == 2)
        await lives.enter_async_context(living(stack, SERVICE, errands=[other.errand()]))
        line.break_down()
        await eventually(lambda: set(other.settled) == {"called", "waits"})
        line.mend()
        await eventually(lambda: first.owner.alive)
        paused.closed.set()
        await eventually(lambda: first.runners[NAME].in_hand == 0)
    assert paused.called == ["called"]
    assert paused.settled == {}
    assert {one.key for one in other.calls if one.unknown_before} == {"called", "waits"}
    assert logged.heard("warning", "owner.was_buried")
