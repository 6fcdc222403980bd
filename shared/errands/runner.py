"""The runner of one errand: slots that call, a recorder that commits whatever has ended.

A slot stays taken until its outcome is recorded, so nothing that the outside answered is ever dropped and memory is
bounded by the slots. A late failure under a stale token changes nothing; a late success is a fact and is recorded.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from shared import clock, postgres
from shared.crashpoints import reached
from shared.errands import Claimed, Errand, Hold, Later, OurFault, Outcome, Settled, store
from shared.errands.backoff import postponed, writable
from shared.lives import ended, together
from shared.logs import get_logger
from shared.owner import Owner
from shared.work import Desk, unit_of_work

PROBE_EVERY_S = 60.0
SWEEP_EVERY_S = 1.0
DATABASE_RETRY_S = 0.5
RECORDED_ROWS_MAX = 200
WAITING_PER_SLOT_MAX = 2
LOST_LEASE_AGE_S = 10.0
LEASE_MARGIN_S = 5.0
"""What a lease must have left when its call has timed out: time for the commit that claimed it, and for the record."""

logger = get_logger()


class Runner:
    """Runs one errand in this process."""

    def __init__(self, errand: Errand, pool: "postgres.Pool", owner: Owner) -> None:
        self._waiting_s_max = errand.lease_s - errand.call_timeout_s - LEASE_MARGIN_S
        if self._waiting_s_max <= 0:
            needed_s = errand.call_timeout_s + LEASE_MARGIN_S
            raise ValueError(f"{errand.name}: a call may take {errand.call_timeout_s} s; lease it over {needed_s} s.")
        self.errand = errand
        self.lease_s = errand.lease_s
        self.desk: Desk | None = None
        self.stopping = False
        self._pool, self._owner = pool, owner
        self._waiting: deque[tuple[Claimed, float]] = deque()
        self._uncalled: list[Claimed] = []
        self._calling: dict[str, asyncio.Task[None]] = {}
        self._ended: deque[tuple[Claimed, Outcome]] = deque()
        self._held: set[str] = set()
        self._reserved = 0
        self._closed_until_s: float | None = None
        self._changed = asyncio.Event()
        self._ended_some = asyncio.Event()
        self._recorded_some = asyncio.Event()
        self._sweep_wanted = asyncio.Event()
        self._others_wait = True
        owner.on_due(self._on_due)
        owner.on_buried(self._forget_waiting)

    @property
    def in_hand(self) -> int:
        """Rows in memory: waiting for a slot, being called, or waiting to be recorded."""
        return len(self._held)

    def reserve(self, rows: int) -> int:
        """See `work.Hands`."""
        # While rows wait in the table, new ones queue up behind them there: turns are fair only if all take theirs.
        if self.stopping or self._others_wait or self._closed_until_s is not None:
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
        taken_s = clock.monotonic_s()
        self._waiting.extend((row, taken_s) for row in fresh)
        self._held.update(row.key for row in fresh)
        self._changed.set()

    def _on_due(self) -> None:
        self._others_wait = True
        self._sweep_wanted.set()
        self._changed.set()

    def _forget_waiting(self) -> list[Claimed]:
        """Call none of the waiting rows; gives them back."""
        forgotten = [row for row, _ in self._waiting]
        self._waiting.clear()
        self._held.difference_update(row.key for row in forgotten)
        return forgotten

    def _leave_waiting(self) -> None:
        """Call none of the waiting rows, and free them in the table as if they had not been claimed."""
        self._uncalled += self._forget_waiting()
        self._sweep_wanted.set()

    @property
    def _may_call(self) -> bool:
        # Without its lock this process may be taken for dead, and others may call its rows any moment.
        return self._owner.alive and not self.stopping

    def _room(self) -> int:
        return self.errand.slots * WAITING_PER_SLOT_MAX - len(self._held) - self._reserved

    async def run(self) -> None:
        """Call, record and sweep until cancelled."""
        try:
            await together(self._starting(), self._recording(), self._sweeping())
        finally:
            await ended(list(self._calling.values()))

    async def drained(self, timeout_s: float) -> bool:
        """Start nothing new; wait until every running call is recorded. False when the time-out came first."""
        self.stopping = True
        self._leave_waiting()
        try:
            async with asyncio.timeout(timeout_s):
                while self._calling:
                    self._recorded_some.clear()
                    await self._recorded_some.wait()
        except TimeoutError:
            return False
        self._leave_waiting()
        with suppress(Exception):
            # Should this fail, the rows that were not called are found by whoever looks for the dead.
            await self._sweep()
        return True

    async def _starting(self) -> None:
        while True:
            while self._waiting and len(self._calling) < self.errand.slots and self._may_call:
                row, taken_s = self._waiting.popleft()
                if clock.monotonic_s() - taken_s > self._waiting_s_max:
                    self._waiting.appendleft((row, taken_s))
                    self._leave_waiting()
                else:
                    self._calling[row.key] = asyncio.create_task(self._call(row))
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
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something inside the call cancelled itself; nobody asked us to stop.
            logger.error("errand.raised", errand=self.errand.name, key=row.key, kind="CancelledError")
            outcome = Later("raised CancelledError", unknown=True)
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
                    reason = postgres.told(error)
                    logger.error("errand.unrecordable", errand=self.errand.name, key=row.key, error=reason)
                    if isinstance(batch[0][1], Hold):
                        # Not even that can be written; a person is called, and there is no hurry.
                        await asyncio.sleep(clock.jittered(DATABASE_RETRY_S))
                    batch = [(row, Hold(f"its outcome cannot be recorded: {reason}"))]

    async def _record_together(self, batch: Sequence[tuple[Claimed, Outcome]]) -> None:
        if self.desk is None:
            raise RuntimeError("The runner has no desk; the service sets it before it starts.")
        name = self.errand.name
        results = {row.key: (row, outcome.result) for row, outcome in batch if isinstance(outcome, Settled)}
        late = [postponed(row, outcome) for row, outcome in batch if isinstance(outcome, (Later, OurFault))]
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
                    await store.hold(work.connection, row, writable(outcome.reason))
                    logger.error("errand.held", errand=name, key=row.key, reason=outcome.reason)
            if faults:
                await store.close_stage(work.connection, name, PROBE_EVERY_S, writable(faults[0]))
        if results:
            self._closed_until_s = None
        if faults:
            logger.error("errand.stage_closed", errand=name, reason=faults[0], probe_every_s=PROBE_EVERY_S)
            self._closed_until_s = clock.monotonic_s() + PROBE_EVERY_S
            self._leave_waiting()
        if len(kept) < len(late):
            logger.warning("errand.lease_lost", errand=name, rows=len(late) - len(kept))

    async def _sweeping(self) -> None:
        """Fetch rows that are due as far as there is room; a closed stage is probed with one row at a time."""
        while True:
            full = False
            try:
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
            if self._uncalled:
                uncalled, self._uncalled = self._uncalled, []
                await store.release_uncalled(connection, name, owner_id, uncalled)
            if not self._may_call:
                return False
            await store.release_lost(connection, name, owner_id, self._held, self.lease_s - LOST_LEASE_AGE_S)
            closed = await store.stage(connection, name)
            room = self._room() if closed is None else await self._probes(connection, closed)
            if closed is None:
                self._closed_until_s = None
            if room <= 0:
                return False
            self._reserved += room
            try:
                rows = await store.claim(connection, name, owner_id, self.lease_s, room, self._held)
            finally:
                self._reserved -= room
        self.take(rows)
        self._others_wait = len(rows) == room
        return self._others_wait and closed is None

    async def _probes(self, connection: "postgres.Connection", closed_s: float) -> int:
        """How many rows may be called on a closed stage: one, by one process, when its time has come."""
        if self._closed_until_s is None:
            self._leave_waiting()
        self._closed_until_s = clock.monotonic_s() + closed_s
        if closed_s > 0 or self._held:
            return 0
        return 1 if await store.take_probe(connection, self.errand.name, PROBE_EVERY_S) else 0
