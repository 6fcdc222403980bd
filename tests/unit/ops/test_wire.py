"""Whatever comes to the desk's queues is kept: what has a known shape as such, everything else as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from services.ops.domain.wire import read_parked, read_record
from shared import parking
from shared.envelope import Fact, Unreadable, fact_id

AT = "2026-04-01T01:00:00+00:00"
LATER = "2026-04-01T01:00:01+00:00"
FACT = Fact(fact_id("t", "s", "1"), "notifier.mail_sent.v1", "/hosho/notifier", "s", AT, "portal-a/A-1", None, b"{}", 2)
ANNOUNCED = {"id": str(FACT.id), "type": "t", "subject": "s", "correlation": "c", "time": AT, "digest": "00" * 32}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery as ops sees it."""

    body: bytes
    message_id: str | None = "m-1"
    routing_key: str = "issuer.mail_sent"
    headers: Mapping[str, object] = field(default_factory=dict)


def test_a_journal_record_is_read_fact_by_fact() -> None:
    (record,) = read_record(Message(to_json({"service": "issuer", "facts": [ANNOUNCED, ANNOUNCED]})))

    assert record.entries is not None
    assert [(one.service, one.fact_id, one.digest) for one in record.entries] == [("issuer", FACT.id, bytes(32))] * 2


@pytest.mark.parametrize("given_up", [FACT, Unreadable.of(b"{", "not JSON", "m-2", 2)])
def test_a_parked_fact_lies_on_the_desk_with_its_whole_record(given_up: Fact | Unreadable) -> None:
    body = parking.row("issuer.mail_sent", given_up, "code", "why\x00", AT).body
    (parked,) = read_parked(Message(body))

    assert (parked.fact_id, parked.consumer, parked.code, parked.replay) == (given_up.id, "issuer.mail_sent", "code", 2)
    assert (parked.reason, parked.body) == ("why", body)


def test_one_parking_told_twice_lies_on_the_desk_once() -> None:
    """A door is answered at every delivery, so the same thing can be parked again, at another time."""
    bodies = [parking.row("intake.application_submitted.portal-a", FACT, "code", "why", at).body for at in (AT, LATER)]
    (first,), (again,) = (read_parked(Message(body)) for body in bodies)
    (replayed,) = read_parked(Message(parking.row("issuer.mail_sent", replace(FACT, replay=3), "code", "why", AT).body))

    assert first.id == again.id
    assert replayed.id != first.id


def test_only_what_is_here_whole_and_under_its_own_name_can_be_replayed() -> None:
    whole = parking.row("issuer.mail_sent", FACT, "code", "why", AT)
    large = parking.row("issuer.mail_sent", replace(FACT, data=b'{"x":"%s"}' % (b"x" * 300_000)), "code", "why", AT)
    renamed = parking.row("issuer.mail_sent", FACT, "same_id_other_content", "why", AT)
    unreadable = parking.row("issuer.mail_sent", Unreadable.of(b"{", "not JSON"), "unreadable", "why", AT)
    read = [read_parked(Message(row.body))[0].replayable for row in (whole, large, renamed, unreadable)]

    assert read == [True, False, False, False]


def test_what_the_broker_gave_up_on_is_told_from_what_nobody_can_read() -> None:
    (dead,) = read_parked(Message(b"[]", headers={"x-death": [{}]}))
    (odd,) = read_parked(Message(b"[]"))

    assert (dead.consumer, dead.code, dead.reason) == ("issuer.mail_sent", "dead_lettered", "given up by the broker")
    assert odd.reason == "not a record of a parked fact"


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"', b"NaN"])
def test_a_body_that_is_no_json_of_ours_is_kept_as_it_is(body: bytes) -> None:
    (record,), (parked,) = read_record(Message(body)), read_parked(Message(body))

    assert record.entries is None
    assert record.body == parked.body == body
    assert parked.fact_id is None


@given(name=st.sampled_from(sorted(ANNOUNCED)), value=JSON)
@settings(max_examples=200, deadline=None)
def test_no_value_in_a_record_can_break_the_reading(name: str, value: Any) -> None:
    fact = ANNOUNCED | {name: value}
    (record,) = read_record(Message(to_json({"service": value, "facts": [fact]})))
    (parked,) = read_parked(Message(to_json({"consumer": value, "code": value, "replay": value} | fact)))

    assert record.entries is None or len(record.entries) == 1
    assert parked.fact_id in {None, FACT.id} or name == "id"
