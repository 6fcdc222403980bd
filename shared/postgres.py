"""PostgreSQL as the services use it: pools bound to their schema, one judgement of which errors heal by time."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

POOL_CONNECTIONS_MAX = 8
COMMAND_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
IDLE_IN_TRANSACTION_MS_MAX = 60_000

_HEALED_BY_TIME = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectInUseError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # A password or role that does not fit is mended by a person; meanwhile nothing may be lost or parked for it.
    asyncpg.InvalidAuthorizationSpecificationError,
    ConnectionError,
    TimeoutError,
    OSError,
)

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that a call to the database can raise, whether or not time heals it."""

_CONNECTION_GONE = re.compile(r"clos(ed|ing)|released|not initialized|terminat")


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed later without anybody mending the message it came from."""
    if isinstance(error, _HEALED_BY_TIME):
        return True
    # asyncpg uses InterfaceError both for a connection that is gone and for wrong calls; only the text tells.
    is_interface = isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)
    return is_interface and _CONNECTION_GONE.search(str(error)) is not None


def told(error: BaseException) -> str:
    """An error in words that may be logged and shown.

    PostgreSQL quotes whole rows in its details, and asyncpg quotes arguments; those may be personal or sealed. Of
    their errors only kind, code and the names of things are told.
    """
    kind = type(error).__qualname__
    if isinstance(error, asyncpg.PostgresError):
        names = [getattr(error, name, None) for name in ("table_name", "column_name", "constraint_name")]
        return " ".join([kind, str(error.sqlstate), *(str(name) for name in names if name)])
    if isinstance(error, asyncpg.InterfaceError):
        return kind
    return f"{kind}: {error}"


async def open_pool(
    url: str, schema: str, *, connections_max: int = POOL_CONNECTIONS_MAX, plans_anew: bool = False
) -> "Pool":
    """A pool whose connections see only `schema`. Every command ends within `COMMAND_TIMEOUT_S`.

    With `plans_anew` each run of a statement is planned for its own values and for the tables as they are. Otherwise
    a plan is kept, and one that was made while the tables were empty reads them whole until they are analysed.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=connections_max,
        command_timeout=COMMAND_TIMEOUT_S,
        timeout=CONNECT_TIMEOUT_S,
        server_settings=_settings(schema) | ({"plan_cache_mode": "force_custom_plan"} if plans_anew else {}),
        reset=_nothing_to_reset,
    )


async def _nothing_to_reset(_: "Connection") -> None:
    """Units of work leave nothing in a session, so the round trip that would reset it after each is spared.

    A transaction that is still open is rolled back all the same, and a LISTEN on a pool's connection is none of ours.
    """


async def connect(url: str, schema: str) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection outside any pool, for LISTEN and for the lock that says its owner is alive."""
    return await asyncpg.connect(
        url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S, server_settings=_settings(schema)
    )


def _settings(schema: str) -> dict[str, str]:
    return {
        "search_path": schema,
        "application_name": f"hosho-{schema}",
        "timezone": "UTC",
        "jit": "off",
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS_MAX),
    }


@asynccontextmanager
async def transaction(pool: "Pool") -> AsyncIterator["Connection"]:
    """A connection with a transaction open on it: committed at the end, rolled back by any exception."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def is_writable(pool: "Pool") -> bool:
    """Whether a transaction can be opened right now and could write: a standby that only answers reads is not back."""
    try:
        async with transaction(pool) as connection:
            return bool(await connection.fetchval("show transaction_read_only") == "off")
    except FAILURES:
        return False


async def applied_migrations(pool: "Pool") -> set[str]:
    """The names of the migrations this schema has seen; none when it was never migrated."""
    try:
        async with pool.acquire() as connection:
            return {row["name"] for row in await connection.fetch("select name from schema_migration")}
    except asyncpg.UndefinedTableError:
        return set()
