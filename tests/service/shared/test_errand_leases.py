"""Who may call a row, and what a call is worth whose right to it was lost."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.errands import Later, Settled, runner, store
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside, due, row

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

SERVICE = "notifier"

pytestmark = pytest.mark.usefixtures("emptied")


async def _row(tables: "Tables", key: str) -> asyncpg.Record:
    record = await tables.fetchrow(
        f"select *, extract(epoch from due_at - now())::float8 as due_s from {SERVICE}.errand where key = $1", key
    )
    assert record is not None
    return record


async def _state(tables: "Tables", key: str) -> str:
    return str((await _row(tables, key))["state"])


async def test_a_late_failure_under_a_lost_lease_changes_nothing_and_a_late_success_is_recorded(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    outside = Outside(answers={"fails": [Later("late news", after_s=9)], "succeeds": [Settled("late")]})
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("fails"), row("succeeds"))
        await eventually(lambda: len(outside.calls) == 2)
        # Another process takes both over, as when this one was paused for longer than its lease.
        taken = "update notifier.errand set lease_owner = 1, lease_token = 9, lease_until = now() + interval '1 hour'"
        await tables.execute(taken)
        outside.closed.set()
        await eventually(lambda: outside.settled == {"succeeds": 1})
        await eventually(lambda: living_.runners[NAME].in_hand == 0)
    failed = await _row(tables, "fails")
    assert (failed["state"], failed["lease_owner"], failed["lease_token"]) == ("due", 1, 9)
    assert failed["due_s"] <= 0
    assert failed["last_error"] is None
    assert await _state(tables, "succeeds") == "settled"
    assert logged.heard("warning", "errand.lease_lost") == [{"errand": NAME, "rows": 1}]


async def test_a_success_that_was_recorded_by_another_is_not_recorded_again(stack: Servers, tables: "Tables") -> None:
    outside = Outside()
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"))
        await eventually(lambda: outside.calls)
        await tables.execute(
            "update notifier.errand set state = 'settled', settled_at = now(), lease_owner = null, lease_until = null"
        )
        outside.closed.set()
        await eventually(lambda: living_.runners[NAME].in_hand == 0)
    assert outside.settled == {}


async def test_rows_of_a_dead_owner_are_taken_at_once_and_known_as_unknown(stack: Servers, tables: "Tables") -> None:
    outside = Outside()
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand(lease_s=3_600)]) as living_:
        await due(living_.desk(), row("1"))
        await eventually(lambda: outside.calls)
    assert (await _row(tables, "1"))["lease_owner"] is not None
    outside.closed.set()
    async with living(stack, SERVICE, errands=[outside.errand(lease_s=3_600)]):
        await eventually(lambda: outside.settled == {"1": 1}, within_s=6.0)
    assert [(claimed.attempts, claimed.unknown_before) for claimed in outside.calls] == [(1, False), (2, True)]


async def test_a_lease_that_ran_out_is_taken_over_as_unknown(stack: Servers, tables: "Tables") -> None:
    outside = Outside()
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        async with unit_of_work(living_.desk()) as work:
            work.write(store.Insertion(NAME, [row("1")], 1).write(7, 0.0))
        living_.owner.shout()
        await eventually(lambda: outside.settled == {"1": 1})
    assert [(claimed.attempts, claimed.unknown_before) for claimed in outside.calls] == [(2, True)]


async def test_a_stop_calls_nothing_more_records_what_runs_and_frees_the_rest(stack: Servers, tables: "Tables") -> None:
    outside = Outside()
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand(slots=2)]) as living_:
        stopping = living_.runners[NAME]
        await due(living_.desk(), *(row(f"{number}") for number in range(10)))
        await eventually(lambda: len(outside.calls) == 2)
        draining = asyncio.create_task(stopping.drained(5.0))
        await eventually(lambda: stopping.in_hand == 2)
        # A claim that was under way when the stop came brings its rows now.
        await eventually(lambda: _all_but_two_are_free(tables))
        async with living_.desk().pool.acquire() as connection:
            stopping.take(await store.claim(connection, NAME, living_.owner.owner_id, 60.0, 8, set(outside.called)))
        assert stopping.in_hand == 2
        await eventually(lambda: _all_but_two_are_free(tables))
        assert not draining.done()
        outside.closed.set()
        assert await draining
    assert len(outside.calls) == 2
    assert set(outside.settled.values()) == {1}
    left = await tables.fetch("select attempts, unknown, lease_owner from notifier.errand where state = 'due'")
    assert {(one["attempts"], one["unknown"], one["lease_owner"]) for one in left} == {(0, False, None)}
    assert len(left) == 8


async def test_rows_that_waited_too_long_for_a_slot_are_given_back_uncalled(
    stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a call could outlive its lease, and another process would call the same row beside it."""
    outside = Outside()
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand(slots=1)]) as living_:
        crowded = living_.runners[NAME]
        await due(living_.desk(), row("1"), row("2"))
        await eventually(lambda: len(outside.calls) == 1 and crowded.in_hand == 2)
        crowded._waiting_s_max = -1.0
        outside.closed.set()
        await eventually(lambda: outside.settled == {"1": 1})
        await eventually(lambda: _is_free_and_uncounted(tables, "2"))
        assert outside.called == ["1"]
        crowded._waiting_s_max = 10.0
        living_.owner.shout()
        await eventually(lambda: outside.settled == {"1": 1, "2": 1})
    assert outside.calls[-1].attempts == 1
    assert not outside.calls[-1].unknown_before


async def _all_but_two_are_free(tables: "Tables") -> bool:
    return bool(await tables.fetchval("select count(*) = 2 from notifier.errand where lease_owner is not null"))


async def _is_free_and_uncounted(tables: "Tables", key: str) -> bool:
    record = await _row(tables, key)
    return record["attempts"] in (0, 1) and record["state"] == "due"


def test_a_lease_must_be_longer_than_its_call() -> None:
    errand = Outside().errand(call_timeout_s=30, lease_s=34)

    with pytest.raises(ValueError, match="lease it over 35"):
        runner.Runner(errand, None, None)  # type: ignore[arg-type]
