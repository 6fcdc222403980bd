"""Whatever can be published reads back as the same message through another reader of the same protocol."""

import struct
from typing import Any, cast

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from shared.frames import Outgoing, frames_of

FRAME_BYTES_MAX = 4_096
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
HEADERS = st.dictionaries(NAMES, NAMES | st.integers(-(2**63), 2**63 - 1), max_size=6)

MESSAGES = st.builds(
    Outgoing,
    exchange=NAMES,
    routing_key=NAMES,
    message_id=NAMES,
    body=st.binary(max_size=64) | st.integers(0, 20_000).map(bytes),
    content_type=NAMES,
    headers=st.none() | HEADERS,
    type=st.none() | NAMES,
    correlation_id=st.none() | NAMES,
    user_id=st.none() | NAMES,
)


def _read(data: bytes) -> list[tuple[int, Any]]:
    frames = []
    while data:
        length, channel, frame = pamqp.frame.unmarshal(data)
        assert length <= FRAME_BYTES_MAX
        frames.append((channel, frame))
        data = data[length:]
    return frames


@given(MESSAGES, st.integers(1, 65_535))
def test_each_message_reads_back_as_it_was(message: Outgoing, number: int) -> None:
    (method_channel, method), (header_channel, header), *bodies = _read(frames_of(message, number, FRAME_BYTES_MAX))

    assert {method_channel, header_channel, *(channel for channel, _ in bodies)} == {number}
    publish, head = cast(Basic.Publish, method), cast(ContentHeader, header)
    assert (publish.exchange, publish.routing_key) == (message.exchange, message.routing_key)
    assert publish.mandatory
    assert not publish.immediate
    assert head.body_size == len(message.body)
    assert b"".join(cast(ContentBody, body).value for _, body in bodies) == message.body
    told = head.properties
    assert told.delivery_mode == 2
    assert dict(told.headers or {}) == dict(message.headers or {})
    assert (told.content_type, told.message_id) == (message.content_type, message.message_id)
    assert (told.message_type, told.correlation_id) == (message.type, message.correlation_id)
    assert told.user_id == message.user_id


@pytest.mark.parametrize(
    "changes",
    [
        {"routing_key": "k" * 256},
        {"message_id": "名" * 86},
        {"correlation_id": "\ud800"},
        {"headers": {"facts": 2**63}},
        {"headers": {"n" * 256: "x"}},
    ],
)
def test_what_the_protocol_cannot_hold_is_refused_before_anything_is_written(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "exchange": "e",
        "routing_key": "k",
        "message_id": "m",
        "body": b"{}",
        "content_type": "application/json",
    }
    with pytest.raises((ValueError, struct.error)):
        frames_of(Outgoing(**{**fields, **changes}), 1, FRAME_BYTES_MAX)
