"""The life of one delivery: take, decode, one transaction, acknowledge. Nothing else acknowledges.

A fact ends in exactly one of *done*, *retry* (time heals it: nothing is acknowledged, the consumer waits) and *park*
(nobody heals it: kept for the desk in the same commit). `Consumer.settle` is the pipeline; it fits a screen.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from shared import clock, inbox, postgres
from shared.envelope import Fact, Unreadable
from shared.errors import Transient, Unprocessable
from shared.logs import get_logger
from shared.messages import Message
from shared.subscription import Delivery, Subscription
from shared.work import Desk, Work, unit_of_work

BATCH_FACTS_MAX = 200
FILL_S_MAX = 0.02
RETRY_S_MIN = 0.1
RETRY_S_MAX = 2.0
OUTAGE_S_MIN = 60.0
ALARM_S_MIN = 300.0

M = TypeVar("M", bound=Message)

logger = get_logger()


class Item(Protocol):
    """What a delivery carries, as far as this module needs to know it."""

    @property
    def id(self) -> UUID:
        """Its identity."""

    @property
    def digest(self) -> bytes:
        """What tells two contents under one identity apart."""

    @property
    def replay(self) -> int:
        """How often the desk sent it again."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[M]):
    """A fact and its data as the model of its type. Handlers get these in the order they came."""

    fact: Fact
    data: M


Handler = Callable[[Sequence[Heard[Any]], Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one queue is consumed.

    Attributes:
        decode: from a delivery to its items; never raises.
        handle: what is to become true for these items, all new, inside the transaction of `Work`.
        park: how an item that no handler could take is given up.
        remembers: whether the inbox makes a second delivery a no-op. The door answers every delivery instead.
        admits: waits until a batch may be taken (back-pressure).
    """

    queue: str
    decode: Callable[[Delivery], Sequence[Any]]
    handle: Callable[[Sequence[Any], Work], Awaitable[None]]
    park: Callable[[Any, str, str, Work], Awaitable[None]]
    remembers: bool = True
    prefetch: int = 64
    admits: Callable[[], Any] | None = None


class Ending(StrEnum):
    """What an exception means for the fact that was being handled."""

    RETRY = "retry"
    PARK = "park"


def outcome_of(error: BaseException) -> Ending:
    """Whether time heals this error or nobody does. The only judgement of its kind."""
    if isinstance(error, Transient) or postgres.is_transient(error):
        return Ending.RETRY
    return Ending.PARK


def code_of(error: BaseException) -> str:
    """The code by which the desk groups what was parked for this error."""
    return error.code if isinstance(error, Unprocessable) else f"raised_{type(error).__name__}"


async def hear(message: type[M], handler: Handler, items: Sequence[Fact | Unreadable], work: Work) -> None:
    """Give a handler the facts it can read; park the others with the reason."""
    heard: list[Heard[M]] = []
    for item in items:
        if isinstance(item, Unreadable):
            work.park(item, "unreadable", item.reason)
        elif item.type != message.TYPE:
            work.park(item, "unexpected_type", f"{item.type} came where {message.TYPE} is heard")
        else:
            try:
                heard.append(Heard(item, message.model_validate(from_json(item.data))))
            except ValidationError as error:
                # The values stay out of the reason: they may be personal, and the parked fact has them.
                places = {".".join(map(str, one["loc"])): one["type"] for one in error.errors(include_input=False)}
                work.park(item, "invalid_data", f"the data does not fit {message.TYPE}: {places}")
    if heard:
        await handler(heard, work)


class Consumer:
    """One worker on one queue."""

    def __init__(self, hearing: Hearing, subscription: Subscription, desk: Callable[[], Desk]) -> None:
        self.hearing = hearing
        self.subscription = subscription
        self._desk = desk
        self.idle = asyncio.Event()
        self.idle.set()
        self.failing_since_s: float | None = None

    async def run(self) -> None:
        """Take and process until cancelled."""
        buffer = self.subscription.buffer
        busy = False
        while True:
            if not buffer.waiting:
                buffer.arrived.clear()
                self.idle.set()
                await buffer.arrived.wait()
            self.idle.clear()
            if busy and buffer.facts < BATCH_FACTS_MAX:
                await asyncio.sleep(FILL_S_MAX)
            async with self._admitted():
                deliveries = buffer.take(BATCH_FACTS_MAX)
                busy = sum(delivery.facts for delivery in deliveries) > 1
                if deliveries:
                    await self.process(deliveries)

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        if self.hearing.admits is None:
            yield
        else:
            async with self.hearing.admits():
                yield

    async def process(self, deliveries: Sequence[Delivery]) -> None:
        """Bring these deliveries to their end and acknowledge them; wait as long as time has to heal something."""
        wait_s = RETRY_S_MIN
        while True:
            try:
                if deliveries[0].redelivered:
                    await self._settle_redelivered(deliveries[0])
                else:
                    items = _distinct([item for delivery in deliveries for item in self.hearing.decode(delivery)])
                    await self.settle(items)
                break
            except Exception as error:
                if outcome_of(error) is not Ending.RETRY:
                    raise
                if not await self._wait_out(error, wait_s):
                    return
                wait_s = min(RETRY_S_MAX, wait_s * 2)
        self.failing_since_s = None
        for incarnation in {id(delivery.incarnation): delivery.incarnation for delivery in deliveries}.values():
            await incarnation.acknowledge([d.tag for d in deliveries if d.incarnation is incarnation])

    async def settle(self, items: Sequence[Item], *, counted: bool = False) -> None:
        """One transaction for these items. A batch that fails is halved until the bad one is alone, then parked."""
        started_s = clock.monotonic_s()
        try:
            async with unit_of_work(self._desk(), self.hearing.queue) as work:
                fresh = await self._admit(items, work) if self.hearing.remembers else items
                if fresh:
                    await self.hearing.handle(fresh, work)
                if counted:
                    await inbox.forget_attempts(work.connection, self.hearing.queue, {item.id for item in items})
        except Exception as error:
            if outcome_of(error) is Ending.RETRY:
                raise
            if len(items) > 1:
                middle = len(items) // 2
                await self.settle(items[:middle], counted=counted)
                await self.settle(items[middle:], counted=counted)
            else:
                await self._park(items[0], code_of(error), f"{type(error).__qualname__}: {error}")
            return
        logger.info(
            "delivery.settled",
            queue=self.hearing.queue,
            facts=len(items),
            repeats=len(items) - len(fresh),
            parked=len(work.parked),
            announced=len(work.announcements),
            duration_ms=round((clock.monotonic_s() - started_s) * 1000, 1),
        )

    async def _admit(self, items: Sequence[Item], work: Work) -> list[Item]:
        """The items that are new. One id with two contents is two facts under one name: the second is put aside."""
        first = {item.id: item for item in reversed(items)}
        identities = [(item.id, item.digest, item.replay) for item in first.values()]
        admitted = await inbox.admit(work.connection, self.hearing.queue, identities)
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
        async with unit_of_work(self._desk(), self.hearing.queue) as work:
            await self.hearing.park(item, code, reason, work)
            await inbox.forget_attempts(work.connection, self.hearing.queue, {item.id})

    async def _settle_redelivered(self, delivery: Delivery) -> None:
        """A redelivered pack may hold the fact that killed the last process, so each try is counted beforehand.

        The first time the pack runs whole; after a second death, fact by fact, so that only the killer gathers tries.
        """
        items = _distinct(self.hearing.decode(delivery))
        queue, pool = self.hearing.queue, self._desk().pool
        ids = {item.id for item in items}
        async with pool.acquire() as connection:
            done = await inbox.known(connection, queue, ids) if self.hearing.remembers else set()
            tried = await inbox.attempts(connection, queue, ids)
        # A replay is let in by the inbox itself, whatever it remembers.
        items = [item for item in items if item.id not in done or item.replay > 0]
        groups = [[item] for item in items] if tried else [items] if items else []
        for group in groups:
            over = [item for item in group if tried.get(item.id, 0) >= inbox.ATTEMPTS_MAX]
            if over:
                await self._park(over[0], "kills_its_process", f"{inbox.ATTEMPTS_MAX} tries ended with the process")
                continue
            async with postgres.transaction(pool) as connection:
                await inbox.count_attempts(connection, queue, {item.id for item in group})
            await self.settle(group, counted=True)

    async def _wait_out(self, error: Exception, wait_s: float) -> bool:
        """Wait before the next try; after `OUTAGE_S_MIN` give everything back once and wait for the database.

        Gives back whether the same deliveries may be tried again.
        """
        now_s = clock.monotonic_s()
        if self.failing_since_s is None:
            self.failing_since_s = now_s
            logger.warning("delivery.waited", queue=self.hearing.queue, kind=type(error).__qualname__, error=str(error))
        if now_s - self.failing_since_s < OUTAGE_S_MIN:
            await asyncio.sleep(clock.jittered(wait_s))
            return True
        # Unacknowledged messages would run into the broker's consumer time-out; one close counts one delivery.
        await self.subscription.give_back()
        await self._wait_for_database()
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


def _distinct(items: Sequence[Any]) -> list[Any]:
    """The items without repeats of the same id and content; the first one stands."""
    return list({(item.id, item.digest): item for item in items}.values())


async def park_fact(item: Fact | Unreadable, code: str, reason: str, work: Work) -> None:
    """How hearers of services' facts give one up."""
    work.park(item, code, reason)
