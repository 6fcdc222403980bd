"""A stopped stage asks with one row whether its outside is back: which row, and that it is only one."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from shared import postgres
from shared.errands import Hold, stage_store, store
from shared.errands.breaker import FAILURES_TO_OPEN, Breaker
from shared.errands.stages import Standing
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside, due, row
from tests.service.shared.weather import FAILING, SERVICE, edges, rows_where, stage_row, weather

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

pytestmark = pytest.mark.usefixtures("emptied", "quick_stages")


async def test_many_rows_that_always_fail_do_not_keep_a_stage_closed(
    stack: Servers, tables: "Tables", logged: Ear
) -> None:
    """They stand in front of all others after an outage, but a probe is what was tried least."""
    async with weather(stack) as both:
        both.poison = frozenset(f"00-poison-{number}" for number in range(FAILURES_TO_OPEN))
        both.away = FAILING
        await due(both.lives[0].desk(), *(row(key) for key in sorted(both.poison)))
        await eventually(lambda: both.rests() and Breaker.CLOSED not in both.breakers())
        await due(both.lives[1].desk(), *(row(f"{number:02}") for number in range(1, 31)))
        await tables.execute(
            "update notifier.errand set due_at = now() - interval '1 hour' where key like '00-poison%'"
        )
        both.away = None
        failed = edges(logged).count("failed_probe")
        await eventually(lambda: len(both.outside.settled) == 30)
        steps = edges(logged)

    # One probe may have been on its way when the others came.
    assert steps.count("failed_probe") <= failed + 1
    assert "answered" in steps


async def test_a_probe_whose_process_died_is_taken_again_by_another(stack: Servers, tables: "Tables") -> None:
    outside = Outside(otherwise=lambda claimed: FAILING)
    survivor = Outside()
    async with living(stack, SERVICE, errands=[outside.errand(lease_s=3_600)]) as dying:
        await due(dying.desk(), *(row(f"{number:02}") for number in range(20)))
        await eventually(lambda: dying.stages()[NAME]["standing"] == Standing.FAILING)
        outside.closed.clear()
        await eventually(lambda: outside.calling.total() == 1)
        await eventually(lambda: dying.runners[NAME].gate.probe_key)
    assert (await stage_row(tables))["breaker"] == "probing"
    async with living(stack, SERVICE, errands=[survivor.errand(lease_s=3_600)]):
        await eventually(lambda: len(survivor.settled) == 20)


async def test_of_all_who_look_at_the_same_moment_one_probes(stack: Servers, tables: "Tables") -> None:
    async with living(stack, SERVICE) as life:
        async with unit_of_work(life.desk()) as work:
            work.write(store.Insertion(NAME, [row(f"{number}") for number in range(20)], 0).write(1, 60.0))
            await stage_store.ensure(work.connection, NAME)
        for _ in range(20):
            await tables.execute(
                "update notifier.stage"
                " set breaker = 'open', probe_key = null, broken_since = now(), closed_until = now()"
            )
            await tables.execute("update notifier.errand set lease_owner = null, lease_until = null")

            async def look() -> bool:
                async with postgres.transaction(life.pool) as connection:
                    return await stage_store.take_probe(connection, NAME, 1, 60.0, ()) is not None

            assert sum(await asyncio.gather(*(look() for _ in range(6)))) == 1
            assert not await look()


async def test_a_probe_that_is_held_tells_nothing_and_another_row_asks(stack: Servers, tables: "Tables") -> None:
    async with weather(stack) as both:
        both.away = FAILING
        await due(both.lives[0].desk(), *(row(f"{number:02}") for number in range(20)))
        await eventually(lambda: both.rests() and Breaker.CLOSED not in both.breakers())
        both.away = Hold("odd")
        await eventually(lambda: _is_held(tables))
        both.away = None
        await eventually(lambda: both.breakers() == {Breaker.CLOSED})
        await eventually(lambda: _all_settled(tables))


async def _is_held(tables: "Tables") -> bool:
    return await rows_where(tables, "state = 'held'") >= 1


async def _all_settled(tables: "Tables") -> bool:
    return await rows_where(tables, "state = 'due'") == 0
