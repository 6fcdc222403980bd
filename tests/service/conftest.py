"""Connections for tests against the real servers, each as the user or role a service would be."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

import aio_pika
import asyncpg
import pytest

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


_USED: Final = """
    select table_of.oid::regclass::text
      from pg_class table_of
     where table_of.relnamespace = any($1::regnamespace[]) and table_of.relkind = 'r'
       and table_of.relname <> 'schema_migration'
       and (pg_relation_size(table_of.oid) > 0 or exists (
            select from pg_sequence counter join pg_depend owned on owned.objid = counter.seqrelid
             where owned.refobjid = table_of.oid and pg_sequence_last_value(counter.seqrelid) is not null))
"""
"""Tables that have held a row or counted one since they were last emptied. To empty one costs files, so only these."""


@pytest.fixture
async def emptied(stack: "Servers") -> "Servers":
    """The same as `stack`, with every table emptied and every queue purged before the test."""
    connection = await asyncpg.connect(stack.owner_url)
    try:
        tables = await connection.fetch(_USED, SERVICES)
        if tables:
            await connection.execute(f"truncate {', '.join(name for (name,) in tables)} restart identity cascade")
    finally:
        await connection.close()
    async with await aio_pika.connect(stack.broker_admin_url) as broker:
        channel = await broker.channel()
        for queue in plan_for(stack.portals_file).queues:
            await (await channel.get_queue(queue.name, ensure=False)).purge()
    return stack
