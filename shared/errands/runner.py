"""The runner of one errand: slots that call, a recorder that commits whatever has ended.

A slot stays taken until its outcome is recorded, so nothing that the outside answered is ever dropped and memory is
bounded by the slots. A late failure under a stale token changes nothing; a late success is a fact and is recorded.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from shared import clock, postgres
from shared.crashpoints import reached
from shared.errands import Claimed, Errand, Hold, Later, OurFault, Outcome, Settled, store
from shared.logs import get_logger
from shared.owner import Owner
from shared.work import Desk, unit_of_work

BACKOFF_S_MIN = 1.0
BACKOFF_S_MAX = 300.0
OUTSIDE_WISH_S_MAX = 3_600.0
PROBE_EVERY_S = 60.0
SWEEP_EVERY_S = 1.0
DATABASE_RETRY_S = 0.5
RECORDED_ROWS_MAX = 200
WAITING_PER_SLOT_MAX = 2
LOST_LEASE_AGE_S = 10.0

logger = get_logger()


class Runner:
    """Runs one errand in this process."""

    def __init__(self, errand: Errand, pool: "postgres.Pool", owner: Owner) -> None:
        if errand.call_timeout_s >= errand.lease_s:
            raise ValueError(f"{errand.name}: a call may take {errand.call_timeout_s} s, so its lease must be longer.")
        self.errand = errand
        self.lease_s = errand.lease_s
        self.desk: Desk | None = None
        self.stopping = False
        self._pool, self._owner = pool, owner
        self._waiting: deque[Claimed] = deque()
        self._calling: dict[str, asyncio.Task[None]] = {}
        self._ended: deque[tuple[Claimed, Outcome]] = deque()
        self._held: set[str] = set()
        self._reserved = 0
        self._closed_until_s: float | None = None
        self._changed = asyncio.Event()
        self._ended_some = asyncio.Event()
        self._recorded_some = asyncio.Event()
        self._sweep_wanted = asyncio.Event()
        owner.on_due(self._sweep_wanted.set)

    @property
    def in_hand(self) -> int:
        """Rows in memory: waiting for a slot, being called, or waiting to be recorded."""
        return len(self._held)

    def reserve(self, rows: int) -> int:
        """See `work.Hands`."""
        if self.stopping or self._closed_until_s is not None:
            return 0
        granted = max(0, min(rows, self._room()))
        self._reserved += granted
        return granted

    def give_back(self, rows: int) -> None:
        """See `work.Hands`."""
        self._reserved -= rows

    def take(self, rows: Sequence[Claimed]) -> None:
        """See `work.ErrandHands`."""
        fresh = [row for row in rows if row.key not in self._held]
        self._waiting.extend(fresh)
        self._held.update(row.key for row in fresh)
        self._changed.set()

    def _room(self) -> int:
        return self.errand.slots * WAITING_PER_SLOT_MAX - len(self._held) - self._reserved

    async def run(self) -> None:
        """Call, record and sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._starting(group))
            group.create_task(self._recording())
            group.create_task(self._sweeping())

    async def drained(self, timeout_s: float) -> bool:
        """Start nothing new; wait until every running call is recorded. False when the time-out came first."""
        self.stopping = True
        try:
            async with asyncio.timeout(timeout_s):
                while self._calling:
                    self._recorded_some.clear()
                    await self._recorded_some.wait()
        except TimeoutError:
            return False
        return True

    async def _starting(self, group: asyncio.TaskGroup) -> None:
        while True:
            while self._waiting and len(self._calling) < self.errand.slots and not self.stopping:
                row = self._waiting.popleft()
                self._calling[row.key] = group.create_task(self._call(row))
            self._changed.clear()
            await self._changed.wait()

    async def _call(self, row: Claimed) -> None:
        started_s = clock.monotonic_s()
        reached(f"-call.{self.errand.name}")
        try:
            async with asyncio.timeout(self.errand.call_timeout_s):
                outcome = await self.errand.call(row)
        except TimeoutError:
            outcome = Later(f"no answer within {self.errand.call_timeout_s:g} s", unknown=True)
        except Exception as error:
            # A call returns its outcomes; one that raises has a bug, and nobody knows what the outside did.
            logger.error("errand.raised", errand=self.errand.name, key=row.key, kind=type(error).__qualname__)
            outcome = Later(f"raised {type(error).__qualname__}", unknown=True)
        reached(f"+call.{self.errand.name}")
        logger.info(
            "errand.called",
            errand=self.errand.name,
            key=row.key,
            attempt=row.attempts,
            outcome=type(outcome).__name__.lower(),
            reason=getattr(outcome, "reason", None),
            duration_ms=round((clock.monotonic_s() - started_s) * 1000, 1),
        )
        self._ended.append((row, outcome))
        self._ended_some.set()

    async def _recording(self) -> None:
        while True:
            if not self._ended:
                self._ended_some.clear()
                await self._ended_some.wait()
                continue
            batch = [self._ended.popleft() for _ in range(min(RECORDED_ROWS_MAX, len(self._ended)))]
            await self._record(batch)
            for row, _ in batch:
                self._held.discard(row.key)
                self._calling.pop(row.key, None)
            self._changed.set()
            self._recorded_some.set()
            if self._room() > self.errand.slots // 2:
                self._sweep_wanted.set()

    async def _record(self, batch: Sequence[tuple[Claimed, Outcome]]) -> None:
        """Commit these outcomes, one by one if together they fail; wait for a database that is away."""
        while True:
            try:
                await self._record_together(batch)
                return
            except Exception as error:
                if postgres.is_transient(error):
                    logger.warning("errand.waited", errand=self.errand.name, kind=type(error).__qualname__)
                    await asyncio.sleep(clock.jittered(DATABASE_RETRY_S))
                elif len(batch) > 1:
                    for ended in batch:
                        await self._record([ended])
                    return
                else:
                    row, _ = batch[0]
                    kind = type(error).__qualname__
                    logger.error(
                        "errand.unrecordable", errand=self.errand.name, key=row.key, kind=kind, error=str(error)
                    )
                    reason = f"its outcome cannot be recorded: {kind}: {error}"
                    batch = [(row, Hold(reason.replace("\x00", "")))]

    async def _record_together(self, batch: Sequence[tuple[Claimed, Outcome]]) -> None:
        if self.desk is None:
            raise RuntimeError("The runner has no desk; the service sets it before it starts.")
        name = self.errand.name
        results = {row.key: (row, outcome.result) for row, outcome in batch if isinstance(outcome, Settled)}
        late = [_postponed(row, outcome) for row, outcome in batch if isinstance(outcome, (Later, OurFault))]
        faults = [outcome.reason for _, outcome in batch if isinstance(outcome, OurFault)]
        async with unit_of_work(self.desk, name) as work:
            if results:
                fresh = await store.settle(work.connection, name, list(results))
                if fresh:
                    await self.errand.record([results[key] for key in sorted(fresh)], work)
                if self._closed_until_s is not None:
                    await store.open_stage(work.connection, name)
            kept = await store.postpone(work.connection, name, late) if late else set()
            for row, outcome in batch:
                if isinstance(outcome, Hold):
                    await store.hold(work.connection, row, outcome.reason)
                    logger.error("errand.held", errand=name, key=row.key, reason=outcome.reason)
            if faults:
                await store.close_stage(work.connection, name, PROBE_EVERY_S, faults[0])
        reached(f"+commit.{name}")
        if results:
            self._closed_until_s = None
        if faults:
            logger.error("errand.stage_closed", errand=name, reason=faults[0], probe_every_s=PROBE_EVERY_S)
            self._closed_until_s = clock.monotonic_s() + PROBE_EVERY_S
        if len(kept) < len(late):
            logger.warning("errand.lease_lost", errand=name, rows=len(late) - len(kept))

    async def _sweeping(self) -> None:
        """Fetch rows that are due as far as there is room; a closed stage is probed with one row at a time."""
        while True:
            full = False
            try:
                if not self.stopping:
                    full = await self._sweep()
            except Exception as error:
                if not postgres.is_transient(error):
                    logger.error("errand.failed_to_sweep", errand=self.errand.name, kind=type(error).__qualname__)
            if not full:
                try:
                    async with asyncio.timeout(clock.jittered(SWEEP_EVERY_S)):
                        await self._sweep_wanted.wait()
                except TimeoutError:
                    continue
                finally:
                    self._sweep_wanted.clear()

    async def _sweep(self) -> bool:
        name, owner_id = self.errand.name, self._owner.owner_id
        async with self._pool.acquire() as connection:
            left_s = self.lease_s - LOST_LEASE_AGE_S
            await store.release_lost(connection, name, owner_id, self._held, left_s)
            room = self._room()
            closed = await store.stage(connection, name)
            if closed is not None:
                closed_s, reason, _ = closed
                self._closed_until_s = clock.monotonic_s() + closed_s
                room = min(room, 1) if closed_s <= 0 and not self._held else 0
                if room:
                    # Only one process probes: the next look finds the stage closed for another while.
                    await store.close_stage(connection, name, PROBE_EVERY_S, reason)
            else:
                self._closed_until_s = None
            if room <= 0:
                return False
            rows = await store.claim(connection, name, owner_id, self.lease_s, room)
        self.take(rows)
        return len(rows) == room and closed is None


def _postponed(row: Claimed, outcome: Later | OurFault) -> tuple[Claimed, float, str, bool, bool]:
    if isinstance(outcome, OurFault):
        return row, 0.0, outcome.reason.replace("\x00", ""), False, True
    # The wish of the outside is a lower bound and is not shortened; only our own back-off is jittered.
    backoff_s = clock.jittered(min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0 ** min(row.attempts - 1, 20)))
    after_s = backoff_s if outcome.after_s is None else min(OUTSIDE_WISH_S_MAX, max(outcome.after_s, 0.0))
    return row, after_s, outcome.reason.replace("\x00", ""), outcome.unknown, False
