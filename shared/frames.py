"""A message to be published, and its frames in AMQP 0-9-1, put together with `struct`.

The services tell most of what they tell in single messages to portals, and a general encoder that asks each value
for its type takes several times as long as the rest of a publish. Only what `Outgoing` can hold is written here.

Source: AMQP 0-9-1 specification, 2.3.5 (frames), 4.2.5 (field tables); basic.publish is method 40 of class 60.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_BASIC: Final = 60
_PUBLISH: Final = 40
_MANDATORY: Final = b"\x01"
_PERSISTENT: Final = b"\x02"
_METHOD_FRAME, _HEADER_FRAME, _BODY_FRAME = 1, 2, 3
_END: Final = b"\xce"
_AROUND_BYTES: Final = 8
"""A frame's own seven bytes before its content, and the one behind."""

_CONTENT_TYPE, _HEADERS, _DELIVERY_MODE, _CORRELATION_ID, _MESSAGE_ID, _TYPE, _USER_ID = (
    1 << bit for bit in (15, 13, 12, 10, 7, 5, 4)
)
_SHORT_BYTES_MAX: Final = 255
ROUTES_KEPT: Final = 1_024
WORDS_KEPT: Final = 256

_frame = struct.Struct(">BHI").pack
_content = struct.Struct(">HHQH").pack
_length = struct.Struct(">I").pack
_integer = struct.Struct(">cq").pack


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One AMQP message to be published."""

    exchange: str
    routing_key: str
    message_id: str
    body: bytes
    content_type: str
    headers: Mapping[str, str | int] | None = None
    type: str | None = None
    correlation_id: str | None = None
    user_id: str | None = None
    """The broker refuses a publish whose user_id is not the connection's own user, so hearers may believe it."""


def frames_of(message: Outgoing, channel: int, frame_bytes_max: int) -> bytes:
    """The message as a persistent, mandatory publish: method, header and body frames.

    Raises:
        ValueError: for a name longer than 255 bytes, or text that UTF-8 cannot hold.
        struct.error: for a number that does not fit into 64 bits.
    """
    flags = _CONTENT_TYPE | _DELIVERY_MODE | _MESSAGE_ID
    properties = [_word(message.content_type)]
    if message.headers:
        flags |= _HEADERS
        properties.append(_table(message.headers))
    properties.append(_PERSISTENT)
    if message.correlation_id is not None:
        flags |= _CORRELATION_ID
        properties.append(_short(message.correlation_id))
    properties.append(_short(message.message_id))
    if message.type is not None:
        flags |= _TYPE
        properties.append(_word(message.type))
    if message.user_id is not None:
        flags |= _USER_ID
        properties.append(_short(message.user_id))
    body = message.body
    head = _content(_BASIC, 0, len(body), flags) + b"".join(properties)
    room = frame_bytes_max - _AROUND_BYTES
    parts = [_route(channel, message.exchange, message.routing_key), _framed(_HEADER_FRAME, channel, head)]
    parts += (_framed(_BODY_FRAME, channel, body[start : start + room]) for start in range(0, len(body), room))
    return b"".join(parts)


@lru_cache(maxsize=ROUTES_KEPT)
def _route(channel: int, exchange: str, routing_key: str) -> bytes:
    method = struct.pack(">HHH", _BASIC, _PUBLISH, 0) + _short(exchange) + _short(routing_key) + _MANDATORY
    return _framed(_METHOD_FRAME, channel, method)


def _framed(kind: int, channel: int, content: bytes) -> bytes:
    return _frame(kind, channel, len(content)) + content + _END


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > _SHORT_BYTES_MAX:
        raise ValueError(f"A name of {len(encoded)} bytes; AMQP takes {_SHORT_BYTES_MAX}.")
    return bytes((len(encoded),)) + encoded


@lru_cache(maxsize=WORDS_KEPT)
def _word(text: str) -> bytes:
    """One of the few names that come back in message after message."""
    return _short(text)


def _table(fields: Mapping[str, str | int]) -> bytes:
    rows: list[bytes] = []
    for name, value in fields.items():
        rows.append(_word(name))
        if isinstance(value, str):
            encoded = value.encode()
            rows += (b"S", _length(len(encoded)), encoded)
        else:
            rows.append(_integer(b"l", value))
    written = b"".join(rows)
    return _length(len(written)) + written
