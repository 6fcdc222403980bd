"""The mail server as a bare protocol: RFC 5321 with PIPELINING (RFC 2920), every mail taken and counted."""

import asyncio
import re
from typing import Final, cast

from bench.sinks.taken import Taken

_DATA_END: Final = b"\r\n.\r\n"
_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*<([^>\r\n]+)>", re.IGNORECASE | re.MULTILINE)
_RECIPIENT: Final = re.compile(rb"TO:\s*<([^>]*)>", re.IGNORECASE)

_REPLIES: Final = {
    b"HELO": b"250 sink.example\r\n",
    b"EHLO": b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


class MailServer(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._buffer = b""
        self._recipient = b""
        self._in_mail = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop's transports are none of the standard library's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every command, and every mail, that is complete by now."""
        self._buffer += data
        replies: list[bytes] = []
        while (reply := self._mail() if self._in_mail else self._command()) is not None:
            replies.append(reply)
        assert self._transport is not None
        if replies:
            self._transport.write(b"".join(replies))
            if replies[-1].startswith(b"221"):
                self._transport.close()

    def _command(self) -> bytes | None:
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return None
        self._buffer = rest
        word = line[:4].upper()
        if word == b"RCPT" and (found := _RECIPIENT.search(line)):
            self._recipient = found[1]
        self._in_mail = word == b"DATA"
        return _REPLIES.get(word, b"502 5.5.2 not known here\r\n")

    def _mail(self) -> bytes | None:
        end = self._buffer.find(_DATA_END)
        if end < 0:
            return None
        named = _MESSAGE_ID.search(self._buffer, 0, end)
        self._taken.mail(self._recipient.decode(), named[1].decode() if named else "")
        self._buffer = self._buffer[end + len(_DATA_END) :]
        self._in_mail = False
        return b"250 2.0.0 Ok\r\n"
