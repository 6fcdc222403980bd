"""Hearing and telling over bare aiormq: one connection each way, one channel for each queue and each exchange."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import aiormq
from aiormq.abc import AbstractConnection, DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic
from pydantic_core import from_json, to_json

from bench.contenders.work import Json, answer_headers
from shared import topology

BATCH_FACTS_MAX: Final = 100
PREFETCH: Final = 300
BATCHES_AT_ONCE: Final = 2
PACK_FACTS_MAX: Final = 50
REFUSED_AGAIN_S: Final = 0.05
PERSISTENT: Final = 2


@dataclass(frozen=True, slots=True)
class Out:
    """One fact to be told: to the hearers of its type, or to the portal."""

    type: str
    application_id: str
    data: Json
    portal: str | None = None

    def event(self) -> bytes:
        """As a CloudEvent, for hearers."""
        identity = f"{self.application_id}/{self.type}"
        return to_json(
            {
                "specversion": "1.0",
                "id": identity,
                "source": "/bench",
                "type": self.type,
                "subject": self.application_id,
                "time": _now(),
                "datacontenttype": "application/json",
                "correlation": self.application_id,
                "data": self.data,
            }
        )


def _now() -> str:
    return datetime.now(UTC).isoformat()


Stage = Callable[[Sequence[Any]], Awaitable[list[Out]]]
"""What one stage does with what it heard; the data of facts, or bodies at the door."""


class Teller:
    """Publishes with confirms, mandatory and persistent."""

    def __init__(self, connection: AbstractConnection, *, packed: bool) -> None:
        self._connection = connection
        self._packed = packed
        self._channels: dict[str, Channel] = {}

    async def open(self) -> None:
        """Open one channel for each exchange."""
        for exchange in (topology.EVENTS, topology.PORTALS):
            channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._channels[exchange] = cast(Channel, channel)

    async def tell(self, outs: Sequence[Out]) -> None:
        """Publish all of these and wait for every confirm."""
        alone = (out for out in outs if out.portal is not None)
        heard = [out for out in outs if out.portal is None]
        await asyncio.gather(*map(self._answer, alone), *self._events(heard))

    def _events(self, outs: Sequence[Out]) -> Iterable[Awaitable[None]]:
        if not self._packed:
            return (
                self._publish(
                    topology.EVENTS,
                    out.type,
                    out.event(),
                    Basic.Properties(
                        content_type="application/json",
                        delivery_mode=PERSISTENT,
                        message_type=out.type,
                        message_id=f"{out.application_id}/{out.type}",
                    ),
                )
                for out in outs
            )
        chunks = [outs[first : first + PACK_FACTS_MAX] for first in range(0, len(outs), PACK_FACTS_MAX)]
        return (
            self._publish(
                topology.EVENTS,
                chunk[0].type,
                b"[%s]" % b",".join(out.event() for out in chunk),
                Basic.Properties(
                    content_type="application/json",
                    delivery_mode=PERSISTENT,
                    message_type=chunk[0].type,
                    message_id=f"{chunk[0].application_id}/{chunk[0].type}",
                ),
            )
            for chunk in chunks
        )

    async def _answer(self, out: Out) -> None:
        assert out.portal is not None
        properties = Basic.Properties(
            content_type="application/json",
            delivery_mode=PERSISTENT,
            message_type=out.type,
            message_id=f"{out.application_id}/{out.type}/{out.data.get('to')}",
            correlation_id=out.application_id,
            headers=answer_headers(out.type, out.application_id, _now()),
        )
        await self._publish(topology.PORTALS, topology.answer_key(out.portal, out.type), to_json(out.data), properties)

    async def _publish(self, exchange: str, key: str, body: bytes, properties: Basic.Properties) -> None:
        while True:
            try:
                await self._channels[exchange].basic_publish(
                    body, exchange=exchange, routing_key=key, properties=properties, mandatory=True, wait=False
                )
                return
            except aiormq.exceptions.DeliveryError:
                # A full queue refuses; what is not acknowledged waits here.
                await asyncio.sleep(REFUSED_AGAIN_S)


class Hearer:
    """Takes from one queue what waits there, together."""

    def __init__(self, queue: str, stage: Stage, teller: Teller, *, is_door: bool = False) -> None:
        self._queue, self._stage, self._teller, self._is_door = queue, stage, teller, is_door
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._arrived = asyncio.Event()

    async def run(self, connection: AbstractConnection) -> None:
        """Hear until the process ends."""
        channel = await connection.channel()
        await channel.basic_qos(prefetch_count=PREFETCH)
        await channel.basic_consume(self._queue, self._note)
        await asyncio.gather(*(self._work(cast(Channel, channel)) for _ in range(BATCHES_AT_ONCE)))

    async def _note(self, message: DeliveredMessage) -> None:
        self._waiting.append((cast(Basic.Deliver, message.delivery).delivery_tag or 0, message.body))
        self._arrived.set()

    async def _work(self, channel: Channel) -> None:
        while True:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            tags: list[int] = []
            heard: list[Any] = []
            while self._waiting and len(heard) < BATCH_FACTS_MAX:
                tag, body = self._waiting.popleft()
                tags.append(tag)
                heard += [body] if self._is_door else _data_of(body)
            await self._teller.tell(await self._stage(heard))
            for tag in tags:
                await channel.basic_ack(tag, wait=False)


def _data_of(body: bytes) -> list[Json]:
    events = from_json(body)
    return [event["data"] for event in events] if isinstance(events, list) else [events["data"]]
