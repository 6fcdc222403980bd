"""Facts on the wire: what is packed comes out as it went in, and nothing that comes in can raise."""

import dataclasses
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from shared.envelope import (
    UNREADABLE_BYTES_KEPT_MAX,
    Fact,
    Unreadable,
    binary_headers,
    decode_pack,
    decode_single,
    encode,
    fact_id,
    pack,
    source_of,
)

# What PostgreSQL keeps and UTF-8 can write.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FACTS = st.builds(
    Fact,
    id=st.uuids(),
    type=TEXT,
    source=TEXT,
    subject=TEXT,
    time=st.datetimes().map(lambda at: at.isoformat()),
    correlation=TEXT.filter(bool),
    traceparent=st.none() | TEXT,
    data=st.dictionaries(TEXT, JSON, max_size=5).map(to_json),
)
several = settings(max_examples=60, deadline=None, derandomize=True)
FACT = Fact(UUID(int=1), "a.b.v1", "/hosho/a", "s", "2026-04-01T01:00:00+00:00", "c", None, b'{"n":1}')


@several
@given(st.lists(FACTS, min_size=1, max_size=6))
def test_what_is_packed_comes_out_as_it_went_in(facts: list[Fact]) -> None:
    assert decode_pack(pack([encode(fact) for fact in facts])) == facts


@several
@given(FACTS, st.integers(1, 9))
def test_a_replay_marks_every_fact_of_its_pack_and_changes_no_digest(fact: Fact, nth: int) -> None:
    (replayed,) = decode_pack(encode(fact), nth)

    assert (replayed.replay, replayed.digest, replayed.id) == (nth, fact.digest, fact.id)


@several
@given(st.binary(max_size=200) | JSON.map(to_json) | st.lists(JSON, max_size=4).map(to_json))
def test_no_body_makes_reading_raise(body: bytes) -> None:
    read = decode_pack(body)

    assert read
    assert all(isinstance(one, Fact | Unreadable) for one in read)
    assert read == decode_pack(body)


@several
@given(
    st.binary(max_size=200) | JSON.map(to_json),
    st.dictionaries(
        st.sampled_from(["cloudEvents_type", "cloudEvents_id", "cloudEvents_time", "traceparent"]),
        st.text(max_size=9) | st.integers(),
    ),
    st.none() | st.text(max_size=9),
)
def test_no_single_message_makes_reading_raise_and_what_is_read_can_be_replayed(
    body: bytes, headers: dict[str, Any], message_id: str | None
) -> None:
    (one,) = decode_single(body, headers, "core.guarantee_concluded.v1", message_id)

    if isinstance(one, Fact):
        (again,) = decode_pack(encode(one), 1)
        assert isinstance(again, Fact)
        assert (again.id, again.digest) == (one.id, one.digest)


def _event(**changes: Any) -> dict[str, Any]:
    return {**json.loads(encode(FACT)), **changes}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 1000, "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"[]", "non-empty"),
        (b'"text"', "non-empty"),
        (b"[1]", "no CloudEvent"),
        (to_json([_event(id="1")]), "id, time"),
        (to_json([_event(time="yesterday")]), "id, time"),
        (to_json([_event(data=[1])]), "data"),
        (to_json([_event(subject=None)]), "subject"),
        (to_json([_event(subject="a\x00b")]), "U+0000"),
        (to_json([_event(correlation="a\x00b")]), "U+0000"),
        (to_json([_event(traceparent="a\x00b")]), "U+0000"),
        (encode(FACT).replace(b'{"n":1}', b'{"n":1e999}'), "number"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    (one,) = decode_pack(body, 3)

    assert isinstance(one, Unreadable)
    assert reason in one.reason
    assert one.replay == 3


def test_one_bad_element_leaves_its_neighbours_readable() -> None:
    read = decode_pack(pack([encode(FACT), b"7", encode(FACT)]))

    assert [type(one) for one in read] == [Fact, Unreadable, Fact]


def test_a_single_event_is_a_pack_of_one() -> None:
    assert decode_pack(encode(FACT)) == [FACT]


def test_u0000_inside_the_data_travels_on_to_the_handler() -> None:
    (one,) = decode_pack(encode(Fact(**{**_fields(), "data": b'{"name":"a\\u0000b"}'})))

    assert isinstance(one, Fact)
    assert from_json(one.data) == {"name": "a\x00b"}


def _fields() -> dict[str, Any]:
    return {name: getattr(FACT, name) for name in (field.name for field in dataclasses.fields(FACT))}


def test_an_unreadable_body_keeps_its_beginning_and_is_recognised_again() -> None:
    body = b"x" * (UNREADABLE_BYTES_KEPT_MAX + 1)
    one = Unreadable.of(body, "why")

    assert (len(one.excerpt), one.length_bytes) == (UNREADABLE_BYTES_KEPT_MAX, len(body))
    assert one.id == Unreadable.of(body, "another reason").id
    assert one.id != Unreadable.of(body[1:], "why").id
    assert one.digest == bytes.fromhex(one.sha256)


def test_announcing_again_gives_the_same_id_and_a_second_occasion_another() -> None:
    assert fact_id("t", "s", "1") == fact_id("t", "s", "1")
    assert len({fact_id("t", "s", "1"), fact_id("t", "s", "2"), fact_id("t", "x", "1"), fact_id("u", "s", "1")}) == 4


def test_the_ids_of_all_times_are_the_ids_of_today() -> None:
    """Changing how ids are made would give every fact that is announced again a new identity."""
    assert str(fact_id("issuer.guarantee_issued.v1", "00000-000001/1", "1")) == "16129e3f-a4d3-55b5-8a27-30bc002145c8"


def test_binary_headers_are_those_of_the_specification() -> None:
    assert binary_headers(FACT) == {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": str(FACT.id),
        "cloudEvents_source": "/hosho/a",
        "cloudEvents_type": "a.b.v1",
        "cloudEvents_subject": "s",
        "cloudEvents_time": FACT.time,
    }
    assert source_of("a") == "/hosho/a"


def test_the_core_systems_own_words_are_taken_and_what_it_leaves_out_is_filled_in() -> None:
    body = b'{"portal":"portal-a","application_id":"A-1"}'
    told = {"cloudEvents_id": "77", "cloudEvents_type": "core.x.v1", "cloudEvents_time": "2026-04-01T01:00:00Z"}
    (spoken,) = decode_single(body, told, "core.y.v1", "m-1")
    (bare,) = decode_single(body, {}, "core.y.v1", None)

    assert isinstance(spoken, Fact)
    assert isinstance(bare, Fact)
    assert (spoken.type, spoken.time, spoken.correlation) == ("core.x.v1", "2026-04-01T01:00:00Z", "portal-a/A-1")
    assert (bare.type, bare.subject) == ("core.y.v1", "portal-a/A-1")
    assert bare == decode_single(body, {"cloudEvents_time": bare.time}, "core.y.v1", None)[0]
    assert spoken.id != bare.id
    # The same message sent again is the same fact, with or without an id of its own.
    assert decode_single(body, told, "core.y.v1", "m-2")[0].id == spoken.id
    assert decode_single(body, {}, "core.y.v1", None)[0].id == bare.id
