"""The outside over bare protocols: connections kept open, one request in flight on each."""

import asyncio
from abc import ABC, abstractmethod
from base64 import encodebytes
from email.header import Header
from email.utils import formatdate
from typing import Final, cast

from bench.contenders.surroundings import SENDER, Surroundings
from bench.contenders.work import MAIL_HTML, MAIL_TEXT, SUBJECT, Json, message_id_of

HTTP_CONNECTIONS: Final = 32
SMTP_CONNECTIONS: Final = 8

_BOUNDARY: Final = "=_limit"
_PART: Final = '--{0}\r\nContent-Type: text/{1}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
_HEAD: Final = (
    f"From: {SENDER}\r\nSubject: {Header(SUBJECT, 'utf-8').encode(linesep=chr(13) + chr(10))}\r\nMIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n'
).encode()


class _Line(asyncio.Protocol, ABC):
    """A connection on which one question waits for its answer."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of the standard library's classes.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the outside has closed"))

    def ask(self, question: bytes, answers: int) -> "asyncio.Future[bytes]":
        """Write a question; the future gets so many answers together."""
        self._answer = asyncio.get_running_loop().create_future()
        self._wanted = answers
        if question:
            self.transport.write(question)
        # A greeting may have come before anybody asked for it.
        self._hand_over()
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._hand_over()

    def _hand_over(self) -> None:
        if self._answer is not None and not self._answer.done() and self.is_whole(self._buffer, self._wanted):
            answer, self._buffer = self._buffer, b""
            self._answer.set_result(answer)

    @staticmethod
    @abstractmethod
    def is_whole(buffer: bytes, wanted: int) -> bool:
        """Whether so many answers are there."""


class _HttpLine(_Line):
    @staticmethod
    def is_whole(buffer: bytes, wanted: int) -> bool:
        del wanted
        head, end, body = buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return len(body) >= int(length)


class _SmtpLine(_Line):
    @staticmethod
    def is_whole(buffer: bytes, wanted: int) -> bool:
        if not buffer.endswith(b"\r\n"):
            return False
        return sum(line[3:4] == b" " for line in buffer.splitlines()) >= wanted


class Platform:
    """Posts certificates."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._place = surroundings.host, surroundings.http_port
        self._free: asyncio.LifoQueue[_HttpLine | None] = asyncio.LifoQueue()
        for _ in range(HTTP_CONNECTIONS):
            self._free.put_nowait(None)

    async def post(self, key: str, body: bytes) -> bytes:
        """Post one certificate; gives the answer's body."""
        line = await self._free.get()
        try:
            if line is None:
                _, line = await asyncio.get_running_loop().create_connection(_HttpLine, *self._place)
            answer = await line.ask(
                b"POST /v1/certificates HTTP/1.1\r\nHost: platform\r\nAuthorization: Bearer bench\r\n"
                b'Content-Type: application/json\r\nIdempotency-Key: "%s"\r\nContent-Length: %d\r\n\r\n%s'
                % (key.encode(), len(body), body),
                1,
            )
        finally:
            self._free.put_nowait(line)
        if answer[9:12] not in (b"200", b"201"):
            raise ConnectionError(f"the platform answered {answer[:12]!r}")
        return answer.partition(b"\r\n\r\n")[2]


class Postbox:
    """Sends mails, the commands of one mail together (RFC 2920)."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._place = surroundings.host, surroundings.smtp_port
        self._free: asyncio.LifoQueue[_SmtpLine | None] = asyncio.LifoQueue()
        for _ in range(SMTP_CONNECTIONS):
            self._free.put_nowait(None)

    async def send(self, address: str, mail: bytes) -> None:
        """Send one mail."""
        line = await self._free.get()
        try:
            if line is None:
                _, line = await asyncio.get_running_loop().create_connection(_SmtpLine, *self._place)
                await line.ask(b"", 1)
                await line.ask(b"EHLO limit.example\r\n", 1)
            go_ahead = await line.ask(
                b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (SENDER.encode(), address.encode()), 3
            )
            taken = await line.ask(mail, 1) if b"\r\n354" in go_ahead else go_ahead
        finally:
            self._free.put_nowait(line)
        if not taken.startswith(b"250"):
            raise ConnectionError(f"the mail server answered {taken!r}")


def mail_of(issued: Json) -> bytes:
    """The mail's bytes with its final dot."""
    text, html = MAIL_TEXT.format(**issued), MAIL_HTML.format(**issued)
    own = (
        f"To: {issued['completion_mail']['address']}\r\nDate: {formatdate()}\r\n"
        f"Message-ID: <{message_id_of(issued['guarantee_number'])}>\r\n\r\n"
    )
    return b"".join(
        (
            _HEAD,
            own.encode(),
            _PART.format(_BOUNDARY, "plain").encode(),
            _encoded(text),
            _PART.format(_BOUNDARY, "html").encode(),
            _encoded(html),
            f"--{_BOUNDARY}--\r\n.\r\n".encode(),
        )
    )


def _encoded(text: str) -> bytes:
    return encodebytes(text.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
