"""The platform as a bare protocol: HTTP/1.1 with kept-alive connections, and what it took, told to the bench.

`POST /v1/certificates` answers 201 the first time a key comes and 200 with the same words afterwards, as the contract
says. `POST /v1/traces` takes spans and only counts the deliveries. `GET /count` and `GET /taken` tell what both sinks
took since the last `POST /forget`.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Final, cast

from bench.sinks.taken import Taken

_HEAD_END: Final = b"\r\n\r\n"
_REASONS: Final = {200: b"OK", 201: b"Created", 400: b"Bad Request", 404: b"Not Found"}


class Platform(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop's transports are none of the standard library's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete by now."""
        buffer = self._buffer + data if self._buffer else data
        while (head_end := buffer.find(_HEAD_END)) >= 0:
            head = buffer[:head_end]
            end = head_end + len(_HEAD_END) + int(_header(head, b"content-length") or 0)
            if len(buffer) < end:
                break
            self._answer(head, buffer[head_end + len(_HEAD_END) : end])
            buffer = buffer[end:]
        self._buffer = buffer

    def _answer(self, head: bytes, body: bytes) -> None:
        request = head.partition(b" HTTP/")[0]
        if request == b"POST /v1/certificates":
            status, answer = self._certificate(head, body)
        elif request == b"GET /count":
            status, answer = 200, json.dumps(self._taken.counted()).encode()
        elif request == b"POST /v1/traces":
            self._taken.traces += 1
            status, answer = 200, b"{}"
        elif request == b"GET /taken":
            status, answer = 200, json.dumps(self._taken.told()).encode()
        elif request == b"POST /forget":
            self._taken.forget()
            status, answer = 200, b"{}"
        else:
            status, answer = 404, b"{}"
        assert self._transport is not None
        self._transport.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, _REASONS[status], len(answer), answer)
        )

    def _certificate(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        key = _header(head, b"idempotency-key").strip(b'"').decode()
        if not key or not body.startswith(b"{"):
            return 400, b"{}"
        known = self._taken.answers.get(key)
        self._taken.posts[key] = self._taken.posts.get(key, 0) + 1
        if known is not None:
            return 200, known
        arrived_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        answer = b'{"certificate_id":"crt-%d","arrived_at":"%s"}' % (len(self._taken.answers), arrived_at.encode())
        self._taken.answers[key] = answer
        return 201, answer


def _header(head: bytes, name: bytes) -> bytes:
    """A header's value as it was sent, empty if it is missing."""
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()
