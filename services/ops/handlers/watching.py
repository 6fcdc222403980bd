"""What ops does by itself while it lives: look at doors and queues, reconcile, write the journal's head down."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.ops.domain.troubles import Seen, troubles_of
from services.ops.edge.doors import DoorAway, Doors
from services.ops.edge.queues import Depth, Queues
from services.ops.handlers.reconciling import Reconciler
from services.ops.store import alarms, desk
from services.ops.store import journal as journal_store
from services.ops.store.alarms import Alarm
from shared import clock, postgres
from shared.errors import Transient
from shared.logs import get_logger
from shared.service import Service
from shared.topology import SERVICES

WATCH_EVERY_S: Final = 2.0
RECONCILE_EVERY_S: Final = 30.0
HEAD_EVERY_S: Final = 60.0
HISTORY_S: Final = 3_600.0
POINT_EVERY_S: Final = 10.0
UNHEARD_S_MAX: Final = 60.0
"""Messages and no consumer: a restart takes less, and the broker may have lost the consumer with a node."""

UNHEARD: Final = "unheard"
MISSING_QUEUE: Final = "missing_queue"

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Flow:
    """Everything as it was seen last.

    Attributes:
        services: by service, what its door said, or None when it did not answer.
        queues: how deep each is; None when the broker does not answer.
    """

    at: datetime
    services: dict[str, dict[str, Any] | None]
    queues: Sequence[Depth] | None


@dataclass(slots=True)
class Watch:
    """Looks at doors and queues every `WATCH_EVERY_S`, and keeps an hour of points for charts.

    Attributes:
        names: the queues that are asked for.
        since: by kind and what it is about, when a trouble that shows at doors and queues was first seen.
        entry_no: the last entry of the journal that is in a point of the charts.
    """

    service: Service
    doors: Doors
    queues: Queues
    names: Sequence[str]
    flow: Flow | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    history: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=int(HISTORY_S / POINT_EVERY_S)))
    unheard_s: dict[str, float] = field(default_factory=dict)
    point_s: float = 0.0
    since: dict[tuple[str, str], datetime] = field(default_factory=dict)
    entry_no: int | None = None

    async def look(self) -> Flow:
        """Look once at everything, at the same time, and tell whoever waits for news."""
        answers = await asyncio.gather(*map(self._state, self.doors.services))
        told = await self.queues.depths(self.names)
        depths = None if told is None else told[0]
        flow = Flow(clock.now(), dict(zip(self.doors.services, answers, strict=True)), depths)
        # People see it before it is written down: what is wrong may be the database itself.
        wrong = troubles_of(seen(flow), {})
        self.since = {one.key: self.since.get(one.key, flow.at) for one in wrong}
        async with self.changed:
            self.flow = flow
            self.changed.notify_all()
        if told is not None:
            await self._queue_alarms(told[0], told[1])
        await self._keep_point(flow)
        return flow

    async def _state(self, name: str) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = await self.doors.look(name, "/state")
        except DoorAway:
            return None
        return state

    async def _keep_point(self, flow: Flow) -> None:
        now_s = clock.monotonic_s()
        if now_s - self.point_s >= POINT_EVERY_S:
            self.point_s = now_s
            states = {name: state for name, state in flow.services.items() if state}
            self.history.append(
                {
                    "at": flow.at,
                    "queues": {one.queue: one.messages for one in flow.queues or () if one.messages},
                    "outbox": {name: state["outbox"]["rows"] for name, state in states.items()},
                    "outsides": {
                        stage["errand"]: sum(stage["rows"][which] for which in ("due", "calling", "waiting", "held"))
                        for state in states.values()
                        for stage in state["stages"]
                    },
                    "told": await self._told(),
                }
            )

    async def _told(self) -> dict[str, int]:
        """How many facts of each type came into the journal since the point before."""
        async with self.service.pool.acquire() as connection:
            if self.entry_no is None:
                self.entry_no = await journal_store.last_entry(connection)
                return {}
            told, self.entry_no = await journal_store.counted_after(connection, self.entry_no)
        return told

    async def _queue_alarms(self, depths: Sequence[Depth], missing: Sequence[str]) -> None:
        now_s = clock.monotonic_s()
        silent = {one.queue for one in depths if one.messages and not one.consumers and _is_ours(one.queue)}
        self.unheard_s = {queue: self.unheard_s.get(queue, now_s) for queue in silent}
        found = [queue for queue, since_s in self.unheard_s.items() if now_s - since_s >= UNHEARD_S_MAX]
        await self._sound(UNHEARD, found, "messages and no consumer")
        await self._sound(MISSING_QUEUE, missing, "this queue is missing on the broker; run `hosho topology apply`")

    async def _sound(self, kind: str, queues: Sequence[str], told: str) -> None:
        async with self.service.pool.acquire() as connection, connection.transaction():
            for queue in sorted(queues):
                if await alarms.sound(connection, Alarm(kind, queue, told, [queue])):
                    logger.error("alarm.raised", kind=kind, key=queue, told=told)
            cleared = await alarms.clear_others(connection, kind, queues)
        for queue in cleared:
            logger.info("alarm.cleared", kind=kind, key=queue)


def seen(flow: Flow) -> Seen:
    """What can be wrong at doors and queues."""
    depths = {one.queue: (one.messages, one.consumers) for one in flow.queues or () if _is_ours(one.queue)}
    return Seen(flow.at, flow.services, None if flow.queues is None else depths)


def _is_ours(queue: str) -> bool:
    return queue.partition(".")[0] in SERVICES


async def told_head(service: Service) -> None:
    """Write the head of the journal into the log, which others keep: a journal cut short then no longer fits."""
    async with service.pool.acquire() as connection:
        head = await journal_store.head(connection)
        parked = await desk.open_counts(connection)
    logger.info("journal.head", batch_no=head.batch_no, entries=head.entries, chain=head.chain.hex())
    if parked:
        logger.info("desk.waiting", facts=sum(facts for _, facts, _ in parked))


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do this again and again; what time heals is waited for, with a line in the log."""
    while True:
        try:
            await work()
        except (*postgres.FAILURES, Transient) as error:
            if not (isinstance(error, Transient) or postgres.is_transient(error)):
                raise
            logger.warning("watch.failed", error=postgres.told(error))
        await asyncio.sleep(seconds)


def lives(service: Service, watch: Watch, reconciler: Reconciler) -> list[Callable[[], Any]]:
    """What runs beside the consumers."""
    return [
        lambda: every(WATCH_EVERY_S, watch.look),
        lambda: every(RECONCILE_EVERY_S, reconciler.look),
        lambda: every(HEAD_EVERY_S, lambda: told_head(service)),
    ]
