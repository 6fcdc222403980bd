"""The recorder of one errand: it commits what calls brought, many in one commit, and what they tell of their stage."""

import asyncio
from collections.abc import Mapping, Sequence

from shared import clock, metrics, postgres
from shared.errands import Claimed, Errand, Hold, Later, OurFault, Outcome, Settled, stage_store, store
from shared.errands.backoff import postponed, writable
from shared.errands.breaker import Breaker, Edge, Tidings, judge, tidings_of
from shared.errands.gate import Gate
from shared.errands.stage_store import Change
from shared.logs import get_logger
from shared.work import Desk, Work, unit_of_work
from shared.writes import Unexpected

DATABASE_RETRY_S = 0.5

logger = get_logger()


class Recorder:
    """Records the outcomes of one errand in this process."""

    def __init__(self, errand: Errand, gate: Gate) -> None:
        self._errand, self._gate = errand, gate

    async def record(self, batch: Sequence[tuple[Claimed, Outcome]], desk: Desk) -> None:
        """Commit these outcomes, one by one if together they fail; wait for a database that is away."""
        while True:
            try:
                await self._record_together(batch, desk)
                return
            except Exception as error:
                if postgres.is_transient(error):
                    logger.warning("errand.waited", errand=self._errand.name, kind=type(error).__qualname__)
                    await asyncio.sleep(clock.jittered(DATABASE_RETRY_S))
                elif len(batch) > 1:
                    for ended in batch:
                        await self.record([ended], desk)
                    return
                else:
                    row, _ = batch[0]
                    reason = postgres.told(error)
                    logger.error("errand.unrecordable", errand=self._errand.name, key=row.key, error=reason)
                    if isinstance(batch[0][1], Hold):
                        # Not even that can be written; a person is called, and there is no hurry.
                        await asyncio.sleep(clock.jittered(DATABASE_RETRY_S))
                    batch = [(row, Hold(f"its outcome cannot be recorded: {reason}"))]

    async def _record_together(self, batch: Sequence[tuple[Claimed, Outcome]], desk: Desk) -> None:
        results = {row.key: (row, outcome.result) for row, outcome in batch if isinstance(outcome, Settled)}
        if len(results) < len(batch) or not self._is_well or not await self._presumed(results, desk):
            await self._step_by_step(batch, results, desk)

    @property
    def _is_well(self) -> bool:
        stage = self._gate.stage
        return stage is not None and stage.circuit.breaker is Breaker.CLOSED

    async def _presumed(self, results: Mapping[str, tuple[Claimed, object]], desk: Desk) -> bool:
        """Record last words that are presumed to be the first for each row; False where somebody was faster."""
        name = self._errand.name
        try:
            async with unit_of_work(desk, name, presumes=True, locks=False) as work:
                await work.fresh(store.settling(name, results), list(results))
                await self._errand.record([results[key] for key in sorted(results)], work)
        except Unexpected:
            return False
        return True

    async def _step_by_step(
        self, batch: Sequence[tuple[Claimed, Outcome]], results: Mapping[str, tuple[Claimed, object]], desk: Desk
    ) -> None:
        name, probe_key = self._errand.name, self._gate.probe_key
        late = [
            postponed(row, outcome, is_probe=row.key == probe_key)
            for row, outcome in batch
            if isinstance(outcome, (Later, OurFault))
        ]
        holds = [(row, outcome) for row, outcome in batch if isinstance(outcome, Hold)]
        async with unit_of_work(desk, name) as work:
            if results:
                fresh = await work.fresh(store.settling(name, results), list(results))
                if fresh:
                    await self._errand.record([results[key] for key in sorted(fresh)], work)
            kept = await store.postpone(work.connection, name, late) if late else set()
            if holds:
                await self._hold(holds, work)
            # The stage comes last: whoever holds its row makes all the others wait.
            retried = [row.key for row, _ in batch if row.attempts > 1]
            change = await self._tell(tidings_of([(row.key, outcome) for row, outcome in batch], retried), work)
        if change is not None:
            tell_of(change, self._gate)
            if change.is_one:
                desk.shout()
        if len(kept) < len(late):
            metrics.leases_lost(name, len(late) - len(kept))
            logger.warning("errand.lease_lost", errand=name, rows=len(late) - len(kept))

    async def _hold(self, holds: Sequence[tuple[Claimed, Hold]], work: Work) -> None:
        held = []
        for row, outcome in holds:
            if (one := await store.hold(work.connection, row, writable(outcome.reason))) is not None:
                held.append(one)
            logger.error("errand.held", errand=row.errand, key=row.key, reason=outcome.reason)
        if held and self._errand.held is not None:
            await self._errand.held(held, work)

    async def _tell(self, told: Tidings, work: Work) -> Change | None:
        """Let the stage hear what there is to hear; where all is well that costs nothing."""
        if self._is_well and not told.are_bad:
            return None
        return await stage_store.change(work.connection, self._errand.name, lambda now: judge(now.circuit, told))


def tell_of(change: Change, gate: Gate) -> None:
    """Remember a committed change and log it, once for each state that a stage comes into."""
    gate.saw(change.after)
    before, after = change.before, change.after
    if change.edge is None or before.circuit.breaker is after.circuit.breaker is Breaker.WAITING:
        return
    facts = {
        "errand": after.errand,
        "edge": change.edge,
        "breaker": after.circuit.breaker,
        "reason": after.reason,
        "until": after.until,
    }
    if change.edge is Edge.WAS_OUR_FAULT and before.cause is not Edge.WAS_OUR_FAULT:
        # Time does not heal this one.
        logger.error("stage.moved", **facts)
    elif change.edge in (Edge.KEPT_FAILING, Edge.WAS_OUR_FAULT, Edge.ASKED_TO_WAIT):
        logger.warning("stage.moved", **facts)
    else:
        logger.info("stage.moved", **facts)
