"""The portal's side: it publishes applications with confirms, and hears its answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import aiormq
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic

from bench.applications import PORTAL
from bench.contenders.work import ISSUED
from shared import topology

IN_FLIGHT_MAX: Final = 500
LOOK_EVERY_S: Final = 0.2
PERSISTENT: Final = 2
DOOR_KEY: Final = "application.submitted." + PORTAL

Application = tuple[str, bytes]
"""Id and body."""


class Portal:
    """One portal over bare aiormq.

    Attributes:
        confirmed: when the broker confirmed each application, in seconds of a clock that never runs backwards.
        told: each answer as (application id, type), in the order they came.
        weak: answers that were not persistent, or lacked what the contract puts into their headers.
        issued: when it was told that a guarantee is issued.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.confirmed: dict[str, float] = {}
        self.issued: dict[str, float] = {}
        self.told: list[tuple[str, str]] = []
        self.weak = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Portal"]:
        """For the length of a block."""
        connection = await aiormq.connect(self._url)
        try:
            self._channel = cast(Channel, await connection.channel(publisher_confirms=True, on_return_raises=True))
            self._hearing = await connection.channel()
            yield self
        finally:
            await connection.close()

    async def publish(self, application: Application) -> None:
        """Publish one application and wait for the confirm."""
        name, body = application
        properties = Basic.Properties(content_type="application/json", delivery_mode=PERSISTENT, message_id=name)
        await self._channel.basic_publish(
            body,
            exchange=topology.APPLICATIONS,
            routing_key=DOOR_KEY,
            properties=properties,
            mandatory=True,
            wait=False,
        )
        self.confirmed[name] = time.monotonic()

    async def publish_all(self, applications: Sequence[Application]) -> None:
        """Publish all of them as fast as the broker confirms."""
        for first in range(0, len(applications), IN_FLIGHT_MAX):
            await asyncio.gather(*map(self.publish, applications[first : first + IN_FLIGHT_MAX]))

    async def publish_at(self, applications: Sequence[Application], per_s: float) -> None:
        """Publish them one by one, so many each second."""
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, application in enumerate(applications):
                await asyncio.sleep(max(0.0, began_s + number / per_s - time.monotonic()))
                group.create_task(self.publish(application))

    async def listen(self) -> None:
        """Hear answers from now on."""
        await self._hear(self._note)

    async def listen_and_forget(self) -> None:
        """Hear answers from now on and keep none of them: hundreds of thousands are told of a long backlog."""
        await self._hear(self._acknowledge)

    async def _hear(self, each: Callable[[DeliveredMessage], Coroutine[Any, Any, None]]) -> None:
        await self._hearing.basic_qos(prefetch_count=500)
        await self._hearing.basic_consume(topology.answer_queue(PORTAL), each)

    async def drained(self) -> None:
        """Wait until no answer waits to be heard."""
        waiting = 1
        while waiting:
            # Slept first, so that what was fetched last is acknowledged too before the connection may close.
            await asyncio.sleep(LOOK_EVERY_S)
            told = await self._channel.queue_declare(topology.answer_queue(PORTAL), passive=True)
            waiting = told.message_count or 0

    async def _note(self, message: DeliveredMessage) -> None:
        name, kind = json.loads(message.body)["application_id"], (message.routing_key or "").removeprefix(f"{PORTAL}.")
        if kind == ISSUED:
            self.issued.setdefault(name, time.monotonic())
        self.told.append((name, kind))
        properties = message.header.properties
        is_whole = {"cloudEvents_id", "cloudEvents_type", "cloudEvents_time"} <= (properties.headers or {}).keys()
        self.weak += properties.delivery_mode != PERSISTENT or not is_whole
        await self._acknowledge(message)

    async def _acknowledge(self, message: DeliveredMessage) -> None:
        await self._hearing.basic_ack(cast(Basic.Deliver, message.delivery).delivery_tag or 0, wait=False)
