"""The relay: empties the outbox onto the broker, in packs, and deletes a row only after its confirm.

Rows come from memory right after their commit, or from the table when a crash left them, a publish failed, or memory
was full. Order is not promised. A row that comes back waits alone with a back-off; it never corks the others.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from shared import clock, outbox, postgres, topology
from shared.crashpoints import reached
from shared.envelope import BATCH_CONTENT_TYPE, JSON_CONTENT_TYPE, pack
from shared.logs import get_logger
from shared.outbox import Leased
from shared.owner import Owner
from shared.publisher import BrokerAway, Disputed, NotTaken, Outgoing, Publisher, Unacceptable

PACK_FACTS_MAX = 50
PACK_BYTES_MAX = 200_000
BATCH_ROWS_MAX = 400
MEMORY_ROWS_MAX = 4_000
BACKOFF_S_MIN = 0.5
BACKOFF_S_MAX = 60.0
SWEEP_EVERY_S = 1.0
LOST_LEASE_AGE_S = 10.0
DATABASE_RETRY_S = 0.5
PUBLISHING_AT_ONCE = 2

JOURNAL_TYPE = "journal.recorded.v1"

logger = get_logger()


@dataclass(slots=True)
class _Parcel:
    """One AMQP message and the rows it carries."""

    message: Outgoing
    rows: list[Leased]


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
        self._sweep_wanted = True
        self.stopping = False
        owner.on_due(self._on_due)

    @property
    def held(self) -> int:
        """Rows in memory, waiting or in flight."""
        return len(self._held)

    def reserve(self, rows: int) -> int:
        """See `work.Hands`."""
        granted = max(0, min(rows, MEMORY_ROWS_MAX - len(self._held) - self._reserved))
        self._reserved += granted
        return granted

    def give_back(self, rows: int) -> None:
        """See `work.Hands`."""
        self._reserved -= rows

    def take(self, rows: Sequence[Leased]) -> None:
        """See `work.RelayHands`."""
        # A lease that ran out while the row waited here may be ours again, and the row is here already.
        fresh = [row for row in rows if row.id not in self._held]
        self._waiting.extend(fresh)
        self._held.update(row.id for row in fresh)
        if fresh:
            self._woken.set()
            self._empty.clear()

    def _on_due(self) -> None:
        self._sweep_wanted = True
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publisher.stay_connected())
            group.create_task(self._sweeping())
            for _ in range(PUBLISHING_AT_ONCE):
                group.create_task(self._publishing())

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
            rows = [self._waiting.popleft() for _ in range(min(BATCH_ROWS_MAX, len(self._waiting)))]
            await self._publish(rows)

    async def _publish(self, rows: list[Leased]) -> None:
        reached("-publish")
        parcels = list(_parcels(rows))
        journal = _journal(self._service, rows)
        messages = [*(parcel.message for parcel in parcels), *([journal] if journal else [])]
        results = await asyncio.gather(*map(self._one, messages))
        for index, error in enumerate(results):
            # A channel that is closed over one message fails all that were in flight; alone, only the bad one fails.
            if isinstance(error, Disputed):
                results[index] = await self._one(messages[index])
        reached("+publish")
        journal_error = results[len(parcels)] if journal else None
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

    async def _one(self, message: Outgoing) -> NotTaken | BrokerAway | None:
        try:
            await self._publisher.publish(message)
        except (NotTaken, BrokerAway) as error:
            return error
        except Exception as error:
            # What cannot even be put into a frame must not end the relay, which would cork every other row.
            return Unacceptable(f"{type(error).__qualname__}: {error}")
        return None

    async def _settle(self, done: list[int], failed: list[tuple[Leased, Exception]]) -> None:
        away = [row for row, error in failed if isinstance(error, BrokerAway)]
        refused = [(row, error) for row, error in failed if not isinstance(error, BrokerAway)]
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
        if away:
            reasons = {str(error) for _, error in failed if isinstance(error, BrokerAway)}
            logger.warning("relay.lost_broker", rows=len(away), error=min(reasons))
            await self._publisher.connect()
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
        while True:
            self._sweep_wanted = False
            room = 0 if self.stopping else self.reserve(outbox.CLAIMED_ROWS_MAX)
            try:
                if room:
                    async with self._pool.acquire() as connection:
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


def _parcels(rows: Sequence[Leased]) -> Iterator[_Parcel]:
    """Facts of one type travel together on the events exchange; elsewhere each travels alone."""
    packs: dict[str, list[Leased]] = {}
    for row in rows:
        exchange = row.announcement.exchange
        if exchange == topology.EVENTS:
            packs.setdefault(row.announcement.type, []).append(row)
        elif exchange != outbox.JOURNAL_ONLY:
            yield _single(row)
    for message_type, of_type in packs.items():
        for chunk in _chunks(of_type):
            yield _Parcel(_pack(message_type, chunk), chunk)


def _chunks(rows: Sequence[Leased]) -> Iterator[list[Leased]]:
    chunk: list[Leased] = []
    size_bytes = 0
    for row in rows:
        length_bytes = len(row.announcement.body)
        if chunk and (len(chunk) == PACK_FACTS_MAX or size_bytes + length_bytes > PACK_BYTES_MAX):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(row)
        size_bytes += length_bytes
    if chunk:
        yield chunk


def _pack(message_type: str, rows: Sequence[Leased]) -> Outgoing:
    return Outgoing(
        exchange=topology.EVENTS,
        routing_key=message_type,
        # A pack has no identity of its own, its facts have. A fresh id keeps returns unambiguous.
        message_id=clock.new_uuid().hex,
        body=pack([row.announcement.body for row in rows]),
        content_type=BATCH_CONTENT_TYPE,
        headers={"facts": len(rows)},
        type=message_type,
    )


def _single(row: Leased) -> _Parcel:
    announcement = row.announcement
    subject_id = announcement.correlation.partition("/")[2]
    message = Outgoing(
        exchange=announcement.exchange,
        routing_key=announcement.routing_key,
        message_id=str(announcement.message_id),
        body=announcement.body,
        content_type=JSON_CONTENT_TYPE,
        headers=announcement.headers,
        type=announcement.type,
        correlation_id=subject_id or None,
    )
    return _Parcel(message, [row])


def _journal(service: str, rows: Sequence[Leased]) -> Outgoing | None:
    """One record of what this batch announces: ids, types, subjects, times and digests, never bodies."""
    facts = {
        (row.announcement.message_id, row.announcement.digest): {
            "id": str(row.announcement.message_id),
            "type": row.announcement.type,
            "subject": row.announcement.subject,
            "correlation": row.announcement.correlation,
            "time": row.announcement.time,
            "digest": row.announcement.digest.hex(),
        }
        for row in rows
        if row.announcement.journalled
    }
    if not facts:
        return None
    return Outgoing(
        exchange=topology.EVENTS,
        routing_key=topology.journal_key(service),
        message_id=clock.new_uuid().hex,
        body=to_json({"service": service, "facts": list(facts.values())}),
        content_type=JSON_CONTENT_TYPE,
        type=JOURNAL_TYPE,
    )
