"""HTTP by hand, for clients that no library would be: slow ones, liars, and those that never read."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

ANSWER_S_MAX: Final = 60.0
SENT_AT_ONCE_BYTES: Final = 65_536

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Raw:
    """What came back, as far as it came; status 0 is a connection that was closed without a word."""

    status: int = 0
    headers: str = ""
    body: bytes = b""

    @property
    def is_problem(self) -> bool:
        """Whether it is problem+json that says the same status inside."""
        return "application/problem+json" in self.headers and self._told.get("status") == self.status

    @property
    def retry_after_s(self) -> int | None:
        """When to come again."""
        return _number(self.headers, "retry-after")

    @property
    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


def _number(headers: str, wanted: str) -> int | None:
    for line in headers.splitlines():
        name, _, value = line.partition(":")
        if name == wanted:
            return int(value)
    return None


@asynccontextmanager
async def connected(
    url: str, *, receive_bytes: int | None = None, send_bytes: int | None = None
) -> AsyncIterator[Streams]:
    """A connection to whoever serves this URL, with as large buffers of our own as wanted."""
    where = urlsplit(url)
    plug = socket.socket()
    plug.setblocking(False)
    if receive_bytes is not None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    if send_bytes is not None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
    await asyncio.get_running_loop().sock_connect(plug, (where.hostname, where.port))
    reader, writer = await asyncio.open_connection(sock=plug)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def head(method: str, path: str, token: str, *more: str) -> bytes:
    """The head of a request, with its empty line."""
    lines = [f"{method} {path} HTTP/1.1", "Host: intake.example", f"Authorization: Bearer {token}", *more, "", ""]
    return "\r\n".join(lines).encode()


async def answer_of(reader: asyncio.StreamReader) -> Raw:
    """The next answer, or as much of it as comes before the end."""
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            top = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, headers = int(top.split()[1]), top.lower()
            return Raw(status, headers, await reader.readexactly(_number(headers, "content-length") or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return Raw()


async def pour(writer: asyncio.StreamWriter, body: bytes, answered: "asyncio.Task[Raw]") -> int:
    """Send a body until it is through, or answered, or nobody takes it any more; gives back how much was taken."""
    taken = 0
    with suppress(ConnectionError):
        while taken < len(body) and not answered.done():
            writer.write(body[taken : taken + SENT_AT_ONCE_BYTES])
            await writer.drain()
            taken += SENT_AT_ONCE_BYTES
    return min(taken, len(body))
