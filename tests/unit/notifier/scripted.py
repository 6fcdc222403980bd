"""A mail server that says what it is told to, and a way to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.notifier.domain.replies import Reply, Step
from services.notifier.edge import Postbox, Server

ADDRESS = "tanaka@kensetsu.example"
MAIL = b"Subject: x\r\n\r\nbody\r\n"
TAKEN = Reply(Step.DOT, 250, "kept")
CUT = ""
"""A reply that is none: the server breaks the connection."""

GOOD = {
    "greeting": "220 mail.example",
    "EHLO": "250-mail.example\r\n250 8BITMIME",
    "MAIL": "250 fine",
    "RCPT": "250 fine",
    "DATA": "354 go on",
    ".": "250 kept",
    "RSET": "250 fine",
}


@dataclass
class Script:
    """What the server says to each command; `heard` holds the commands of each connection, mails as `.`."""

    says: dict[str, str]
    tls: ssl.SSLContext | None = None
    heard: list[list[str]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands: list[str] = []
        self.heard.append(commands)
        try:
            verb = "greeting"
            while await self._answered(writer, verb):
                if verb == "DATA" and self.says["DATA"].startswith("354"):
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                    line = "."
                else:
                    line = (await reader.readuntil(b"\r\n")).decode().strip()
                commands.append(line)
                verb = line.split()[0]
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()

    async def _answered(self, writer: asyncio.StreamWriter, verb: str) -> bool:
        said = self.says.get(verb, "502 what?")
        if said == CUT:
            return False
        writer.write(said.encode() + b"\r\n")
        await writer.drain()
        if verb == "STARTTLS" and said.startswith("220") and self.tls is not None:
            await writer.start_tls(self.tls)
        return not said.startswith("421")


@asynccontextmanager
async def postbox(script: Script, **more: str) -> AsyncIterator[Postbox]:
    server = await asyncio.start_server(script.converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = Postbox(Server("127.0.0.1", port, "hosho.example", "hosho@hosho.example", **more))
    try:
        yield made
    finally:
        await made.close()
        server.close()


def saying(**changed: str) -> Script:
    return Script(GOOD | changed)
