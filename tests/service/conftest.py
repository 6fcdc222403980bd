"""Connections for tests against the real servers, each as the user or role a service would be."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aio_pika
import asyncpg
import pytest

from deploy.broker.management import management
from deploy.portals import plan_for
from shared.topology import SERVICES

if TYPE_CHECKING:
    from tests.conftest import Servers

DatabaseAs = Callable[[str], Awaitable[Any]]
BrokerAs = Callable[[str], Awaitable[aio_pika.abc.AbstractConnection]]


@pytest.fixture
async def database_as(stack: "Servers") -> AsyncIterator[DatabaseAs]:
    """`await database_as("intake")`: a connection as that service's role, in its schema, closed after the test."""
    async with AsyncExitStack() as closing:

        async def connect(service: str) -> Any:
            connection = await asyncpg.connect(
                stack.database_url(service), server_settings={"search_path": service, "application_name": "test"}
            )
            closing.push_async_callback(connection.close)
            return connection

        yield connect


@pytest.fixture
async def broker_as(stack: "Servers") -> AsyncIterator[BrokerAs]:
    """`await broker_as("portal-a")`: an AMQP connection as that user, closed after the test."""
    async with AsyncExitStack() as closing:

        async def connect(user: str) -> aio_pika.abc.AbstractConnection:
            connection = await aio_pika.connect(stack.broker_url(user))
            closing.push_async_callback(connection.close)
            return connection

        yield connect


@pytest.fixture
async def emptied(stack: "Servers") -> "Servers":
    """The same as `stack`, with every table emptied and every queue purged before the test."""
    connection = await asyncpg.connect(stack.owner_url)
    try:
        for service in SERVICES:
            tables = await connection.fetch(
                "select tablename from pg_tables where schemaname = $1 and tablename <> 'schema_migration'", service
            )
            if tables:
                names = ", ".join(f"{service}.{row['tablename']}" for row in tables)
                await connection.execute(f"truncate {names} restart identity cascade")
    finally:
        await connection.close()
    async with management(stack.management_url, stack.vhost) as api:
        for queue in plan_for(stack.portals_file).queues:
            await api.delete(api.path("queues", queue.name, "contents"))
    return stack
