"""Each outcome of a call does to its row what it says, whatever the outside does."""

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from shared.errands import Hold, Later, Settled, backoff, runner
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside, due, row

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

SERVICE = "notifier"

pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off and sweeps in tenths of seconds."""
    monkeypatch.setattr(backoff, "BACKOFF_S_MIN", 0.02)
    monkeypatch.setattr(backoff, "BACKOFF_S_MAX", 0.1)
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.1)


async def _row(tables: "Tables", key: str) -> asyncpg.Record:
    record = await tables.fetchrow(
        f"select *, extract(epoch from due_at - now())::float8 as due_s from {SERVICE}.errand where key = $1", key
    )
    assert record is not None
    return record


async def _state(tables: "Tables", key: str) -> str:
    return str((await _row(tables, key))["state"])


async def test_a_settled_call_is_recorded_in_the_transaction_that_settles_its_row(
    stack: Servers, tables: "Tables"
) -> None:
    outside = Outside(answers={"1": [Settled("the answer")]})
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"), row("2"), row("2"))
        await eventually(lambda: outside.settled == {"1": 1, "2": 1})
        await due(living_.desk(), row("1"))
        await due(living_.desk(), row("3"))
        await eventually(lambda: "3" in outside.settled)
    assert dict(outside.recorded)["1"] == "the answer"
    assert outside.called.count("1") == 1
    settled = await _row(tables, "1")
    assert (settled["state"], settled["lease_owner"], settled["attempts"]) == ("settled", None, 1)
    assert settled["settled_at"] is not None


async def test_no_more_calls_are_in_flight_than_there_are_slots_and_each_ends_by_itself(stack: Servers) -> None:
    slow, outside = asyncio.Event(), Outside()
    real = outside.call

    async def call(claimed: Any) -> Any:
        if claimed.key == "slow":
            await slow.wait()
        return await real(claimed)

    async with living(stack, SERVICE, errands=[outside.errand(call=call, slots=3)]) as living_:
        await due(living_.desk(), row("slow"))
        for number in range(60):
            await due(living_.desk(), row(f"{number}"))
        # One call hangs and the others pass it by.
        await eventually(lambda: len(outside.settled) == 60)
        assert "slow" not in outside.settled
        await eventually(lambda: living_.runners[NAME].in_hand == 1)
        slow.set()
        await eventually(lambda: len(outside.settled) == 61)
    assert outside.at_once <= 3
    assert set(outside.settled.values()) == {1}


async def test_later_backs_off_further_each_time_up_to_a_cap(
    stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "BACKOFF_S_MIN", 100.0)
    outside = Outside(otherwise=lambda _row: Later("closed"))
    waits: list[float] = []
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"))
        for attempt in range(1, 5):
            await eventually(lambda: _was_tried(tables, attempt))  # noqa: B023 - it is awaited here.
            waits.append((await _row(tables, "1"))["due_s"])
            await tables.execute(f"update {SERVICE}.errand set due_at = now()")
    assert 48 < waits[0] <= 100
    assert 98 < waits[1] <= 200
    assert 148 < waits[2] <= 300
    assert 148 < waits[3] <= 300
    assert (await _row(tables, "1"))["last_error"] == "closed"


async def _was_tried(tables: "Tables", attempts: int) -> bool:
    record = await _row(tables, "1")
    return bool(record["attempts"] == attempts and record["lease_owner"] is None)


async def test_the_wish_of_the_outside_is_kept_to_the_second(stack: Servers, tables: "Tables") -> None:
    outside = Outside(answers={"1": [Later("busy", after_s=1_200)], "2": [Later("busy", after_s=10**9)]})
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"), row("2"))
        await eventually(lambda: len(outside.calls) == 2)
        await eventually(lambda: living_.runners[NAME].in_hand == 0)
    assert 1_195 < (await _row(tables, "1"))["due_s"] <= 1_200
    assert (await _row(tables, "2"))["due_s"] <= backoff.OUTSIDE_WISH_S_MAX


@pytest.mark.usefixtures("_quick")
async def test_a_call_that_hangs_or_raises_ends_unknown_and_is_tried_again_so_told(stack: Servers, logged: Ear) -> None:
    outside = Outside(
        answers={
            "raises": [RuntimeError("a bug")],
            "cancels": [asyncio.CancelledError()],
            "unknown": [Later("cut", unknown=True)],
            "later": [Later("closed")],
            "dirty": [Later("\x00\udcff is what it said")],
        }
    )
    async with living(stack, SERVICE, errands=[outside.errand(call_timeout_s=0.2)]) as living_:
        outside.closed.clear()
        await due(living_.desk(), row("hangs"))
        await eventually(lambda: len(outside.calls) == 2)
        outside.closed.set()
        await due(living_.desk(), *(row(key) for key in outside.answers))
        await eventually(lambda: len(outside.settled) == 6)
    known = {claimed.key: claimed.unknown_before for claimed in outside.calls}
    assert known == {
        "hangs": True,
        "raises": True,
        "cancels": True,
        "unknown": True,
        "later": False,
        "dirty": False,
    }
    assert all(not claimed.unknown_before for claimed in outside.calls if claimed.attempts == 1)
    assert {line["kind"] for line in logged.heard("error", "errand.raised")} == {"RuntimeError", "CancelledError"}


async def test_hold_puts_a_row_aside_for_a_person(stack: Servers, tables: "Tables", logged: Ear) -> None:
    outside = Outside(answers={"1": [Hold("look at this")]})
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"), row("2"))
        await eventually(lambda: "2" in outside.settled)
        await eventually(lambda: logged.heard("error", "errand.held"))
        await eventually(lambda: living_.runners[NAME].in_hand == 0)
    held = await _row(tables, "1")
    assert (held["state"], held["last_error"], held["lease_owner"]) == ("held", "look at this", None)


async def test_a_result_that_cannot_be_recorded_is_isolated_and_held(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    outside = Outside(unrecordable={"3": ValueError("\udcff no way to write this")})
    outside.closed.clear()
    async with living(stack, SERVICE, errands=[outside.errand(slots=8)]) as living_:
        await due(living_.desk(), *(row(f"{number}") for number in range(8)))
        await eventually(lambda: len(outside.calls) == 8)
        outside.closed.set()
        await eventually(lambda: outside.settled == {f"{number}": 1 for number in range(8) if number != 3})
        await eventually(lambda: living_.runners[NAME].in_hand == 0)
    assert await _state(tables, "3") == "held"
    assert logged.heard("error", "errand.unrecordable")[0]["key"] == "3"


async def test_a_result_waits_for_a_database_that_is_away(stack: Servers, tables: "Tables") -> None:
    outside = Outside(unrecordable={"1": asyncpg.DeadlockDetectedError("deadlock detected")})
    async with living(stack, SERVICE, errands=[outside.errand()]) as living_:
        await due(living_.desk(), row("1"))
        await eventually(lambda: outside.calls)
        await due(living_.desk(), row("2"))
        assert living_.runners[NAME].in_hand >= 1
        outside.unrecordable.clear()
        await eventually(lambda: outside.settled == {"1": 1, "2": 1})
    assert outside.called.count("1") == 1
