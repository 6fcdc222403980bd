"""Several publishes written to a channel at once, and their confirms.

aiormq makes a task, two time limits and a future with three callbacks for each publish; together they cost more than
the message. Here a batch is one write and one future. The channel's own records of what is in flight are kept as
aiormq keeps them, so that its reader settles what was written here; each outcome is tried with a real broker.
"""

import struct
from asyncio import Future
from collections.abc import Sequence
from typing import Any, cast

from aiormq.abc import ChannelFrame
from aiormq.channel import Channel

from shared.frames import Outgoing, frames_of


class Unwritable(Exception):
    """A message that cannot be put into frames."""


class Batch:
    """What one write to a channel holds.

    Attributes:
        told: by place in the batch, nothing for a message that the broker confirmed, or why it did not; a place that
            is missing was not answered.
    """

    def __init__(self, channel: Channel) -> None:
        self.told: dict[int, BaseException | None] = {}
        self._channel = channel
        # The channel rejects it when it closes.
        self._settled: Future[None] = channel.create_future()
        self._written: list[tuple[int, str]] = []
        self._unanswered = 0

    async def write(self, messages: Sequence[Outgoing]) -> None:
        """Hand the frames of all these to the connection; once.

        Raises:
            ChannelInvalidStateError: on a channel that is closed.
        """
        channel = self._channel
        async with channel.lock:
            payload = b"".join(self._framed(place, message) for place, message in enumerate(messages))
            self._unanswered = len(self._written)
            if not self._written:
                self._settled.set_result(None)
                return
            try:
                await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False))
            except BaseException:
                # The broker has seen none of them, and counts on from the last it saw.
                channel.delivery_tag -= len(self._written)
                for tag, _ in self._written:
                    channel.confirmations.pop(tag, None)
                raise

    def _framed(self, place: int, message: Outgoing) -> bytes:
        channel = self._channel
        try:
            frames = frames_of(message, channel.number, channel.connection.connection_tune.frame_max)
        except (ValueError, TypeError, AttributeError, struct.error) as error:
            self.told[place] = Unwritable(f"{type(error).__qualname__}: {error}")
            return b""
        channel.delivery_tag += 1
        channel.confirmations[channel.delivery_tag] = cast("Future[Any]", _Confirm(self, place))
        channel.message_id_delivery_tag[message.message_id] = channel.delivery_tag
        self._written.append((channel.delivery_tag, message.message_id))
        return frames

    async def confirmed(self) -> None:
        """Wait until the broker has answered for each of them.

        Raises:
            Exception: whatever closed the channel meanwhile.
        """
        await self._settled

    def forget(self) -> None:
        """Let the channel no longer match returns to these messages."""
        for tag, message_id in self._written:
            if self._channel.message_id_delivery_tag.get(message_id) == tag:
                del self._channel.message_id_delivery_tag[message_id]
        self._settled.cancel()

    @property
    def over(self) -> bool:
        """Whether nobody waits any more."""
        return self._settled.done()

    def answer(self, place: int, error: BaseException | None) -> None:
        """Note what the broker said about one message."""
        self.told[place] = error
        self._unanswered -= 1
        if not self._unanswered and not self._settled.done():
            self._settled.set_result(None)


class _Confirm:
    """Stands among a channel's confirmations where aiormq keeps a future, and is asked and told like one."""

    __slots__ = ("_batch", "_place")

    def __init__(self, batch: Batch, place: int) -> None:
        self._batch, self._place = batch, place

    def done(self) -> bool:
        return self._batch.over

    def cancelled(self) -> bool:
        return self._batch.over

    def set_result(self, _frame: object) -> None:
        self._batch.answer(self._place, None)

    def set_exception(self, error: BaseException) -> None:
        self._batch.answer(self._place, error)
