"""One queue as one process takes from it: a channel of its own, a buffer of deliveries, and the acks.

Delivery tags belong to a channel and count 1, 2, 3 … on it. So every subscription has a channel of its own, a buffer
entry remembers the channel incarnation it came through, and `multiple` acks reach only to the highest tag below
which every tag, noted or not, is settled. That makes the order in which tags are noted irrelevant: a delivery that
was held up on its way to us simply keeps the watermark below it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

import aiormq
from aio_pika import IncomingMessage
from aio_pika.abc import AbstractRobustChannel
from aiormq.abc import AbstractChannel
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from faststream.rabbit.utils import RabbitClientProperties

from shared.envelope import FACTS_HEADER, LANE_HEADER
from shared.logs import get_logger
from shared.publisher import HEARTBEAT_S, named_url
from shared.readable import read_everything
from shared.turns import in_turns

if TYPE_CHECKING:
    from faststream.rabbit.subscriber import RabbitSubscriber

RECONNECT_AFTER_S = 0.2
CANCEL_TIMEOUT_S = 5.0
RESUME_TIMEOUT_S = 10.0
TURNS_TO_BE_NOTED = 3
"""Turns of the loop between a frame's arrival and its `_note`: a task of aiormq's, one of aio-pika's, and one over."""

logger = get_logger()

read_everything()


class Incarnation:
    """One life of one channel, from its opening to its close."""

    def __init__(self, channel: AbstractChannel) -> None:
        self.channel = channel
        self._settled_above: set[int] = set()
        self._watermark = 0

    @property
    def is_closed(self) -> bool:
        """Whether the broker has taken back whatever was not acknowledged here."""
        return self.channel.is_closed

    async def acknowledge(self, tags: Sequence[int]) -> None:
        """Acknowledge these tags, with as few frames as the watermark allows.

        A channel that closed meanwhile is no error: the broker delivers again and the inbox makes that a no-op.
        """
        self._settled_above.update(tags)
        while self._watermark + 1 in self._settled_above:
            self._watermark += 1
            self._settled_above.discard(self._watermark)
        # Not the watermark itself: it may be a tag acknowledged before, and the broker closes a channel for that.
        below = max((tag for tag in tags if tag <= self._watermark), default=None)
        with suppress(aiormq.exceptions.ChannelInvalidStateError, ConnectionError, RuntimeError):
            if below is not None:
                await self.channel.basic_ack(below, multiple=True, wait=False)
            for tag in sorted(tag for tag in tags if tag > self._watermark):
                await self.channel.basic_ack(tag, wait=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that reached us and is not acknowledged yet. Its body is decoded only when it is taken."""

    incarnation: Incarnation
    tag: int
    body: bytes
    routing_key: str
    message_id: str | None
    content_type: str | None
    headers: Mapping[str, object]
    redelivered: bool
    user_id: str | None
    facts: int = 1
    lane: str = ""


@dataclass(slots=True)
class Buffer:
    """Deliveries that wait in memory, at most as many as the prefetch."""

    waiting: deque[Delivery] = field(default_factory=deque)
    facts: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, delivery: Delivery) -> None:
        """Note a delivery."""
        self.waiting.append(delivery)
        self.facts += delivery.facts
        self.arrived.set()

    def drop(self, incarnation: Incarnation) -> int:
        """Forget what came through a channel that closed: the broker will deliver it again."""
        kept = [delivery for delivery in self.waiting if delivery.incarnation is not incarnation]
        dropped = len(self.waiting) - len(kept)
        self.waiting = deque(kept)
        self.facts = sum(delivery.facts for delivery in kept)
        return dropped

    def take(self, facts_max: int) -> list[Delivery]:
        """The next deliveries to be handled together, the lanes in turns; a redelivered one is always alone."""
        taken: list[Delivery] = []
        facts = 0
        self.waiting = in_turns(self.waiting, lambda delivery: delivery.lane)
        while self.waiting:
            following = self.waiting[0]
            if taken and (following.redelivered or facts + following.facts > facts_max):
                break
            self.waiting.popleft()
            self.facts -= following.facts
            if following.incarnation.is_closed:
                continue
            taken.append(following)
            facts += following.facts
            if following.redelivered:
                break
        return taken


class Subscription:
    """A FastStream subscriber whose handler only notes the delivery in the buffer."""

    def __init__(self, broker: RabbitBroker, queue: str, prefetch: int) -> None:
        self.queue = queue
        self.buffer = Buffer()
        self._incarnation: Incarnation | None = None
        self._channel: AbstractRobustChannel | None = None
        # A channel of its own: on a shared one, acknowledging this queue would acknowledge its neighbours.
        self.subscriber: RabbitSubscriber = broker.subscriber(
            RabbitQueue(queue, declare=False),
            channel=Channel(prefetch_count=prefetch),
            ack_policy=AckPolicy.MANUAL,
            parser=_parse,
            decoder=_decode,
            no_reply=True,
        )
        self.subscriber(self._note)

    async def _note(self, raw: IncomingMessage) -> None:
        # Nothing is awaited between the wire and here.
        with suppress(aiormq.exceptions.ChannelInvalidStateError):
            self.buffer.put(_delivery(self._incarnation_of(raw.channel), raw))

    def _incarnation_of(self, channel: AbstractChannel) -> Incarnation:
        known = self._incarnation
        if known is None or known.channel is not channel:
            known = self._incarnation = Incarnation(channel)
            channel.closing.add_done_callback(partial(self._forget, known))
        return known

    def _forget(self, incarnation: Incarnation, _closed: object) -> None:
        dropped = self.buffer.drop(incarnation)
        if dropped:
            logger.info("channel.closed", queue=self.queue, dropped=dropped)

    async def cancel(self) -> None:
        """Ask the broker for no more, while what is on its way still arrives and can be finished.

        FastStream's own stop ignores deliveries that arrive while it waits; they would go back to the queue with
        their delivery count raised. So the consumer is cancelled first, at the broker.
        """
        queue, tag = self.subscriber._queue_obj, self.subscriber._consumer_tag  # noqa: SLF001 - no public way there.
        if queue is None or tag is None:
            return
        with suppress(aiormq.exceptions.AMQPError, ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(CANCEL_TIMEOUT_S):
                await queue.cancel(tag)
        self.subscriber._consumer_tag = None  # noqa: SLF001 - see above; stop() must not cancel it again.
        # What came before the broker's answer may still be on its way through the tasks that carry it to the buffer.
        for _ in range(TURNS_TO_BE_NOTED):
            await asyncio.sleep(0)

    async def give_back(self) -> None:
        """Cancel the consumer and close its channel once, so that the broker takes everything back together."""
        queue = self.subscriber._queue_obj  # noqa: SLF001 - no public way there.
        if queue is not None:
            self._channel = cast(AbstractRobustChannel, queue.channel)
        await self.cancel()
        await self.subscriber.stop()
        incarnation, self._incarnation = self._incarnation, None
        if incarnation is not None:
            with suppress(aiormq.exceptions.AMQPError, ConnectionError, RuntimeError):
                await incarnation.channel.close()
            self.buffer.drop(incarnation)

    async def resume(self) -> None:
        """Consume again after `give_back`, as soon as the broker lets us.

        The channel opens again by itself. Whoever consumes on it before it is ready gets no prefetch, which means an
        unbounded one.
        """
        while True:
            try:
                async with asyncio.timeout(RESUME_TIMEOUT_S):
                    if self._channel is not None:
                        await self._channel.ready()
                    await self.subscriber.start()
                return
            except (aiormq.exceptions.AMQPError, ConnectionError, RuntimeError, TimeoutError) as error:
                logger.warning("subscription.not_resumed", queue=self.queue, kind=type(error).__qualname__)
                await asyncio.sleep(RECONNECT_AFTER_S)

    @property
    def consuming(self) -> bool:
        """Whether the broker has a consumer of ours on this queue, as far as this side can tell."""
        queue, tag = self.subscriber._queue_obj, self.subscriber._consumer_tag  # noqa: SLF001 - no public way there.
        return queue is not None and tag is not None and not queue.channel.is_closed


def _delivery(incarnation: Incarnation, raw: IncomingMessage) -> Delivery:
    headers: dict[str, object] = dict(raw.headers or {})
    facts, lane = headers.get(FACTS_HEADER), headers.get(LANE_HEADER)
    return Delivery(
        incarnation=incarnation,
        tag=raw.delivery_tag or 0,
        body=raw.body,
        routing_key=raw.routing_key or "",
        message_id=raw.message_id,
        content_type=raw.content_type,
        headers=headers,
        redelivered=bool(raw.redelivered),
        user_id=raw.user_id,
        facts=facts if isinstance(facts, int) and facts > 0 else 1,
        lane=lane if isinstance(lane, str) else "",
    )


async def _parse(raw: IncomingMessage) -> RabbitMessage:
    # FastStream wants a message of its kind; what it would parse, we read ourselves from the raw one.
    return RabbitMessage(raw_message=raw, body=b"", message_id="", correlation_id="")


async def _decode(message: StreamMessage[IncomingMessage]) -> IncomingMessage:
    # The handler gets the raw message. Decoding that raised here would leave it unacknowledged for ever.
    return message.raw_message


def consuming_broker(url: str, name: str) -> RabbitBroker:
    """A broker connection that only consumes."""
    return RabbitBroker(
        named_url(url, name),
        client_properties=RabbitClientProperties(heartbeat=HEARTBEAT_S),
        reconnect_interval=RECONNECT_AFTER_S,
        fail_fast=False,
        apply_types=False,
        # FastStream tells of every message at this level; what is raised inside it comes at ERROR and must be seen.
        logger=logging.getLogger("faststream.rabbit"),
        log_level=logging.DEBUG,
    )
