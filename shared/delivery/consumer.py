"""The worker on one queue. `Consumer.settle` is the pipeline of every fact."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from shared import clock, inbox, metrics, postgres, tracing
from shared.crashpoints import reached
from shared.delivery.hearing import Ending, Hearing, Item, code_of, outcome_of
from shared.envelope import Fact
from shared.filling import fill_s
from shared.logs import get_logger
from shared.subscription import Delivery, Subscription
from shared.work import Desk, Work, unit_of_work
from shared.writes import Unexpected

BATCH_FACTS_MAX = 200
BATCH_FACTS_MIN = 50
"""Below this a batch is mostly the cost of being a batch, and smaller ones would only make everybody slower."""

BATCH_S_WANTED = 0.25
"""Whoever comes next waits for the batch before it: batches shrink when they take longer, and grow when they do not."""

RETRY_S_MIN = 0.1
RETRY_S_MAX = 2.0
OUTAGE_S_MIN = 60.0
ALARM_S_MIN = 300.0

logger = get_logger()


class Consumer:
    """One worker on one queue."""

    def __init__(
        self, hearing: Hearing, subscription: Subscription, desk: Callable[[], Desk], suspects: asyncio.Lock
    ) -> None:
        self.hearing = hearing
        self._suspects = suspects
        self.subscription = subscription
        self._desk = desk
        self.idle = asyncio.Event()
        self.idle.set()
        self.failing_since_s: float | None = None
        self._facts_max = BATCH_FACTS_MAX

    async def run(self) -> None:
        """Take and process until cancelled."""
        buffer = self.subscription.buffer
        filling_s, looked_s = 0.0, clock.monotonic_s()
        while True:
            if not buffer.waiting:
                buffer.arrived.clear()
                self.idle.set()
                await buffer.arrived.wait()
            self.idle.clear()
            wait_s = max(self.hearing.patience_s, filling_s)
            # A buffer that holds the whole prefetch gets nothing more by waiting.
            if wait_s and buffer.facts < self._facts_max and len(buffer.waiting) < self.hearing.prefetch:
                await asyncio.sleep(wait_s)
            async with self._admitted() as facts_max:
                await self._desk().relay.roomy()
                deliveries = buffer.take(min(facts_max or self._facts_max, self._facts_max))
                facts = sum(delivery.facts for delivery in deliveries)
                started_s = clock.monotonic_s()
                filling_s, looked_s = fill_s(facts, started_s - looked_s), started_s
                if deliveries:
                    await self.process(deliveries)
                    self._facts_max = _fitting(self._facts_max, facts, clock.monotonic_s() - started_s)

    async def drained(self) -> None:
        """Wait until everything that was noted is finished."""
        while self.subscription.buffer.waiting or not self.idle.is_set():
            # Between a delivery's noting and the worker's waking, the worker still looks idle.
            await asyncio.sleep(0)
            await self.idle.wait()

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[int | None]:
        if self.hearing.admits is None:
            yield None
        else:
            async with self.hearing.admits() as facts_max:
                yield facts_max

    async def process(self, deliveries: Sequence[Delivery]) -> None:
        """Bring these deliveries to their end and acknowledge them; wait as long as time has to heal something."""
        wait_s = RETRY_S_MIN
        counted: set[UUID] = set()
        while True:
            try:
                if deliveries[0].redelivered:
                    await self._settle_redelivered(deliveries[0], counted)
                else:
                    items = _distinct([item for delivery in deliveries for item in self.hearing.decode(delivery)])
                    await self.settle(items)
                break
            except Exception as error:
                if outcome_of(error) is not Ending.RETRY:
                    raise
                if not await self._wait_out(error, wait_s, counted):
                    return
                wait_s = min(RETRY_S_MAX, wait_s * 2)
        self.failing_since_s = None
        for incarnation in {id(delivery.incarnation): delivery.incarnation for delivery in deliveries}.values():
            await incarnation.acknowledge([d.tag for d in deliveries if d.incarnation is incarnation])
        reached(f"+ack.{self.hearing.queue}")

    async def settle(self, items: Sequence[Item], *, counted: bool = False) -> None:
        """One transaction for these items. A batch that fails is halved until the bad one is alone, then parked."""
        with tracing.batch(self.hearing.queue, items):
            await self._settle_together(items, counted=counted)

    async def _settle_together(self, items: Sequence[Item], *, counted: bool) -> None:
        started_s = clock.monotonic_s()
        try:
            done = None
            if not counted and not any(item.replay for item in items):
                done = await self._presumed(items)
            work, fresh = done or await self._step_by_step(items, counted=counted)
        except Exception as error:
            if outcome_of(error) is Ending.RETRY:
                raise
            if len(items) > 1:
                middle = len(items) // 2
                await self.settle(items[:middle], counted=counted)
                await self.settle(items[middle:], counted=counted)
            else:
                await self._park(items[0], code_of(error), postgres.told(error))
            return
        seconds = clock.monotonic_s() - started_s
        repeats, parked = len(items) - len(fresh), len(work.parked)
        metrics.settled(self.hearing.queue, facts=len(items), repeats=repeats, parked=parked, seconds=seconds)
        if parked:
            metrics.parked(self.hearing.queue, Counter(code for _, code, _ in work.parked))
        logger.info(
            "delivery.settled",
            queue=self.hearing.queue,
            facts=len(items),
            repeats=repeats,
            parked=parked,
            announced=len(work.announcements),
            duration_ms=round(seconds * 1000, 1),
        )

    async def _presumed(self, items: Sequence[Item]) -> tuple[Work, Sequence[Item]] | None:
        """Settle items that are presumed to be new; None where they were not, or where something else failed."""
        hearing = self.hearing
        try:
            async with unit_of_work(self._desk(), hearing.queue, presumes=True, locks=hearing.locks) as work:
                if hearing.remembers:
                    identities = [(item.id, item.digest, item.replay) for item in items]
                    await work.fresh(inbox.admission(hearing.queue, identities), [item.id for item in items])
                await hearing.handle(items, work)
                if work.parked and hearing.remembers:
                    # The inbox would have to note them both as done and as parked.
                    work.look()
        except Exception as error:
            if outcome_of(error) is Ending.RETRY and not isinstance(error, Unexpected):
                raise
            # Whatever it is, step by step it comes again, and is judged there.
            metrics.looked(hearing.queue)
            return None
        return work, items

    async def _step_by_step(self, items: Sequence[Item], *, counted: bool) -> tuple[Work, Sequence[Item]]:
        """Settle those items that are new, looking before each decision."""
        async with unit_of_work(self._desk(), self.hearing.queue) as work:
            fresh = await self._admit(items, work) if self.hearing.remembers else items
            if not self.hearing.remembers and any(item.replay for item in items):
                await inbox.note_replayed(work.connection, self.hearing.queue, items)
            if fresh:
                await self.hearing.handle(fresh, work)
            if counted:
                await inbox.forget_attempts(work.connection, self.hearing.queue, {item.id for item in items})
        return work, fresh

    async def _admit(self, items: Sequence[Item], work: Work) -> list[Item]:
        """The items that are new. One id with two contents is two facts under one name: the second is put aside."""
        first = {item.id: item for item in reversed(items)}
        identities = [(item.id, item.digest, item.replay) for item in first.values()]
        admitted = await work.fresh(inbox.admission(self.hearing.queue, identities), list(first))
        repeated = [identity for identity in identities if identity[0] not in admitted]
        changed = await inbox.with_another_digest(work.connection, self.hearing.queue, repeated) if repeated else set()
        for item in items:
            if item.id in changed or first[item.id] is not item:
                logger.error("delivery.changed_content", queue=self.hearing.queue, id=str(item.id))
                if isinstance(item, Fact):
                    work.put_aside(item, "same_id_other_content", "this id was heard before with other content")
        return [item for item in items if item.id in admitted and first[item.id] is item]

    async def _park(self, item: Item, code: str, reason: str) -> None:
        logger.error("delivery.parked", queue=self.hearing.queue, id=str(item.id), code=code, reason=reason[:500])
        metrics.parked(self.hearing.queue, {code: 1})
        async with unit_of_work(self._desk(), self.hearing.queue) as work:
            # Another process may have brought it to its end meanwhile; then that stands.
            if not self.hearing.remembers or await self._admit([item], work):
                await self.hearing.park(item, code, reason, work)
            await inbox.forget_attempts(work.connection, self.hearing.queue, {item.id})

    async def _settle_redelivered(self, delivery: Delivery, counted: set[UUID]) -> None:
        """A redelivered pack may hold the fact that killed the last process, so each try is counted beforehand.

        The first time the pack runs whole; after a second death, fact by fact, so that only the killer gathers tries.
        `counted` holds what was counted for this delivery: who can try again has not died of it.
        """
        items = _distinct(self.hearing.decode(delivery))
        queue, pool = self.hearing.queue, self._desk().pool
        identities = [(item.id, item.digest, item.replay) for item in items]
        async with pool.acquire() as connection:
            done = await inbox.known(connection, queue, identities) if self.hearing.remembers else set()
            tried = await inbox.attempts(connection, queue, {item.id for item in items} - counted)
        # A replay is let in by the inbox itself, whatever it remembers.
        items = [item for item in items if (item.id, item.digest) not in done or item.replay > 0]
        groups = [[item] for item in items] if tried or counted else [items] if items else []
        for group in groups:
            over = [item for item in group if tried.get(item.id, 0) >= inbox.ATTEMPTS_MAX]
            if over:
                await self._park(over[0], "kills_its_process", f"{inbox.ATTEMPTS_MAX} tries ended with the process")
                continue
            # One suspect at a time in the whole process: else a killer in one queue condemns the heads of all others.
            async with self._suspects:
                uncounted = {item.id for item in group} - counted
                if uncounted:
                    async with postgres.transaction(pool) as connection:
                        await inbox.count_attempts(connection, queue, uncounted)
                    counted |= uncounted
                await self.settle(group, counted=True)

    async def _wait_out(self, error: Exception, wait_s: float, counted: Collection[UUID]) -> bool:
        """Wait before the next try; after `OUTAGE_S_MIN` give everything back once and wait for the database.

        Gives back whether the same deliveries may be tried again.
        """
        now_s = clock.monotonic_s()
        metrics.waited(self.hearing.queue)
        if self.failing_since_s is None:
            self.failing_since_s = now_s
            logger.warning("delivery.waited", queue=self.hearing.queue, error=postgres.told(error))
        if now_s - self.failing_since_s < OUTAGE_S_MIN:
            await asyncio.sleep(clock.jittered(wait_s))
            return True
        # Unacknowledged messages would run into the broker's consumer time-out; one close counts one delivery.
        await self.subscription.give_back()
        await self._wait_for_database()
        with suppress(Exception):
            # Nothing died of the outage. Should this fail, the tries stay counted, which only parks earlier.
            async with self._desk().pool.acquire() as connection:
                await inbox.forget_attempts(connection, self.hearing.queue, counted)
        await self.subscription.resume()
        self.failing_since_s = None
        return False

    async def _wait_for_database(self) -> None:
        alarmed = False
        while not await postgres.is_writable(self._desk().pool):
            since_s = self.failing_since_s or clock.monotonic_s()
            if not alarmed and clock.monotonic_s() - since_s > ALARM_S_MIN:
                logger.error("delivery.outage", queue=self.hearing.queue, seconds=ALARM_S_MIN)
                alarmed = True
            await asyncio.sleep(clock.jittered(RETRY_S_MAX))


def _fitting(facts_max: int, facts: int, took_s: float) -> int:
    """How many facts the next batch may have, after one of so many took so long."""
    if took_s > BATCH_S_WANTED:
        return max(BATCH_FACTS_MIN, facts // 2) if facts > BATCH_FACTS_MIN else facts_max
    # A batch that had room left proves nothing for a larger one.
    return facts_max if facts * 2 < facts_max else min(BATCH_FACTS_MAX, facts_max * 2)


def _distinct(items: Sequence[Any]) -> list[Any]:
    """The items without repeats of the same id and content, each at its first place; the latest replay stands."""
    kept: dict[tuple[UUID, bytes], Any] = {}
    for item in items:
        known = kept.get((item.id, item.digest))
        if known is None or item.replay > known.replay:
            kept[item.id, item.digest] = item
    return list(kept.values())
