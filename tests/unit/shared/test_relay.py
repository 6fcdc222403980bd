"""How rows become messages: packs, single facts, and the journal's record."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from shared import outbox, parking, topology
from shared.envelope import BATCH_CONTENT_TYPE
from shared.outbox import Announcement, Leased
from shared.parcels import PACK_BYTES_MAX, PACK_FACTS_MAX, RECORD_BYTES_MAX, journal_of, parcels_of
from shared.relay import MEMORY_ROWS_MAX, Relay
from shared.work import SEARCH_CHARACTERS_MAX

TYPES = ("issuer.guarantee_issued.v1", "issuer.certificate_created.v1")


def _row(number: int, **changes: Any) -> Leased:
    fields: dict[str, Any] = {
        "exchange": topology.EVENTS,
        "routing_key": TYPES[0],
        "message_id": UUID(int=number),
        "type": TYPES[0],
        "subject": str(number),
        "correlation": f"portal-a/A-{number}",
        "body": b'{"n":%d}' % number,
        "headers": None,
        "digest": b"\x01",
        "journalled": True,
        "time": "2026-04-01T01:00:00+00:00",
    }
    return Leased(number, Announcement(**{**fields, **changes}))


ROWS = st.lists(
    st.builds(
        lambda kind, exchange, size: {"type": kind, "exchange": exchange, "body": b'"%s"' % (b"x" * size)},
        st.sampled_from(TYPES),
        st.sampled_from([topology.EVENTS, topology.EVENTS, topology.PORTALS, topology.PARKING, outbox.JOURNAL_ONLY]),
        st.sampled_from([1, 1, 1, 1, 70_000, 150_000, 300_000]),
    ),
    max_size=130,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ROWS)
def test_every_row_that_is_published_is_in_exactly_one_message(contents: list[dict[str, Any]]) -> None:
    rows = [_row(number, **changes) for number, changes in enumerate(contents)]
    parcels = list(parcels_of(rows))

    published = sorted(row.id for parcel in parcels for row in parcel.rows)
    assert published == [row.id for row in rows if row.announcement.exchange != outbox.JOURNAL_ONLY]
    for parcel in parcels:
        facts, message = parcel.rows, parcel.message
        assert {row.announcement.exchange for row in facts} == {message.exchange}
        assert {row.announcement.type for row in facts} == {message.type}
        if message.exchange == topology.EVENTS:
            assert len(facts) <= PACK_FACTS_MAX
            assert len(facts) == 1 or sum(len(row.announcement.body) for row in facts) <= PACK_BYTES_MAX
            assert len(from_json(message.body)) == len(facts) == (message.headers or {})["facts"]
            assert message.content_type == BATCH_CONTENT_TYPE
        else:
            assert message.body == facts[0].announcement.body
            assert message.message_id == str(facts[0].announcement.message_id)


def test_the_journal_names_each_fact_once_and_no_content() -> None:
    answer = _row(1, exchange=topology.PORTALS, journalled=False)
    unheard = _row(2, exchange=outbox.JOURNAL_ONLY, body=b"")
    parked = _row(3, exchange=topology.PARKING, journalled=False)
    (record,) = journal_of("issuer", [_row(1), answer, unheard, parked, _row(1)])

    told = from_json(record.body)
    assert [entry["id"] for entry in told["facts"]] == [str(UUID(int=1)), str(UUID(int=2))]
    assert told["facts"][0]["digest"] == "01"
    assert told["service"] == "issuer"
    assert record.routing_key == "journal.issuer"
    assert b'"n"' not in record.body


def test_a_batch_without_facts_of_its_own_writes_no_record() -> None:
    assert journal_of("issuer", [_row(1, exchange=topology.PARKING, journalled=False)]) == []


def test_a_journal_record_is_never_larger_than_a_broker_takes() -> None:
    words = dict.fromkeys(("contractor", "project", "obligee"), "保" * SEARCH_CHARACTERS_MAX)
    rows = [_row(number, search=words) for number in range(400)]
    records = journal_of("intake", rows)
    told = [fact["id"] for one in records for fact in from_json(one.body)["facts"]]

    assert told == [str(UUID(int=number)) for number in range(400)]
    assert all(len(one.body) <= RECORD_BYTES_MAX + 100 for one in records)
    assert from_json(records[0].body)["facts"][0]["search"] == words


def test_a_replay_goes_straight_to_its_queue_in_the_name_of_the_desk() -> None:
    row = parking.replay_row("issuer.mail_sent", UUID(int=1), b"{}", 3, "2026-04-01T00:00:00+00:00")
    (parcel,) = parcels_of([Leased(1, row)])

    assert (parcel.message.exchange, parcel.message.routing_key) == ("", "issuer.mail_sent")
    assert (parcel.message.user_id, parcel.message.headers) == ("ops", {"replay": 3})
    assert parcel.message.body == b"[{}]"


def test_a_portals_copy_is_correlated_by_the_application() -> None:
    (parcel,) = parcels_of([_row(1, exchange=topology.PORTALS, headers={"cloudEvents_id": "x"})])

    assert parcel.message.correlation_id == "A-1"
    assert parcel.message.headers == {"cloudEvents_id": "x"}


class _Owner:
    def on_due(self, wake: Callable[[], None]) -> None:
        self.wake = wake


def test_a_row_that_is_in_memory_already_is_not_taken_twice() -> None:
    """A lease that ran out while its row waits here is claimed again by the sweep."""
    relay = Relay("issuer", cast(Any, None), cast(Any, _Owner()), cast(Any, None))

    relay.take([_row(1), _row(2)])
    relay.take([_row(2), _row(3)])

    assert [row.id for row in relay._waiting] == [1, 2, 3]
    assert relay.held == 3


def test_memory_grants_no_more_than_it_has_room_for() -> None:
    relay = Relay("issuer", cast(Any, None), cast(Any, _Owner()), cast(Any, None))

    assert relay.reserve(MEMORY_ROWS_MAX - 1) == MEMORY_ROWS_MAX - 1
    assert relay.reserve(5) == 1
    assert relay.reserve(5) == 0
    relay.give_back(MEMORY_ROWS_MAX)
    relay.take([_row(number) for number in range(10)])
    assert relay.reserve(MEMORY_ROWS_MAX) == MEMORY_ROWS_MAX - 10


def test_a_flood_travels_apart_from_the_packs_of_others() -> None:
    """Only so can a hearer let the others pass: it takes packs, not facts."""
    rows = [_row(number, correlation=f"portal-a/{number}") for number in range(60)]
    rows += [_row(100 + number, correlation=f"portal-{name}/1") for number, name in enumerate("bcd")]

    lanes: dict[object, list[set[str]]] = {}
    for parcel in parcels_of(rows):
        portals = {row.announcement.correlation.partition("/")[0] for row in parcel.rows}
        lanes.setdefault((parcel.message.headers or {})["lane"], []).append(portals)

    assert set(lanes) == {"portal-a", ""}
    assert all(portals == {"portal-a"} for portals in lanes["portal-a"])
    assert lanes[""] == [{"portal-b", "portal-c", "portal-d"}]
