"""One HTTP connection within limits of time: nobody holds a place here by being slow, and a full house says so."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from shared.logs import get_logger
from shared.web import full_house, raw_problem

HEAD_S_MAX: Final = 10.0
"""From the first byte of a request, or from the connection's opening, to the end of its head."""

HEAD_BYTES_MAX: Final = 32 * 1024
"""What a head may have, all its lines together."""

ANSWER_S_MAX: Final = 30.0
"""How long an answer may wait for a client that does not read it."""

SEND_BUFFER_BYTES: Final = 64 * 1024
"""What the kernel keeps of answers that are not read yet. Left to itself it keeps megabytes for each connection, and a
client that never reads is served until they are full.
"""

CONNECTIONS_MAX: Final = 512
"""Connections that are served; those above are told to come again."""

CONNECTIONS_TOLD_MAX: Final = 768
"""Connections that are told anything; those above are closed at once, since a process may have 1,024 files open."""

LINGER_S_MAX: Final = 2.0
"""How long what is left of a refused request is read and thrown away, so that its sender can read the refusal."""

logger = get_logger()


class _Patient:
    """A transport whose `close` is the connection's to carry out."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedConnection(H11Protocol):
    """uvicorn's connection with the limits it has not: on the head, on a client that does not read, on their number."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting_for_head: asyncio.TimerHandle | None = None
        self._waiting_for_reader: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if there is a place; begin to wait for its first request."""
        super().connection_made(cast(asyncio.Transport, _Patient(transport, self._close)))
        self._plain = transport
        if (connected := transport.get_extra_info("socket")) is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        # Whatever the client does not read is noticed at once, not only when 64 KiB of it wait.
        transport.set_write_buffer_limits(high=0)
        if len(self.connections) > CONNECTIONS_TOLD_MAX:
            transport.abort()
            return
        if len(self.connections) > CONNECTIONS_MAX:
            self.app = full_house(self.app)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limits together with the connection."""
        self._stop_waiting()
        self.resume_writing()
        if self._lingering is not None:
            self._lingering.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on. Bytes that bring no request to its beginning have only so long; those of an answered one too."""
        if self._lingering is not None:
            return
        super().data_received(data)
        if self._is_serving:
            self._stop_waiting()
        elif self._waiting_for_head is None and not self.transport.is_closing():
            self._wait_for_head()

    def pause_writing(self) -> None:
        """The client does not read: it has only so long."""
        self.flow.pause_writing()
        self._waiting_for_reader = self.loop.call_later(ANSWER_S_MAX, self._abort)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._waiting_for_reader is not None:
            self._waiting_for_reader.cancel()
            self._waiting_for_reader = None
        self.flow.resume_writing()

    def send_400_response(self, _: str) -> None:
        """Answer what is no HTTP, as problem+json like everything else."""
        self._refuse(400)

    @property
    def _is_serving(self) -> bool:
        # None before the first request, whatever its annotation says.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait_for_head(self) -> None:
        self._waiting_for_head = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting_for_head is not None:
            self._waiting_for_head.cancel()
            self._waiting_for_head = None

    def _give_up(self) -> None:
        self._waiting_for_head = None
        if not self._is_serving:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        is_begun = False
        if self._is_serving:
            # Its application learns that nobody waits any more; what it still says goes nowhere.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            is_begun = self.cycle.response_started
        if not is_begun and not self.transport.is_closing():
            self.transport.write(raw_problem(status))
        self.transport.close()

    def _close(self) -> None:
        """Close, but let a client that still sends read the answer first: closing on unread bytes would reset it."""
        if self._lingering is not None or self._plain.is_closing():
            return
        if self.conn.their_state in (h11.SEND_BODY, h11.ERROR) and self._plain.can_write_eof():
            self._lingering = self.loop.call_later(LINGER_S_MAX, self._plain.close)
            self._plain.write_eof()
            self.flow.resume_reading()
        else:
            self._plain.close()

    def _abort(self) -> None:
        logger.warning("connection.unread", seconds=ANSWER_S_MAX)
        self.transport.abort()
