"""The SMTP side: every reply of 250 after the dot comes after the message is on disk."""

import asyncio
import socket
import ssl
import struct
from collections import Counter
from typing import Annotated, Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, ConfigDict, Field

from simulators import clock
from simulators.ledger import Ledger
from simulators.mailbox import store
from simulators.mailbox.magic import SLOW_S, Deed, Trick, trick_of

MESSAGE_BYTES_MAX = 5_242_880
RECIPIENTS_MAX = 100
IDLE_S_MAX = 300.0
LINGER_NONE = struct.pack("ii", 1, 0)


class Mode(BaseModel):
    """What `POST /mode` takes: a misbehaviour towards everybody, until it is changed or `seconds` are over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["normal", "421", "450", "550", "drop", "silence", "slow", "slow-greeting"]
    seconds: Annotated[float, Field(gt=0)] | None = None
    slow_s: Annotated[float, Field(gt=0)] = SLOW_S


class Switch:
    """The present mode.

    Attributes:
        felt: how many conversations each mode has spoilt since the start.
    """

    def __init__(self) -> None:
        self.felt: Counter[str] = Counter()
        self._mode = Mode(mode="normal")
        self._ends_s: float | None = None

    def set(self, mode: Mode) -> None:
        """Takes on another mode."""
        self._mode = mode
        self._ends_s = None if mode.seconds is None else clock.monotonic_s() + mode.seconds

    def present(self) -> Mode:
        """The mode of this moment."""
        if self._ends_s is not None and clock.monotonic_s() >= self._ends_s:
            self.set(Mode(mode="normal"))
        return self._mode


class Postman:
    """What happens at each step of the conversation; aiosmtpd calls these by their names."""

    def __init__(self, ledger: Ledger, switch: Switch) -> None:
        self._ledger = ledger
        self._switch = switch

    async def before_greeting(self) -> None:
        """Lets whoever has connected wait, if the mode says so."""
        mode = self._switch.present()
        if mode.mode == "slow-greeting":
            self._switch.felt[mode.mode] += 1
            await asyncio.sleep(mode.slow_s)

    async def handle_MAIL(  # noqa: N802  # aiosmtpd finds it by this name.
        self, server: "Conversation", _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The mode speaks here; otherwise every sender is welcome."""
        mode = self._switch.present()
        if mode.mode not in ("normal", "slow-greeting"):
            self._switch.felt[mode.mode] += 1
        match mode.mode:
            case "421":
                await server.hang_up("421 4.3.2 Service not available")
            case "drop":
                await server.hang_up()
            case "silence":
                await server.fall_silent()
            case "slow":
                await asyncio.sleep(mode.slow_s)
            case "450" | "550":
                return f"{mode.mode} {mode.mode[0]}.2.0 Asked for by the mode"
            case "normal" | "slow-greeting":
                pass
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd finds it by this name.
        self, server: "Conversation", _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuses or drops here when the recipient asks for it."""
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        trick = trick_of(address)
        here = trick is not None and trick.deed in (Deed.CODE_AT_RCPT, Deed.DROP_AT_RCPT)
        if trick is not None and here and await self._due(address, trick):
            if trick.deed is Deed.DROP_AT_RCPT:
                await server.hang_up()
            if trick.code == 421:
                await server.hang_up("421 4.3.2 Service not available")
            return f"{trick.code} {trick.code // 100}.2.0 Asked for by the recipient"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def drops_in_data(self, envelope: Envelope) -> bool:
        """Whether the connection is to break once the data has begun."""
        found = await self._trick(envelope, Deed.DROP_IN_DATA)
        return found is not None

    async def handle_DATA(  # noqa: N802  # aiosmtpd finds it by this name.
        self, server: "Conversation", _session: Session, envelope: Envelope
    ) -> str:
        """Keeps the message and says so; or misbehaves, as a recipient asks."""
        refused = await self._trick(envelope, Deed.CODE_AT_DOT)
        if refused is not None:
            return f"{refused.code} {refused.code // 100}.3.0 Asked for by the recipient"
        if await self._trick(envelope, Deed.SILENCE_AT_DOT) is not None:
            await server.fall_silent()
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        received = store.Received(clock.now(), envelope.mail_from or "", envelope.rcpt_tos, content)
        number = await self._ledger.do(lambda db: store.save(db, received))
        if await self._trick(envelope, Deed.DROP_AFTER_STORING) is not None:
            await server.hang_up()
        slow = await self._trick(envelope, Deed.SLOW_AT_DOT)
        if slow is not None:
            await asyncio.sleep(slow.seconds)
        return f"250 2.0.0 Kept as {number}"

    async def _trick(self, envelope: Envelope, deed: Deed) -> Trick | None:
        for address in envelope.rcpt_tos:
            trick = trick_of(address)
            if trick is not None and trick.deed is deed and await self._due(address, trick):
                return trick
        return None

    async def _due(self, address: str, trick: Trick) -> bool:
        return await self._ledger.do(lambda db: store.misbehave(db, address, trick.times))


class Conversation(SMTP):
    """One connection, with the ways to end it badly that aiosmtpd does not offer."""

    def __init__(self, postman: Postman, **options: Any) -> None:
        self.postman = postman
        super().__init__(
            postman,
            data_size_limit=MESSAGE_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname="mailbox.example",
            ident="Hosho mailbox",
            timeout=IDLE_S_MAX,
            loop=asyncio.get_running_loop(),
            **options,
        )

    async def _handle_client(self) -> None:
        await self.postman.before_greeting()
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # It overrides the one of aiosmtpd.
        """As ever, unless a recipient wants the connection to break in the middle of the data."""
        envelope = self.envelope
        if envelope is not None and envelope.rcpt_tos and not arg and await self.postman.drops_in_data(envelope):
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.readuntil(b"\r\n")
            await self.hang_up()
        await super().smtp_DATA(arg)

    async def hang_up(self, last_words: str | None = None) -> None:
        """Ends the connection: with a reset, or in order after the last words. Does not return."""
        if last_words is not None:
            await self.push(last_words)
            self._writer.close()
        else:
            plug = self._writer.transport.get_extra_info("socket")
            if plug is not None:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
            self._writer.transport.abort()
        await self.fall_silent()

    async def fall_silent(self) -> None:
        """Says nothing more; ends when the other side hangs up. Does not return."""
        await asyncio.Event().wait()


def tls_context(certificate: str, key: str | None) -> ssl.SSLContext:
    """What STARTTLS needs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
