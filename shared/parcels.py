"""How outbox rows travel: facts of one type together in packs, portals' copies alone, and what the journal is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from shared import clock, outbox, topology
from shared.envelope import BATCH_CONTENT_TYPE, FACTS_HEADER, JSON_CONTENT_TYPE, LANE_HEADER, pack
from shared.frames import Outgoing
from shared.outbox import Leased
from shared.turns import portal_of

PACK_FACTS_MAX = 50
PACK_BYTES_MAX = 200_000
RECORD_BYTES_MAX = 200_000
LANES_MAX = 8
"""Portals that travel apart in one batch of one type; lighter ones share their packs."""
JOURNAL_TYPE = "journal.recorded.v1"


@dataclass(slots=True)
class Parcel:
    """One AMQP message and the rows it carries."""

    message: Outgoing
    rows: list[Leased]


def parcels_of(rows: Sequence[Leased]) -> Iterator[Parcel]:
    """Facts of one type travel together on the events exchange; elsewhere each travels alone."""
    packs: dict[str, list[Leased]] = {}
    for row in rows:
        exchange = row.announcement.exchange
        if exchange == topology.EVENTS:
            packs.setdefault(row.announcement.type, []).append(row)
        elif exchange != outbox.JOURNAL_ONLY:
            yield _single(row)
    for message_type, of_type in packs.items():
        for lane, rows_of_lane in _lanes(of_type).items():
            for chunk in _chunks(rows_of_lane):
                yield Parcel(_pack(message_type, lane, chunk), chunk)


def _lanes(rows: Sequence[Leased]) -> dict[str, list[Leased]]:
    """The rows by portal, so that a hearer can let portals take turns; the light ones together, in the lane ""."""
    portals: dict[str, list[Leased]] = {}
    for row in rows:
        portals.setdefault(portal_of(row.announcement.correlation), []).append(row)
    lanes: dict[str, list[Leased]] = {}
    for portal, rows_of_portal in portals.items():
        is_light = len(rows_of_portal) * LANES_MAX < len(rows)
        lanes.setdefault("" if is_light else portal, []).extend(rows_of_portal)
    return lanes


def _chunks(rows: Sequence[Leased]) -> Iterator[list[Leased]]:
    chunk: list[Leased] = []
    size_bytes = 0
    for row in rows:
        length_bytes = len(row.announcement.body)
        if chunk and (len(chunk) == PACK_FACTS_MAX or size_bytes + length_bytes > PACK_BYTES_MAX):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(row)
        size_bytes += length_bytes
    if chunk:
        yield chunk


def _pack(message_type: str, lane: str, rows: Sequence[Leased]) -> Outgoing:
    return Outgoing(
        exchange=topology.EVENTS,
        routing_key=message_type,
        # A pack has no identity of its own, its facts have. A fresh id keeps returns unambiguous.
        message_id=clock.new_uuid().hex,
        body=pack([row.announcement.body for row in rows]),
        content_type=BATCH_CONTENT_TYPE,
        headers={FACTS_HEADER: len(rows), LANE_HEADER: lane},
        type=message_type,
    )


def _single(row: Leased) -> Parcel:
    announcement = row.announcement
    subject_id = announcement.correlation.partition("/")[2]
    replayed = announcement.exchange == topology.STRAIGHT
    message = Outgoing(
        exchange="" if replayed else announcement.exchange,
        routing_key=announcement.routing_key,
        message_id=str(announcement.message_id),
        body=announcement.body,
        content_type=JSON_CONTENT_TYPE,
        headers=announcement.headers,
        type=announcement.type,
        correlation_id=subject_id or None,
        user_id=topology.DESK if replayed else None,
    )
    return Parcel(message, [row])


def journal_of(service: str, rows: Sequence[Leased]) -> list[Outgoing]:
    """Records of what this batch announces: ids, types, subjects, times, digests and search words, never bodies.

    Usually one; more only when their search words would make a message larger than a broker takes.
    """
    facts = {
        (row.announcement.message_id, row.announcement.digest): _journalled(row)
        for row in rows
        if row.announcement.journalled
    }
    records: list[Outgoing] = []
    chunk: list[bytes] = []
    size_bytes = 0
    for told in facts.values():
        if chunk and size_bytes + len(told) > RECORD_BYTES_MAX:
            records.append(_record(service, chunk))
            chunk, size_bytes = [], 0
        chunk.append(told)
        size_bytes += len(told) + 1
    if chunk:
        records.append(_record(service, chunk))
    return records


def _journalled(row: Leased) -> bytes:
    announcement = row.announcement
    told: dict[str, object] = {
        "id": str(announcement.message_id),
        "type": announcement.type,
        "subject": announcement.subject,
        "correlation": announcement.correlation,
        "time": announcement.time,
        "digest": announcement.digest.hex(),
    }
    if announcement.search is not None:
        told["search"] = announcement.search
    return to_json(told)


def _record(service: str, facts: Sequence[bytes]) -> Outgoing:
    return Outgoing(
        exchange=topology.EVENTS,
        routing_key=topology.journal_key(service),
        message_id=clock.new_uuid().hex,
        body=b'{"service":' + to_json(service) + b',"facts":[' + b",".join(facts) + b"]}",
        content_type=JSON_CONTENT_TYPE,
        type=JOURNAL_TYPE,
    )
