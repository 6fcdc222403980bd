"""A line between a client and a server that a test can cut, or hold so that nothing comes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """A TCP line to one server, on a port of its own. Clients use `url` instead of the server's."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.refused = 0
        self.broken = False

    @property
    def url(self) -> str:
        """The server's URL, through this line."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        login = self._target.netloc.rpartition("@")[0]
        return urlunsplit(self._target._replace(netloc=f"{login}@127.0.0.1:{port}"))

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection as a pulled plug would; new ones may be made at once."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def break_down(self) -> None:
        """Break every connection, and every new one too until `mend`."""
        self.broken = True
        self.cut()

    def mend(self) -> None:
        """Let connections be made again."""
        self.broken = False

    def hold(self) -> None:
        """Let nothing more through from client to server; the connections stand, like those to a blocked broker."""
        self._open.clear()

    def let_go(self) -> None:
        """Let through what was held."""
        self._open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.broken:
            self.refused += 1
            writer.transport.abort()
            return
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(self._pump(reader, far_writer, held=True), self._pump(far_reader, writer, held=False))
        finally:
            for end in pair:
                end.close()
            self._writers -= pair

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: bool) -> None:
        try:
            while data := await reader.read(65_536):
                if held:
                    await self._open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    """A line to the server of this URL, for the length of a block."""
    line = Wire(url)
    await line.start()
    try:
        yield line
    finally:
        await line.close()
