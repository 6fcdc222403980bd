"""Refusals are forgotten after their time, in batches; what was accepted stays for good."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from services.intake import store
from shared import clock
from shared.lives import ended
from shared.service import process
from tests.eventually import eventually
from tests.service.conftest import DatabaseAs
from tests.service.intake.conftest import Intake

OLD = timedelta(days=store.REFUSALS_KEPT_DAYS, hours=1)
YOUNG = timedelta(days=store.REFUSALS_KEPT_DAYS, hours=-1)


async def _add(role: asyncpg.Connection, table: str, run: str, outcome: str, age: timedelta) -> None:
    name = "application_id" if table == "submission" else "change_id"
    await role.execute(
        f"insert into {table} (answer_id, portal, {name}, outcome, content_sha256, answered_at, answer, body)"
        " values (gen_random_uuid(), 'portal-a', $1, $2, 'x', $3, '{}', '')",
        f"{run}-{outcome}-{age.days}",
        outcome,
        clock.now() - age,
    )


@pytest.mark.parametrize("table", ["submission", "change_submission"])
async def test_old_refusals_go_and_everything_else_stays(database_as: DatabaseAs, table: str) -> None:
    role, run = await database_as("intake"), clock.random_text("abcdefghij", 8)
    for outcome in ("accepted", "rejected", "conflicted"):
        for age in (OLD, YOUNG):
            await _add(role, table, run, outcome, age)
    while await store.prune_refused(role):
        continue
    name = "application_id" if table == "submission" else "change_id"
    left = await role.fetch(f"select {name} from {table} where {name} like $1", f"{run}-%")

    assert {row[0] for row in left} == {
        f"{run}-accepted-{OLD.days}",
        *(f"{run}-{outcome}-{YOUNG.days}" for outcome in ("accepted", "rejected", "conflicted")),
    }


async def test_a_batch_is_bounded(database_as: DatabaseAs, monkeypatch: pytest.MonkeyPatch) -> None:
    role, run = await database_as("intake"), clock.random_text("abcdefghij", 8)
    while await store.prune_refused(role):
        continue
    monkeypatch.setattr(store, "PRUNED_ROWS_MAX", 2)
    for number in range(5):
        await _add(role, "submission", f"{run}{number}", "rejected", OLD)

    assert [await store.prune_refused(role) for _ in range(4)] == [2, 2, 1, 0]


async def test_the_service_forgets_on_its_clock(
    intake: Intake, database_as: DatabaseAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, run = await database_as("intake"), clock.random_text("abcdefghij", 8)
    await _add(role, "change_submission", run, "rejected", OLD)
    monkeypatch.setattr(process, "PRUNE_EVERY_S", 0.01)
    pruning = asyncio.create_task(process._pruning(intake.service, intake.service.pool))

    async def is_gone() -> bool:
        name = f"{run}-rejected-{OLD.days}"
        return not await role.fetchval("select count(*) from change_submission where change_id = $1", name)

    try:
        await eventually(is_gone)
    finally:
        await ended([pruning])
