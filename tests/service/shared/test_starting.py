"""How a service starts, refuses to start, and stops before it has started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from deploy import broker
from deploy import database as databases
from deploy.broker.management import management
from deploy.places import PORTALS_FILE
from deploy.portals import plan_for
from shared import clock, topology
from tests.conftest import Servers

NOBODY_LISTENS = "amqp://ops:none@127.0.0.1:1/none"
ENDS_S_MAX = 60.0


ENOUGH: Final = {"PORTALS_FILE": str(PORTALS_FILE), "HTTP_PORT": "0"}
"""What ops needs besides its servers, which are what these tests are about."""


@asynccontextmanager
async def ops(settings: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The real program with these settings; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.ops"),
        env={**os.environ, **{f"OPS_{name}": value for name, value in {**ENOUGH, **settings}.items()}},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, event: str) -> str:
    """The first line with this event."""
    assert process.stdout is not None
    async with asyncio.timeout(ENDS_S_MAX):
        async for line in process.stdout:
            if f'"{event}"' in line.decode():
                return line.decode()
    raise AssertionError(f"{event} was never said")


async def test_a_stop_does_not_wait_for_a_broker_that_is_away(stack: Servers) -> None:
    """A deployment that takes back a broken change must not hang on it."""
    async with ops({"DATABASE_URL": stack.database_url("ops"), "BROKER_URL": NOBODY_LISTENS}) as one:
        await said(one, "service.opening")
        one.send_signal(signal.SIGTERM)
        async with asyncio.timeout(ENDS_S_MAX):
            code = await one.wait()

    assert code == 0


async def test_settings_that_are_wrong_are_named_without_their_values() -> None:
    """An operator reads which setting to mend; a secret in it stays unread."""
    async with ops({"DATABASE_URL": "postgresql://ops:secret@127.0.0.1:1/none", "HTTP_PORT": "many"}) as one:
        line = await said(one, "service.refused_to_start")
        code = await one.wait()

    assert code == 2
    assert "broker_url" in line
    assert "http_port" in line
    assert "secret" not in line
    assert "many" not in line


async def test_a_schema_that_lacks_a_migration_is_refused(stack: Servers) -> None:
    """Code must never run on tables it was not written for: here, in a database without any."""
    name = f"empty_{clock.new_uuid().hex[:12]}"
    async with databases.connected(stack.superuser_url) as connection:
        await connection.execute(f"create database {name}")
    try:
        async with ops(
            {"DATABASE_URL": databases.with_database(stack.database_url("ops"), name), "BROKER_URL": NOBODY_LISTENS}
        ) as one:
            line = await said(one, "service.refused_to_start")
            code = await one.wait()
    finally:
        await databases.drop(stack.superuser_url, name)

    assert code == 2
    assert "hosho migrate" in line


async def test_a_broker_that_lacks_a_queue_is_refused_with_the_command_that_mends_it(stack: Servers) -> None:
    """A service that declared what it misses would hide that nothing fills it."""
    queue = topology.PARKED_QUEUE
    async with management(stack.management_url, f"test-{clock.new_uuid().hex[:12]}") as api:
        await broker.apply(api, plan_for(stack.portals_file), stack.local.secrets.broker_users)
        await api.delete(api.path("queues", queue))
        url = stack.local.addresses.vhost_url("ops", api.vhost, stack.local.secrets)
        try:
            settings = {"DATABASE_URL": stack.database_url("ops"), "BROKER_URL": url}
            async with ops(settings) as one:
                line = await said(one, "service.refused_to_start")
                code = await one.wait()
        finally:
            await api.delete(api.path("vhosts"))

    assert code == 2
    assert queue in line
    assert "hosho topology apply" in line
