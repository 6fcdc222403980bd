"""Who holds which rows: each process owns an advisory lock, and rows of a dead owner are taken back at once.

The lock lives on a connection outside the pool, which also LISTENs. When the process dies, the kernel closes the
connection, PostgreSQL drops the lock, and the next process that looks finds the owner missing. It takes the rows at
its second look, `MISSING_S_MIN` later: a restart of the database drops every lock for a moment, and the living must
have time to take theirs again. The lease's end is the second line, for a host that vanished without closing anything.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg

from shared import clock, outbox, postgres
from shared.errands import store as errand_store
from shared.lives import together
from shared.logs import get_logger

LOOK_EVERY_S = 1.0
MISSING_S_MIN = 2.0
RECONNECT_AFTER_S = 0.5
SHOUT_EVERY_S = 0.05

_LISTEN_CHANNEL = "hosho_due"
_OWNER_ID_BYTES = 7

_REGISTER = """
    insert into owner (owner_id) values ($1) on conflict (owner_id) do update set missing_since = null
    returning xmax = 0 as is_new
"""
_LOCK = "select pg_advisory_lock($1)"
_MARK = """
    with alive as (
        select (classid::bigint << 32) | objid::bigint as owner_id
          from pg_locks
         where locktype = 'advisory' and objsubid = 1 and granted
           and database = (select oid from pg_database where datname = current_database()))
    update owner set missing_since = case when owner_id in (select owner_id from alive) then null else now() end
     where (missing_since is null) <> (owner_id in (select owner_id from alive))
"""
_BURY = """
    delete from owner where missing_since < now() - make_interval(secs => $1) and owner_id <> $2 returning owner_id
"""

logger = get_logger()


class Owner:
    """This process, as the holder of leases.

    Attributes:
        owner_id: the number written into the rows it holds; new at every start.
        alive: whether the lock is held right now.
    """

    def __init__(self, url: str, schema: str, pool: "postgres.Pool") -> None:
        self.owner_id = int.from_bytes(clock.random_bytes(_OWNER_ID_BYTES))
        self.alive = False
        self._url, self._schema, self._pool = url, schema, pool
        self._woken: list[Callable[[], None]] = []
        self._buried: list[Callable[[], object]] = []
        self._was_alive = False
        self._shout_wanted = asyncio.Event()

    def on_due(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever rows may have become due that any process may take."""
        self._woken.append(wake)

    def on_buried(self, forget: Callable[[], object]) -> None:
        """Call `forget` when others took this process for dead: the rows it held are theirs now."""
        self._buried.append(forget)

    def shout(self) -> None:
        """Tell all processes of this service that rows wait: coalesced, and never in a business transaction."""
        self._shout_wanted.set()
        self._wake()

    def _wake(self, *_: object) -> None:
        for wake in self._woken:
            wake()

    async def run(self) -> None:
        """Hold the lock, listen, and look for the dead, until cancelled."""
        while True:
            try:
                await self._hold()
            except postgres.FAILURES as error:
                logger.warning("owner.lost_connection", error=postgres.told(error))
            await asyncio.sleep(RECONNECT_AFTER_S)

    async def _hold(self) -> None:
        connection = await postgres.connect(self._url, self._schema)
        try:
            await connection.execute(_LOCK, self.owner_id)
            is_new = await connection.fetchval(_REGISTER, self.owner_id)
            if is_new and self._was_alive:
                logger.warning("owner.was_buried")
                for forget in self._buried:
                    forget()
            await connection.add_listener(f"{_LISTEN_CHANNEL}_{self._schema}", self._wake)
            self.alive = self._was_alive = True
            self._wake()
            await together(self._shouting(connection), self._looking())
        finally:
            self.alive = False
            # Closing an already broken connection may fail again; the reconnect is what matters.
            with suppress(*postgres.FAILURES):
                await asyncio.shield(connection.close(timeout=1))

    async def _shouting(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        while True:
            # The time-out doubles as a heartbeat: a half-open connection is noticed by the failing statement.
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that meets the event, and the stop would hang.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._shout_wanted.wait()
            if self._shout_wanted.is_set():
                self._shout_wanted.clear()
                await connection.execute(f"notify {_LISTEN_CHANNEL}_{self._schema}")
                await asyncio.sleep(SHOUT_EVERY_S)
            else:
                await connection.execute("select 1")

    async def _looking(self) -> None:
        while True:
            try:
                await self.bury_the_dead()
            except postgres.FAILURES as error:
                # The lock is on another connection and stands; the dead can wait for the next look.
                logger.warning("owner.failed_to_look", error=postgres.told(error))
            await asyncio.sleep(clock.jittered(LOOK_EVERY_S))

    async def bury_the_dead(self) -> None:
        """Mark owners whose lock is gone; free the rows of those that stayed missing."""
        async with postgres.transaction(self._pool) as connection:
            await connection.execute(_MARK)
            dead = [row["owner_id"] for row in await connection.fetch(_BURY, MISSING_S_MIN, self.owner_id)]
            if dead:
                await outbox.release_of(connection, dead)
                await errand_store.release_of(connection, dead)
        if dead:
            logger.info("owner.buried", owners=len(dead))
            self._wake()
