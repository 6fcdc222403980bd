"""How much waits in the queues, asked of the broker by passive declares: they need no administrator's rights."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiormq
from aiormq.abc import AbstractConnection

from shared.publisher import named_url

ASK_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue: messages that are with no consumer, and how many consume."""

    queue: str
    messages: int
    consumers: int


class Queues:
    """A connection of its own that only asks."""

    def __init__(self, url: str) -> None:
        self._url = named_url(url, "ops-watching")
        self._connection: AbstractConnection | None = None

    async def depths(self, names: Sequence[str]) -> tuple[list[Depth], list[str]] | None:
        """The depth of each queue, and the names of those that are missing; None when the broker does not answer."""
        found: list[Depth] = []
        missing: list[str] = []
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                channel = await self._channel()
                for name in names:
                    try:
                        told = await channel.queue_declare(name, passive=True)
                        found.append(Depth(name, told.message_count or 0, told.consumer_count or 0))
                    except aiormq.exceptions.ChannelNotFoundEntity:
                        # The broker closes the channel over the question.
                        missing.append(name)
                        channel = await self._channel()
                await channel.close()
        except (aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError):
            await self.close()
            return None
        return found, missing

    async def _channel(self) -> aiormq.abc.AbstractChannel:
        if self._connection is None or self._connection.is_closed:
            self._connection = await aiormq.connect(self._url)
        return await self._connection.channel(publisher_confirms=False)

    async def close(self) -> None:
        """Close the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed:
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    await connection.close()
            except (aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError):
                # It was broken already, which is why it is closed.
                return
