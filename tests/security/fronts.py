"""A front that ends TLS in this process and hands on to a server that speaks none, as a proxy or a pooler would."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
"""How a client of PostgreSQL asks for TLS (protocol, 54.2.10)."""

CHUNK_BYTES: Final = 65_536


@dataclass(slots=True)
class Front:
    """Where it listens, and how many connections came through it with TLS."""

    port: int = 0
    connections: int = 0


@asynccontextmanager
async def front(host: str, port: int, context: ssl.SSLContext, *, is_postgres: bool = False) -> AsyncIterator[Front]:
    """A front of this server; nobody gets to the server through it without TLS."""
    made = Front()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if is_postgres:
                if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
                    writer.close()
                    return
                writer.write(b"S")
                await writer.drain()
            await writer.start_tls(context)
            made.connections += 1
            to_server = await asyncio.open_connection(host, port)
            await asyncio.gather(_piped(reader, to_server[1]), _piped(to_server[0], writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(CHUNK_BYTES):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
