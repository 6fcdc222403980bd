"""A wire between any two programs that can be cut, slowed, throttled, closed, or left half open."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from deploy.local.ports import LOOPBACK
from tests.faults.pauses import lapse

CHUNK_BYTES: Final = 64 * 1024
LINGER_NONE: Final = struct.pack("ii", 1, 0)

Target = tuple[str, int]
"""A host and its port."""


class Wire:
    """A listening port of the loopback whose connections lead on to one port of one host.

    Attributes:
        name: who is connected with whom, as `issuer-postgres`.
        delay_s: how long each chunk is held up, in each direction.
        bytes_per_s: how fast a direction passes bytes on; None for as fast as they come.
        closed: whether new connections are reset at once.
        cuts: how many connections were cut so far.
        touched: how often a fault was felt: a connection cut or turned away, a chunk delayed, throttled or held.
    """

    def __init__(self, name: str, target_port: int, target_host: str = LOOPBACK) -> None:
        self.name = name
        self.target_port = target_port
        self.target_host = target_host
        self.port = 0
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.closed = False
        self.cuts = 0
        self.touched = 0
        self._passing = asyncio.Event()
        self._passing.set()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._lives: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on a free port, told by `port` from then on."""
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        self._passing.set()
        self.cut()
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many connections lead through the wire now."""
        return len(self._ends) // 2

    def cut(self) -> int:
        """Reset every connection, in both directions and without a farewell; gives back how many there were."""
        cut = self.connections
        self.cuts += cut
        self.touched += cut
        for end in list(self._ends):
            _reset(end)
        return cut

    def hold(self) -> None:
        """Half open: nothing passes any more and nothing is closed, as when a peer has lost its power."""
        self._passing.clear()

    def release(self) -> None:
        """Let everything that was held pass on."""
        self._passing.set()

    def mend(self) -> None:
        """Take back every fault."""
        self.delay_s, self.bytes_per_s, self.closed = 0.0, None, False
        self.release()

    @property
    def _troubled(self) -> bool:
        return bool(self.delay_s or self.bytes_per_s) or not self._passing.is_set()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A plain function with a task of ours: asyncio complains of a task of its own that is cancelled.
        life = asyncio.create_task(self._lead_on(reader, writer))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            self.touched += 1
            _reset(writer)
            return
        try:
            there, back = await asyncio.open_connection(self.target_host, self.target_port)
        except OSError:
            _reset(writer)
            return
        ends = {writer, back}
        self._ends |= ends
        try:
            ways = [asyncio.create_task(self._pass(reader, back)), asyncio.create_task(self._pass(there, writer))]
            try:
                # Nobody here half-closes, so the end of one direction is the end of both.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        finally:
            self._ends -= ends
            for end in ends:
                end.close()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):
            while chunk := await source.read(CHUNK_BYTES):
                self.touched += self._troubled
                if self.delay_s:
                    await lapse(self.delay_s)
                if self.bytes_per_s:
                    await lapse(len(chunk) / self.bytes_per_s)
                await self._passing.wait()
                target.write(chunk)
                await target.drain()


def _reset(end: asyncio.StreamWriter) -> None:
    plug = end.get_extra_info("socket")
    if plug is not None:
        with suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    end.transport.abort()


def _wire(name: str, target: int | Target) -> Wire:
    host, port = (LOOPBACK, target) if isinstance(target, int) else target
    return Wire(name, port, host)


@asynccontextmanager
async def wires(targets: Mapping[str, int | Target]) -> AsyncIterator[dict[str, Wire]]:
    """Wires by name, each to its target (a port of the loopback if only that is given), open for a block's length."""
    opened = {name: _wire(name, target) for name, target in targets.items()}
    try:
        for wire in opened.values():
            await wire.open()
        yield opened
    finally:
        for wire in opened.values():
            await wire.shut()
