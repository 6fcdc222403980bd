"""AMQP as the contracts describe it: names, CloudEvents, confirmed publishing, listening that comes back."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

import aio_pika
from aio_pika import exceptions as amqp
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage

from simulators import clock
from simulators.program import tell

APPLICATIONS_EXCHANGE = "hosho.applications"
CORE_EXCHANGE = "hosho.core"
PAPER_QUEUE = "office.paper_ordered"

CONNECT_S_MAX = 10.0
CONFIRM_S_MAX = 15.0
PREFETCH_MESSAGES = 200
BACK_OFF_S_MIN = 0.2
BACK_OFF_S_MAX = 5.0
CANCEL_AGAIN_S = 1.5
"""Longer than a listener may need to close its connection after it was cancelled."""

CONNECTION_ERRORS = (amqp.AMQPError, amqp.ChannelInvalidStateError, ConnectionError, OSError, TimeoutError)


class NotConfirmed(Exception):
    """Raised when the broker did not confirm; the message may have landed all the same, so send the same id again."""


class Unroutable(Exception):
    """Raised when no queue takes this key; the topology is missing or the key is wrong."""


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent: its attributes and its data."""

    id: str
    type: str
    source: str
    subject: str
    time: str
    data: object


def binary_headers(event: Event) -> dict[str, str]:
    """The AMQP headers of a CloudEvent in binary mode."""
    return {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": event.id,
        "cloudEvents_source": event.source,
        "cloudEvents_type": event.type,
        "cloudEvents_subject": event.subject,
        "cloudEvents_time": event.time,
    }


def read_events(body: bytes, content_type: str | None, headers: Mapping[str, object]) -> list[Event]:
    """The events in a message: a pack, one structured event, or one in binary mode. Raises ValueError."""
    value = json.loads(body)
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json":
        if not isinstance(value, list):
            raise ValueError("A pack is a JSON array.")
        return [_structured(one) for one in value]
    if kind == "application/cloudevents+json":
        return [_structured(value)]
    named = {name.removeprefix("cloudEvents_").removeprefix("cloudEvents:"): text for name, text in headers.items()}
    return [_event(named, value)]


def _structured(value: object) -> Event:
    if not isinstance(value, dict):
        # The sender's mistake, not the caller's, so no TypeError.
        raise ValueError("An event is a JSON object.")
    return _event(value, value.get("data"))


def _event(attributes: Mapping[str, object], data: object) -> Event:
    text = {name: str(attributes.get(name) or "") for name in ("id", "type", "source", "subject", "time")}
    return Event(**text, data=data)


class Sender:
    """Publishes to one exchange: persistent, mandatory, with confirms, on a connection made when needed."""

    def __init__(self, url: str, exchange: str) -> None:
        self._url = url
        self._name = exchange
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None
        self._opening = asyncio.Lock()
        # Returned messages are matched by message_id, so two with one id must not be in flight together.
        self._in_flight: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, message: aio_pika.Message, routing_key: str) -> None:
        """Returns once the broker has confirmed. Raises NotConfirmed or Unroutable."""
        lock = self._in_flight.setdefault(message.message_id or "", asyncio.Lock())
        async with lock:
            try:
                async with asyncio.timeout(CONFIRM_S_MAX):
                    exchange = await self._open()
                    await exchange.publish(message, routing_key, mandatory=True)
            except amqp.PublishError as error:
                raise Unroutable(f"No queue takes {routing_key}.") from error
            except CONNECTION_ERRORS as error:
                await self.close()
                raise NotConfirmed(f"The broker did not confirm {routing_key}: {type(error).__name__}.") from error

    async def close(self) -> None:
        """Closes the connection; the next send makes another."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            with suppress(*CONNECTION_ERRORS):
                await asyncio.wait_for(connection.close(), BACK_OFF_S_MAX)

    async def _open(self) -> AbstractExchange:
        async with self._opening:
            if self._exchange is None or self._connection is None or self._connection.is_closed:
                self._connection = await aio_pika.connect(self._url, timeout=CONNECT_S_MAX)
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                self._exchange = await channel.get_exchange(self._name, ensure=False)
            return self._exchange


Take = Callable[[Sequence[AbstractIncomingMessage]], Awaitable[None]]


class Listener:
    """Reads one queue for ever; what it hands over is acknowledged when the taker returns."""

    def __init__(self, url: str, queue: str, take: Take) -> None:
        self._url = url
        self._queue = queue
        self._take = take
        self._task: asyncio.Task[None] | None = None
        self.listening = False

    def start(self) -> None:
        """Begins to listen; a broker that is away is tried again."""
        self._task = asyncio.create_task(self._for_ever())
        self._task.add_done_callback(_tell_end)

    async def stop(self) -> None:
        """Ends listening; what was not acknowledged comes again to the next one."""
        task = self._task
        while task is not None and not task.done():
            # On Python 3.11 a cancellation that meets the driver's own answer is swallowed by its `wait_for`, and a
            # listener that was cancelled once while it connects would listen on, and we would wait, for ever.
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)

    def reasons(self) -> list[str]:
        """Why it is not ready."""
        return [] if self.listening else [f"not listening to {self._queue}"]

    async def _for_ever(self) -> None:
        pause_s = BACK_OFF_S_MIN
        while True:
            begun_s = clock.monotonic_s()
            try:
                await self._until_broken()
            except CONNECTION_ERRORS as error:
                tell("listener.disconnected", level="warning", queue=self._queue, error=type(error).__name__)
            finally:
                self.listening = False
            long_enough = clock.monotonic_s() - begun_s > BACK_OFF_S_MAX
            pause_s = BACK_OFF_S_MIN if long_enough else min(pause_s * 2, BACK_OFF_S_MAX)
            await asyncio.sleep(pause_s)

    async def _until_broken(self) -> None:
        async with await aio_pika.connect(self._url, timeout=CONNECT_S_MAX) as connection:
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(PREFETCH_MESSAGES)
            heard: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

            def broken(_: AbstractChannel | AbstractConnection | None, __: BaseException | None = None) -> None:
                heard.put_nowait(None)

            channel.close_callbacks.add(broken)
            connection.close_callbacks.add(broken)
            queue = await channel.get_queue(self._queue, ensure=False)
            await queue.consume(heard.put)
            self.listening = True
            while (batch := await _next_batch(heard)) is not None:
                await self._take(batch)
                for message in batch:
                    await message.ack()


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        tell("listener.died", level="error", error=repr(error))


async def _next_batch(
    heard: asyncio.Queue[AbstractIncomingMessage | None],
) -> list[AbstractIncomingMessage] | None:
    batch: list[AbstractIncomingMessage] = []
    message = await heard.get()
    while message is not None:
        batch.append(message)
        if heard.empty() or len(batch) == PREFETCH_MESSAGES:
            return batch
        message = heard.get_nowait()
    return None
