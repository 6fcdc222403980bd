"""The bench at its smallest: every contender starts, does the whole work, and is found out if it does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bench.applications import PORTAL, applications
from bench.checks import Incomplete, check
from bench.contenders.described import CONTENDERS, PRODUCT
from bench.grounds import Grounds, grounds
from bench.load import Portal
from bench.turn import work_off
from deploy.local.supervisor import Supervisor
from tests.conftest import Servers

APPLICATIONS = 12


@pytest.fixture(scope="module")
async def prepared(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Grounds]:
    """Sinks, and for each contender an empty virtual host and database."""
    folder: Path = tmp_path_factory.mktemp("bench")
    async with grounds(stack.local, folder, f"bench_{stack.database}") as ready:
        await asyncio.gather(*(ready.prepare(one.name, is_product=one.name == PRODUCT) for one in CONTENDERS))
        yield ready
        await asyncio.gather(*(ready.forget(one.name) for one in CONTENDERS))


async def test_every_contender_does_the_whole_work(prepared: Grounds) -> None:
    """Started all at once, because starting is what takes time; each works off its applications alone."""
    said: list[str] = []
    supervisor = Supervisor(said.append, prepared.folder / "children")
    try:
        await supervisor.start(
            {name: unit for contender in CONTENDERS for name, unit in contender.units(prepared).items()}, heal=False
        )
        for contender in CONTENDERS:
            pids = {name: supervisor.child(name).pid for name in contender.units(prepared)}
            result = await work_off(prepared, contender, pids, "smoke", APPLICATIONS)

            assert result.per_s > 0
            assert set(result.rss_mb) == set(pids)
    finally:
        await supervisor.stop(at_once=True)
    await _who_leaves_something_out_is_found_out(prepared)


async def _who_leaves_something_out_is_found_out(prepared: Grounds) -> None:
    last = CONTENDERS[-1].name
    names = [name for name, _ in applications("smoke", APPLICATIONS)]
    portal = Portal(prepared.portal_url(last, PORTAL))
    async with portal.connected():
        with pytest.raises(Incomplete, match="answers"):
            # This portal heard nothing: the answers were taken by the one before it.
            await check(prepared, last, portal, names, settled_s_max=0)
        with pytest.raises(Incomplete, match="posts"):
            await check(prepared, last, portal, names[1:], settled_s_max=0)
        connection = await asyncpg.connect(prepared.database_url(last))
        await connection.execute("delete from mail where address like $1", f"{names[0]}@%")
        await connection.close()
        with pytest.raises(Incomplete, match=f"{APPLICATIONS - 1} of {APPLICATIONS}"):
            await check(prepared, last, portal, names, settled_s_max=0)
