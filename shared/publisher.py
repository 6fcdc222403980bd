"""The one place that publishes: mandatory, persistent, confirmed, on a connection of its own.

aiormq is used directly. A robust connection would hide for how long the broker was away and repeat on its own what
the outbox repeats knowingly; and a publish costs a third less. One channel serves one exchange, because returns are
matched by message id: two publishes with one id in flight on a channel would confirm the wrong one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs, urlsplit, urlunsplit

import aiormq
from aiormq.abc import AbstractConnection
from aiormq.channel import Channel

from shared.confirms import Batch, Unwritable
from shared.errors import Misconfigured, Transient
from shared.frames import Outgoing

PUBLISH_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
RECONNECT_AFTER_S = 0.2
HEARTBEAT_S = 10

UNVERIFIED = "no_verify_ssl"

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
        """Publish one message and wait for the broker's confirm.

        Raises:
            NotTaken: nacked; the message is not in any queue of ours.
            Unacceptable: returned as unroutable.
            Disputed: the channel was closed over this message or another; publish it alone to know.
            BrokerAway: no answer; it may or may not have landed.
        """
        (error,) = await self.publish_all([message])
        if error is not None:
            raise error

    async def publish_all(self, messages: Sequence[Outgoing]) -> list[NotTaken | BrokerAway | None]:
        """Publish these together, in their order on each exchange, and wait for every confirm.

        Returns:
            For each message, in the order given, nothing or the error that `publish` would have raised.
        """
        errors: list[NotTaken | BrokerAway | None] = [None] * len(messages)
        by_exchange: dict[str, list[int]] = {}
        for index, message in enumerate(messages):
            slot = (message.exchange, message.message_id)
            if slot in self._in_flight:
                errors[index] = NotTaken("The same message id is already in flight on this channel; try again later.")
            else:
                self._in_flight.add(slot)
                by_exchange.setdefault(message.exchange, []).append(index)
        try:
            groups = [[(index, messages[index]) for index in indices] for indices in by_exchange.values()]
            for told in await asyncio.gather(*map(self._publish_on_one_channel, groups)):
                for index, error in told.items():
                    errors[index] = error
        finally:
            for index in (index for indices in by_exchange.values() for index in indices):
                self._in_flight.discard((messages[index].exchange, messages[index].message_id))
        return errors

    async def _publish_on_one_channel(
        self, group: Sequence[tuple[int, Outgoing]]
    ) -> dict[int, NotTaken | BrokerAway | None]:
        batch: Batch | None = None
        broken: BaseException | None = None
        try:
            channel = await self._channel(group[0][1].exchange)
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                # While an alarm blocks the connection, what is written to it waits in its buffers and lands afterwards.
                await channel.connection.ready()
                batch = Batch(channel)
                await batch.write([message for _, message in group])
                await batch.confirmed()
        except (aiormq.exceptions.AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError) as error:
            broken = error
        finally:
            if batch is not None:
                batch.forget()
        told = batch.told if batch is not None else {}
        return {index: _judged(told.get(place, broken)) for place, (index, _) in enumerate(group)}

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


def _judged(error: BaseException | None) -> NotTaken | BrokerAway | None:
    match error:
        case None:
            return None
        case aiormq.exceptions.PublishError():
            judged: NotTaken | BrokerAway = Unacceptable(f"returned: {getattr(error.frame, 'reply_text', None)}")
        case aiormq.exceptions.DeliveryError():
            judged = NotTaken("refused by the broker (a full queue, or a queue without a leader)")
        case Unwritable():
            judged = Unacceptable(str(error))
        case _ if isinstance(error, _CLOSED_FOR_CONTENT):
            judged = Disputed(f"{type(error).__qualname__}: {error}")
        case _:
            judged = BrokerAway(f"{type(error).__qualname__}: {error}")
    judged.__cause__ = error
    return judged


def named_url(url: str, name: str) -> str:
    """The URL with the connection's name, by which the broker's own pages show it.

    An ``amqps`` URL is verified, by the authorities of ``?cafile=`` or of the machine.

    Raises:
        Misconfigured: if the URL says that the server's certificate is not to be looked at.
    """
    parts = urlsplit(url)
    if UNVERIFIED in parse_qs(parts.query, keep_blank_values=True):
        raise Misconfigured(f"Take {UNVERIFIED} out of the broker's URL, and name the authority by cafile instead.")
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}name={name}"))
