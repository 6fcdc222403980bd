"""The runner of one errand: slots that call, a recorder that commits whatever has ended.

Only so many outcomes may wait to be recorded (`pace`): memory is bounded, and nothing that was answered is dropped.
A late failure under a stale token changes nothing; a late success is a fact and is recorded.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from shared import clock, metrics, postgres, tracing
from shared.crashpoints import reached
from shared.errands import Claimed, Errand, Later, Outcome, Sign, stage_store, store
from shared.errands.gate import Gate
from shared.errands.pace import RECORDED_ROWS_MAX, Pace
from shared.errands.recording import Recorder, tell_of
from shared.errands.stages import Stage, due_step, may_probe
from shared.lives import ended, together
from shared.logs import get_logger
from shared.owner import Owner
from shared.turns import in_turns, portal_of
from shared.work import Desk

SWEEP_EVERY_S = 1.0
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
        self.gate = Gate(errand)
        self.desk: Desk | None = None
        self.stopping = False
        self._recorder = Recorder(errand, self.gate)
        self._pool, self._owner = pool, owner
        self._waiting: deque[tuple[Claimed, float]] = deque()
        self._uncalled: list[Claimed] = []
        self._calling: dict[str, asyncio.Task[None]] = {}
        self._ended: deque[tuple[Claimed, Outcome]] = deque()
        self._held: set[str] = set()
        self._reserved = 0
        self._pace = Pace()
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
        """See `hands.Hands`."""
        # While rows wait in the table, new ones queue up behind them there: turns are fair only if all take theirs.
        if self.stopping or self._others_wait or not self.gate.is_open:
            return 0
        granted = max(0, min(rows, self._room()))
        self._reserved += granted
        return granted

    def give_back(self, rows: int) -> None:
        """See `hands.Hands`."""
        self._reserved -= rows

    def take(self, rows: Sequence[Claimed]) -> None:
        """See `hands.ErrandHands`. What a claim brings after the stop goes back at once."""
        fresh = [row for row in rows if row.key not in self._held]
        taken_s = clock.monotonic_s()
        together = [*self._waiting, *((row, taken_s) for row in fresh)]
        self._waiting = in_turns(together, lambda waiting: portal_of(waiting[0].correlation))
        self._held.update(row.key for row in fresh)
        if self.stopping:
            self._leave_waiting()
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
        if self.gate.probe_key not in self._held:
            self.gate.probe_key = None
        return forgotten

    def _leave_waiting(self) -> None:
        """Call none of the waiting rows, and free them in the table as if they had not been claimed."""
        if self._waiting:
            self._uncalled += self._forget_waiting()
            self._sweep_wanted.set()

    @property
    def _may_call(self) -> bool:
        # Without its lock this process may be taken for dead, and others may call its rows any moment.
        return self._owner.alive and not self.stopping

    def _desk(self) -> Desk:
        if self.desk is None:
            raise RuntimeError("The runner has no desk; the service sets it before it starts.")
        return self.desk

    def _room(self) -> int:
        ahead = self._pace.rows_ahead(self.gate.slots, is_open=self.gate.is_open) - len(self._held)
        return min(ahead, self.gate.calls_in_hand - len(self._waiting)) - self._reserved

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
            while self._waiting and self._may_call and self._may_begin(self._waiting[0][0]):
                row, taken_s = self._waiting.popleft()
                if clock.monotonic_s() - taken_s > self._waiting_s_max:
                    self._waiting.appendleft((row, taken_s))
                    self._leave_waiting()
                else:
                    self.gate.spend()
                    self._pace.begun()
                    self._calling[row.key] = asyncio.create_task(self._call(row))
            self._changed.clear()
            await self._changed.wait()

    def _may_begin(self, row: Claimed) -> bool:
        is_free = self._pace.has_slot(self.gate.slots, len(self._calling)) and self.gate.calls_in_hand > 0
        return is_free or row.key == self.gate.probe_key

    async def _call(self, row: Claimed) -> None:
        started_s = clock.monotonic_s()
        reached(f"-call.{self.errand.name}")
        try:
            async with asyncio.timeout(self.errand.call_timeout_s):
                with tracing.call(self.errand.name, row, row.attempts):
                    outcome = await self.errand.call(row)
        except TimeoutError:
            outcome = Later(f"no answer within {self.errand.call_timeout_s:g} s", unknown=True, sign=Sign.FAILING)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something inside the call cancelled itself; nobody asked us to stop.
            logger.error("errand.raised", errand=self.errand.name, key=row.key, kind="CancelledError")
            outcome = Later("raised CancelledError", unknown=True, sign=Sign.FAILING)
        except Exception as error:
            # A call returns its outcomes; one that raises has a bug, and nobody knows what the outside did.
            logger.error("errand.raised", errand=self.errand.name, key=row.key, kind=type(error).__qualname__)
            outcome = Later(f"raised {type(error).__qualname__}", unknown=True, sign=Sign.FAILING)
        reached(f"+call.{self.errand.name}")
        metrics.called(self.errand.name, type(outcome).__name__.lower(), clock.monotonic_s() - started_s)
        logger.info(
            "errand.called",
            errand=self.errand.name,
            key=row.key,
            attempt=row.attempts,
            outcome=type(outcome).__name__.lower(),
            reason=getattr(outcome, "reason", None),
            duration_ms=round((clock.monotonic_s() - started_s) * 1000, 1),
        )
        self._pace.ended(outcome)
        self._ended.append((row, outcome))
        self._ended_some.set()
        self._changed.set()

    async def _recording(self) -> None:
        while True:
            if not self._ended:
                self._ended_some.clear()
                await self._ended_some.wait()
            await self._pace.filled(len(self._ended))
            batch = [self._ended.popleft() for _ in range(min(RECORDED_ROWS_MAX, len(self._ended)))]
            await self._recorder.record(batch, self._desk())
            self._pace.recorded(outcome for _, outcome in batch)
            for row, _ in batch:
                self._held.discard(row.key)
                self._calling.pop(row.key, None)
                if row.key == self.gate.probe_key:
                    self.gate.probe_key = None
            if not self.gate.slots and self.gate.probe_key is None:
                self._leave_waiting()
            self._changed.set()
            self._recorded_some.set()
            # Where the last claim left nothing over, whatever comes later comes with a shout, or with the next sweep.
            if self._others_wait and self._room() > len(self._held):
                self._sweep_wanted.set()

    async def _sweeping(self) -> None:
        """Fetch rows that are due as far as there is room; a stage whose breaker is open is probed."""
        while True:
            full = False
            try:
                full = await self._sweep()
            except Exception as error:
                if not postgres.is_transient(error):
                    logger.error("errand.failed_to_sweep", errand=self.errand.name, kind=type(error).__qualname__)
            if not full:
                try:
                    async with asyncio.timeout(min(clock.jittered(SWEEP_EVERY_S), self.gate.pause_s_max or math.inf)):
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
            if self._pace.may_look(SWEEP_EVERY_S):
                await store.release_lost(connection, name, owner_id, self._held, self.lease_s - LOST_LEASE_AGE_S)
            stage = await self._look(connection)
            if may_probe(stage, self.errand.closing_hours, stage.at) and self.gate.probe_key is None:
                await self._probe(connection)
                return False
            if self.gate.calls_wanted and self.errand.calls_per_s_max is not None:
                wanted, limit = self.gate.calls_wanted, self.errand.calls_per_s_max
                self.gate.grant(await stage_store.take_tokens(connection, name, limit, wanted))
            room = self._room()
            if room <= 0:
                return False
            self._reserved += room
            try:
                rows = await store.claim(connection, name, owner_id, self.lease_s, room, self._held)
            finally:
                self._reserved -= room
        self.take(rows)
        self._others_wait = len(rows) == room
        return self._others_wait

    async def _look(self, connection: "postgres.Connection") -> Stage:
        """See how the stage stands, and take the step that time has brought."""
        if self.gate.stage is None:
            await stage_store.ensure(connection, self.errand.name)
        stage = await stage_store.read(connection, self.errand.name)
        self.gate.saw(stage)
        if due_step(stage) is not None:
            async with connection.transaction():
                change = await stage_store.change(connection, self.errand.name, due_step)
            tell_of(change, self.gate)
            stage = change.after
        if not self.gate.slots and self.gate.probe_key is None:
            self._leave_waiting()
        # A ramp lets more begin as time passes.
        self._changed.set()
        return stage

    async def _probe(self, connection: "postgres.Connection") -> None:
        """Call one row on a stage that is not called otherwise, if no other process does."""
        name, hours = self.errand.name, self.errand.closing_hours
        async with connection.transaction():
            taken = await stage_store.take_probe(connection, name, self._owner.owner_id, self.lease_s, hours)
        if taken is not None:
            change, row = taken
            tell_of(change, self.gate)
            self.gate.probe_key = row.key
            self.take([row])
