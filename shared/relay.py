"""The relay: empties the outbox onto the broker, in packs, and deletes a row only after its confirm.

Rows come from memory right after their commit, or from the table when a crash left them, a publish failed, or memory
was full. Order is not promised. A row that comes back waits alone with a back-off; it never corks the others.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from shared import clock, metrics, outbox, postgres
from shared.crashpoints import reached
from shared.frames import Outgoing
from shared.lives import together
from shared.logs import get_logger
from shared.outbox import Leased
from shared.owner import Owner
from shared.parcels import journal_of, parcels_of
from shared.publisher import RECONNECT_AFTER_S, BrokerAway, Disputed, NotTaken, Publisher, Unacceptable
from shared.turns import in_turns, portal_of

BATCH_ROWS_MAX = 400
MEMORY_ROWS_MAX = 4_000
ROOMY_ROWS_MAX = 1_200
ROOM_S_MAX = 1.0
"""How long a hearer waits for room; then the table takes what it announces, and nothing stands still."""

BACKOFF_S_MIN = 0.5
BACKOFF_S_MAX = 60.0
SWEEP_EVERY_S = 1.0
LOST_LEASE_AGE_S = 10.0
DATABASE_RETRY_S = 0.5
PUBLISHING_AT_ONCE = 2


logger = get_logger()


class Relay:
    """Publishes this service's outbox. Its memory holds at most `MEMORY_ROWS_MAX` rows."""

    def __init__(self, service: str, pool: "postgres.Pool", owner: Owner, publisher: Publisher) -> None:
        self._service, self._pool, self._owner, self._publisher = service, pool, owner, publisher
        self._waiting: deque[Leased] = deque()
        self._held: set[int] = set()
        self._reserved = 0
        self._woken = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._sweep_wanted = True
        self.stopping = False
        owner.on_due(self._on_due)

    @property
    def held(self) -> int:
        """Rows in memory, waiting or in flight."""
        return len(self._held)

    def reserve(self, rows: int) -> int:
        """See `hands.Hands`."""
        granted = max(0, min(rows, MEMORY_ROWS_MAX - len(self._held) - self._reserved))
        self._reserved += granted
        return granted

    def give_back(self, rows: int) -> None:
        """See `hands.Hands`."""
        self._reserved -= rows

    def take(self, rows: Sequence[Leased]) -> None:
        """See `hands.RelayHands`."""
        # A lease that ran out while the row waited here may be ours again, and the row is here already.
        fresh = [row for row in rows if row.id not in self._held]
        self._waiting.extend(fresh)
        self._held.update(row.id for row in fresh)
        if fresh:
            self._woken.set()
            self._empty.clear()
        if len(self._held) > ROOMY_ROWS_MAX:
            self._roomy.clear()

    async def roomy(self) -> None:
        """See `hands.RelayHands`."""
        if not self._roomy.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(ROOM_S_MAX):
                    await self._roomy.wait()

    def _on_due(self) -> None:
        self._sweep_wanted = True
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        publishing = (self._publishing() for _ in range(PUBLISHING_AT_ONCE))
        await together(self._staying_connected(), self._sweeping(), *publishing)

    async def _connected(self) -> None:
        while True:
            try:
                return await self._publisher.connect()
            except Exception as error:
                # aiormq raises bare exceptions too when a connection breaks while it opens; time heals them all.
                logger.warning("relay.failed_to_connect", kind=type(error).__qualname__)
                await asyncio.sleep(RECONNECT_AFTER_S)

    async def _staying_connected(self) -> None:
        """Connect again also while nothing is published: a service without a connection is not ready."""
        while True:
            await self._connected()
            await asyncio.sleep(RECONNECT_AFTER_S)

    async def drained(self, timeout_s: float) -> bool:
        """Wait until memory is empty; False when the time-out came first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def _publishing(self) -> None:
        while True:
            if not self._waiting:
                self._woken.clear()
                await self._woken.wait()
                continue
            if len(self._waiting) > BATCH_ROWS_MAX:
                self._waiting = in_turns(self._waiting, lambda row: portal_of(row.announcement.correlation))
            rows = [self._waiting.popleft() for _ in range(min(BATCH_ROWS_MAX, len(self._waiting)))]
            await self._publish(rows)

    async def _publish(self, rows: list[Leased]) -> None:
        reached("-publish")
        started_s = clock.monotonic_s()
        parcels = list(parcels_of(rows))
        messages = [*(parcel.message for parcel in parcels), *journal_of(self._service, rows)]
        results = await self._told(messages)
        for index, error in enumerate(results):
            # A channel that is closed over one message fails all that were in flight; alone, only the bad one fails.
            if isinstance(error, Disputed):
                (results[index],) = await self._told(messages[index : index + 1])
        reached("+publish")
        metrics.published(clock.monotonic_s() - started_s)
        journal_error = next((error for error in results[len(parcels) :] if error is not None), None)
        done: list[int] = []
        failed: list[tuple[Leased, Exception]] = []
        for parcel, error in zip(parcels, results, strict=False):
            for row in parcel.rows:
                # A journalled row may go only when its record is confirmed too: the journal has no gaps.
                reason = error or (journal_error if row.announcement.journalled else None)
                if reason is None:
                    done.append(row.id)
                else:
                    failed.append((row, reason))
        for row in rows:
            if row.announcement.exchange == outbox.JOURNAL_ONLY:
                if journal_error is None:
                    done.append(row.id)
                else:
                    failed.append((row, journal_error))
        await self._settle(done, failed)

    async def _told(self, messages: Sequence[Outgoing]) -> list[NotTaken | BrokerAway | None]:
        try:
            return await self._publisher.publish_all(messages)
        except Exception as error:
            # aiormq rejects what waits with a bare exception when a connection breaks without a word; nothing may end
            # the relay, which would cork every row.
            return [BrokerAway(f"{type(error).__qualname__}: {error}")] * len(messages)

    async def _settle(self, done: list[int], failed: list[tuple[Leased, Exception]]) -> None:
        away = [row for row, error in failed if isinstance(error, BrokerAway)]
        refused = [(row, error) for row, error in failed if not isinstance(error, BrokerAway)]
        metrics.relayed(confirmed=len(done), refused=len(refused), away=len(away))
        while True:
            try:
                async with self._pool.acquire() as connection:
                    if done:
                        await outbox.delete(connection, done)
                    if refused:
                        await self._postpone(connection, refused)
                    if away:
                        await outbox.extend(connection, [row.id for row in away], self._owner.owner_id)
                break
            except Exception as error:
                # Confirmed rows must go or they are published again; so only the database's return ends this loop.
                if not postgres.is_transient(error):
                    logger.error("relay.failed_to_settle", error=postgres.told(error))
                await asyncio.sleep(DATABASE_RETRY_S)
        reached("+delete")
        self._held.difference_update(done)
        self._held.difference_update(row.id for row, _ in refused)
        if not self._held:
            self._empty.set()
        if len(self._held) <= ROOMY_ROWS_MAX:
            self._roomy.set()
        if away:
            reasons = {str(error) for _, error in failed if isinstance(error, BrokerAway)}
            logger.warning("relay.lost_broker", rows=len(away), error=min(reasons))
            await self._connected()
            self._waiting.extendleft(reversed(away))

    async def _postpone(self, connection: "postgres.Connection", refused: list[tuple[Leased, Exception]]) -> None:
        ids = [row.id for row, _ in refused]
        after_s = [clock.jittered(min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(row.attempts, 10))) for row, _ in refused]
        errors = [str(error).replace("\x00", "") for _, error in refused]
        await outbox.postpone(connection, ids, after_s, self._owner.owner_id, errors)
        returned = [(row, error) for row, error in refused if isinstance(error, Unacceptable)]
        if returned:
            types = sorted({row.announcement.type for row, _ in returned})
            logger.error("relay.returned", rows=len(returned), types=types, error=str(returned[0][1]))
        if len(returned) < len(refused):
            logger.warning("relay.refused", rows=len(refused) - len(returned), errors=sorted(set(errors)))

    async def _sweeping(self) -> None:
        """Fetch what waits in the table, as far as memory has room; free what a lost commit answer left behind."""
        released_s = -math.inf
        while True:
            self._sweep_wanted = False
            room = 0 if self.stopping else self.reserve(outbox.CLAIMED_ROWS_MAX)
            try:
                if room:
                    async with self._pool.acquire() as connection:
                        if clock.monotonic_s() - released_s >= SWEEP_EVERY_S:
                            released_s = clock.monotonic_s()
                            await outbox.release_lost(connection, self._owner.owner_id, self._held, LOST_LEASE_AGE_S)
                        rows = await outbox.claim(connection, self._owner.owner_id, room)
                    self.take(rows)
                    self._sweep_wanted |= len(rows) == room
            except Exception as error:
                if not postgres.is_transient(error):
                    logger.error("relay.failed_to_sweep", error=postgres.told(error))
            finally:
                self.give_back(room)
            await asyncio.sleep(DATABASE_RETRY_S / 10 if self._sweep_wanted else clock.jittered(SWEEP_EVERY_S))
