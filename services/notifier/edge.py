"""The mail server over SMTP: a few connections kept open, each mail one conversation, its end told as a value.

Nothing here logs: a server's words may hold the recipient's address.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from typing import Final

from aiosmtplib import SMTP, SMTPException, SMTPNotSupported, SMTPResponseException

from services.notifier.domain.letter import addr_spec
from services.notifier.domain.replies import SERVICE_CLOSING_CODE, Heard, Lost, Reply, Step, Unusable
from shared import clock

BEFORE_DOT_S_MAX: Final = 30.0
AFTER_DOT_S_MAX: Final = 60.0
"""RFC 5321 (4.5.3.2.6) would wait ten minutes; so long a wait would hold a slot. What comes later is a repeat."""

COMMAND_S_MAX: Final = 20.0
IDLE_S_MAX: Final = 60.0
MAILS_PER_CONNECTION_MAX: Final = 100
TLS_PORT: Final = 465

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_GO_AHEAD: Final = 354
_SECRET: Final = "<recipient>"


@dataclass(frozen=True, slots=True)
class Server:
    """Which mail server, and as whom.

    Attributes:
        local_host: the name this side introduces itself by.
        sender: the envelope's sender, a bare address.
    """

    host: str
    port: int
    local_host: str
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Line:
    """One connection, and how far its conversation has come."""

    client: SMTP
    step: Step = Step.CONNECTION
    mails: int = 0
    idle_since_s: float = 0.0


class Postbox:
    """Hands mails to the server. As many conversations at once as callers; connections are kept for the next ones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[_Line] = []

    async def close(self) -> None:
        """Close the connections that wait for the next mail."""
        while self._idle:
            self._idle.pop().client.close()

    async def send(self, address: str, mail: bytes) -> Heard:
        """Offer one mail, CRLF at its line ends and no line that begins with a dot, and tell how it ended."""
        kept = self._kept()
        if kept is not None:
            heard = await self._talk(kept, address, mail)
            if not _was_stale(heard):
                return heard
        return await self._talk(self._new(), address, mail)

    def _kept(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.client.is_connected and clock.monotonic_s() - line.idle_since_s < IDLE_S_MAX:
                return line
            line.client.close()
        return None

    def _new(self) -> _Line:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=server.local_host,
            timeout=COMMAND_S_MAX,
            use_tls=server.port == TLS_PORT,
        )
        return _Line(client)

    async def _talk(self, line: _Line, address: str, mail: bytes) -> Heard:
        heard: Heard
        keep = False
        try:
            async with asyncio.timeout(BEFORE_DOT_S_MAX):
                refusal = await self._before_dot(line, address)
            reply = await _deliver(line, mail) if refusal is None else refusal
            heard = _without(address, reply)
            keep = await _is_ready_again(line, reply)
        except SMTPResponseException as error:
            heard = _without(address, Reply(line.step, error.code, error.message))
        except OSError as error:
            heard = _lost(line.step, error)
        except SMTPException as error:
            heard = Unusable(f"{error}")
        finally:
            # Also when this call is cancelled: a conversation that was cut short must not be gone on with.
            if keep:
                line.idle_since_s = clock.monotonic_s()
                self._idle.append(line)
            else:
                line.client.close()
        return heard

    async def _before_dot(self, line: _Line, address: str) -> Reply | None:
        """Everything up to the go-ahead for the mail itself; a reply if it did not come to that."""
        client = line.client
        if not client.is_connected:
            await self._connect(client)
        commands = (
            (Step.SENDER, (b"MAIL", b"FROM:<%s>" % addr_spec(self._server.sender).encode("ascii"))),
            (Step.RECIPIENT, (b"RCPT", b"TO:<%s>" % addr_spec(address).encode("ascii"))),
            (Step.DATA, (b"DATA",)),
        )
        for step, command in commands:
            line.step = step
            reply = await client.execute_command(*command)
            if not (reply.code == _GO_AHEAD if step is Step.DATA else 200 <= reply.code <= 299):
                return Reply(step, reply.code, reply.message)
        return None

    async def _connect(self, client: SMTP) -> None:
        """Connect, greet, encrypt if that is offered, log in if that is wished."""
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        server = self._server
        if server.username is not None and server.password is not None:
            if client.get_transport_info("sslcontext") is None and server.host not in _THIS_MACHINE:
                raise SMTPNotSupported("The mail server offers no TLS, and a password is not sent in the clear.")
            await client.login(server.username, server.password)


async def _deliver(line: _Line, mail: bytes) -> Reply:
    """Write the mail with its final dot and wait for the word on it."""
    protocol = line.client.protocol
    if protocol is None:
        raise ConnectionResetError("The connection was lost before the mail was written.")
    protocol.write(mail + b".\r\n")
    line.step = Step.DOT
    reply = await protocol.read_response(timeout=AFTER_DOT_S_MAX)
    return Reply(Step.DOT, reply.code, reply.message)


async def _is_ready_again(line: _Line, heard: Reply) -> bool:
    """Whether the connection can take another mail; after a refusal it is brought back to the beginning."""
    line.mails += 1
    if not line.client.is_connected or line.mails >= MAILS_PER_CONNECTION_MAX:
        return False
    if heard.step is Step.DOT and 200 <= heard.code <= 299:
        return True
    try:
        return (await line.client.execute_command(b"RSET")).code == 250
    except (SMTPException, OSError):
        return False


def _lost(step: Step, error: OSError) -> Lost | Unusable:
    cause = error if error.__cause__ is None else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unusable(f"the mail server's TLS certificate is not valid: {cause.verify_message}")
    return Lost(step, type(error).__qualname__)


def _was_stale(heard: Heard) -> bool:
    """Whether a kept connection had died or was closed while it waited; nothing of this mail was said on it yet."""
    closed = isinstance(heard, Reply) and heard.code == SERVICE_CLOSING_CODE
    return isinstance(heard, Reply | Lost) and heard.step is Step.SENDER and (closed or isinstance(heard, Lost))


def _without(address: str, reply: Reply) -> Reply:
    """The reply without the address, which has no business in logs and facts, however the server writes it."""
    text = reply.text.lower()
    if address.lower() not in text and addr_spec(address).lower() not in text:
        return reply
    written = "|".join(re.escape(form) for form in (addr_spec(address), address))
    return Reply(reply.step, reply.code, re.sub(written, _SECRET, reply.text, flags=re.IGNORECASE))
