"""The one place that publishes: mandatory, persistent, confirmed, on a connection of its own.

aiormq is used directly. A robust connection would hide for how long the broker was away and repeat on its own what
the outbox repeats knowingly; and a publish costs a third less. One channel serves one exchange, because returns are
matched by message id: two publishes with one id in flight on a channel would confirm the wrong one.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import aiormq
from aiormq.abc import AbstractConnection
from aiormq.channel import Channel
from pamqp.commands import Basic

from shared.errors import Transient

PUBLISH_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
RECONNECT_AFTER_S = 0.2
HEARTBEAT_S = 10

PERSISTENT = 2

_CLOSED_FOR_CONTENT = (
    aiormq.exceptions.ChannelAccessRefused,
    aiormq.exceptions.ChannelNotFoundEntity,
    aiormq.exceptions.ChannelPreconditionFailed,
)


class BrokerAway(Transient):
    """The broker did not confirm in time or the connection broke; what was published may still have landed."""


class NotTaken(Transient):
    """The broker answered that it did not take the message: a full queue, or a queue without a leader; it will pass."""


class Unacceptable(NotTaken):
    """The broker will not take the message before a person acts: nobody hears it, or a right or an exchange lacks."""


class Disputed(Unacceptable):
    """The broker closed the channel over this message, or over another that was in flight with it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One AMQP message to be published."""

    exchange: str
    routing_key: str
    message_id: str
    body: bytes
    content_type: str
    headers: Mapping[str, str | int] | None = None
    type: str | None = None
    correlation_id: str | None = None
    user_id: str | None = None
    """The broker refuses a publish whose user_id is not the connection's own user, so hearers may believe it."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What a queue holds: messages that nobody has fetched, and how many consumers fetch."""

    messages: int
    consumers: int


class Publisher:
    """A connection that publishes and never consumes: a memory alarm may block it without stopping deliveries."""

    def __init__(self, url: str, name: str) -> None:
        self._url = f"{named_url(url, name)}&heartbeat={HEARTBEAT_S}"
        self._connection: AbstractConnection | None = None
        self._channels: dict[str, Channel] = {}
        self._connecting = asyncio.Lock()
        self._in_flight: set[tuple[str, str]] = set()

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._connection is not None and not self._connection.is_closed

    async def publish(self, message: Outgoing) -> None:
        """Publish and wait for the broker's confirm.

        Raises:
            NotTaken: nacked; the message is not in any queue of ours.
            Unacceptable: returned as unroutable.
            Disputed: the channel was closed over this message or another; publish it alone to know.
            BrokerAway: no answer; it may or may not have landed.
        """
        slot = (message.exchange, message.message_id)
        if slot in self._in_flight:
            raise NotTaken("The same message id is already in flight on this channel; try again after it ended.")
        self._in_flight.add(slot)
        try:
            channel = await self._channel(message.exchange)
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                # While an alarm blocks the connection, what is written to it waits in its buffers and lands afterwards.
                await channel.connection.ready()
                await channel.basic_publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    properties=_properties(message),
                    mandatory=True,
                    wait=False,
                )
        except aiormq.exceptions.PublishError as error:
            raise Unacceptable(f"returned: {getattr(error.frame, 'reply_text', None)}") from error
        except aiormq.exceptions.DeliveryError as error:
            raise NotTaken("refused by the broker (a full queue, or a queue without a leader)") from error
        except _CLOSED_FOR_CONTENT as error:
            raise Disputed(f"{type(error).__qualname__}: {error}") from error
        except (aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError) as error:
            raise BrokerAway(f"{type(error).__qualname__}: {error}") from error
        finally:
            self._in_flight.discard(slot)

    async def look_into(self, queue: str) -> Queued:
        """What a queue holds; nothing while the broker does not say."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                # On the channel that publishes nothing: a queue that is missing closes it.
                told = await (await self._channel("")).queue_declare(queue, passive=True)
        except (aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError):
            return Queued(0, 0)
        return Queued(told.message_count or 0, told.consumer_count or 0)

    async def _channel(self, exchange: str) -> Channel:
        channel = self._channels.get(exchange)
        if channel is not None and not channel.is_closed:
            return channel
        async with self._connecting:
            channel = self._channels.get(exchange)
            if channel is not None and not channel.is_closed:
                return channel
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                if self._connection is None or self._connection.is_closed:
                    await self._drop()
                    self._connection = await aiormq.connect(self._url)
                opened = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            # The abstract type does not know `wait`, which spares one wake-up per publish.
            channel = cast(Channel, opened)
            self._channels[exchange] = channel
            return channel

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._channels.clear()
        if connection is not None:
            # The peer may be gone already; a close that fails has nothing left to close.
            with suppress(aiormq.exceptions.AMQPError, ConnectionError, OSError, RuntimeError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await connection.close()

    async def connect(self) -> None:
        """Wait until a connection stands, trying every `RECONNECT_AFTER_S`."""
        while True:
            with suppress(aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError):
                await self._channel("")
                return
            await asyncio.sleep(RECONNECT_AFTER_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._drop()


def _properties(message: Outgoing) -> Basic.Properties:
    return Basic.Properties(
        content_type=message.content_type,
        delivery_mode=PERSISTENT,
        headers=dict(message.headers) if message.headers else None,
        message_id=message.message_id,
        message_type=message.type,
        correlation_id=message.correlation_id,
        user_id=message.user_id,
    )


def named_url(url: str, name: str) -> str:
    """The URL with the connection's name, by which the broker's own pages show it."""
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}name={name}"))
