"""A parked fact keeps everything a person, and a replay, needs."""

import base64
import hashlib
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic_core import from_json

from shared import parking, topology
from shared.envelope import Fact, Unreadable, decode_pack, encode

AT = "2026-04-01T01:00:00+00:00"
FACT = Fact(UUID(int=7), "notifier.mail_sent.v1", "/hosho/notifier", "s", AT, "portal-a/A-1", None, b'{"a":"\\u0000"}')


def test_a_parked_fact_can_be_read_again_as_it_was() -> None:
    row = parking.row("issuer.mail_sent", FACT, "code", "reason", AT)
    record = from_json(row.body)

    assert decode_pack(record["fact"].encode()) == [FACT]
    assert (row.exchange, row.routing_key) == (topology.PARKING, "issuer.mail_sent")
    assert (record["consumer"], record["code"], record["reason"]) == ("issuer.mail_sent", "code", "reason")
    assert not row.journalled


def test_each_replay_that_is_parked_again_is_another_message_to_the_desk() -> None:
    first = parking.row("issuer.mail_sent", FACT, "code", "reason", AT)
    again = parking.row("issuer.mail_sent", FACT, "code", "reason", "2026-05-01T01:00:00+00:00")
    replayed = parking.row("issuer.mail_sent", replace(FACT, replay=1), "code", "reason", AT)
    elsewhere = parking.row("notifier.other", FACT, "code", "reason", AT)

    other_content = parking.row("issuer.mail_sent", replace(FACT, data=b"{}"), "same_id_other_content", "reason", AT)

    assert first.message_id == again.message_id
    assert len({one.message_id for one in (first, replayed, elsewhere, other_content)}) == 4


def test_what_could_not_be_read_is_kept_as_its_beginning_its_length_and_its_hash() -> None:
    body = b"\xff" * 100_000
    record = from_json(parking.row("q", Unreadable.of(body, "not JSON", "m-1"), "unreadable", "why", AT).body)

    assert base64.b64decode(record["unreadable_base64"]) == body[: 64 * 1024]
    assert (record["length_bytes"], len(record["sha256"]), record["message_id"]) == (100_000, 64, "m-1")


@pytest.mark.parametrize("letter", ["x", "\\n", '\\"', "長"], ids=["plain", "break", "quote", "wide"])
def test_a_fact_too_large_for_one_message_reaches_the_desk_with_its_beginning(letter: str) -> None:
    data = f'{{"a":"{letter * (262_000 // len(letter.encode()))}"}}'.encode()
    row = parking.row("q", replace(FACT, data=data), "code", "長" * 100_000, AT)
    record = from_json(row.body)

    assert len(row.body) <= parking.RECORD_BYTES_MAX
    assert (record["id"], record["type"], record["subject"]) == (str(FACT.id), FACT.type, "s")
    assert base64.b64decode(record["unreadable_base64"]) == data[: 64 * 1024]
    assert (record["length_bytes"], record["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_reason_has_an_end() -> None:
    record = from_json(parking.row("q", FACT, "code", "x" * 100_000, AT).body)

    assert len(record["reason"]) == parking.REASON_CHARACTERS_MAX


def test_the_record_holds_the_encoded_fact_and_not_a_reading_of_it() -> None:
    assert from_json(parking.row("q", FACT, "c", "r", AT).body)["fact"] == encode(FACT).decode()
