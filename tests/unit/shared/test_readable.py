"""No property of a message can end the connection it comes through."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import decode, encode, header
from pamqp.commands import Basic

from shared import readable

readable.read_everything()

NESTED = 5_000
several = settings(max_examples=200, deadline=None, derandomize=True)


def _nested_tables(levels: int) -> bytes:
    body = b""
    for _ in range(levels):
        body = b"\x01aF" + struct.pack(">I", len(body)) + body
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    ("kind", "sent", "read"),
    [
        ("shortstr", b"\x03a\xffb", "a\ufffdb"),
        ("shortstr", b"\x03\xe5\xb7\xa5", "工"),
        ("timestamp", b"\xff" * 8, None),
        ("timestamp", struct.pack(">Q", 0), datetime(1970, 1, 1, tzinfo=UTC)),
        ("table", b"\x00\x00\x00\x05\x01\xffI\x00\x00", {}),
        ("table", b"\x00\x00\x00\x0b\x01aT" + b"\xff" * 8, {"a": None}),
        ("table", b"\x00\x00\x00\x03\x01a?", {}),
    ],
)
def test_what_cannot_be_read_leaves_a_mark_and_what_can_is_read(kind: str, sent: bytes, read: object) -> None:
    assert decode.by_type(sent, kind) == (len(sent), read)


def test_tables_within_tables_end_somewhere() -> None:
    sent = _nested_tables(NESTED)
    consumed, read = decode.by_type(sent, "table")

    assert consumed == len(sent)
    assert isinstance(read, dict)


@several
@given(st.binary(max_size=60), st.sampled_from(["shortstr", "timestamp", "table"]))
def test_whatever_bytes_a_sender_puts_there_are_read(content: bytes, kind: str) -> None:
    sent = {
        "shortstr": bytes([len(content)]) + content,
        "timestamp": content[:8].ljust(8, b"\xff"),
        "table": struct.pack(">I", len(content)) + content,
    }[kind]

    assert decode.by_type(sent, kind)[0] == len(sent)


def test_all_properties_of_a_good_message_come_out_as_they_went_in() -> None:
    at = datetime(2026, 4, 1, tzinfo=UTC)
    given = Basic.Properties(message_id="工", timestamp=at, headers={"a": {"b": [1, "x", at]}})
    sent = header.ContentHeader(0, 3, given).marshal()
    read = header.ContentHeader()
    read.unmarshal(sent)

    assert (read.properties.message_id, read.properties.timestamp) == ("工", at)
    assert read.properties.headers == {"a": {"b": [1, "x", at]}}
    assert encode.short_string("工") == b"\x03\xe5\xb7\xa5"
