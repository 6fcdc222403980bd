"""A fact that no handler could take, on its way to the desk: with its whole content, the hearer and the reason."""

import base64
import hashlib
from uuid import UUID

from pydantic_core import to_json

from shared import topology
from shared.envelope import Fact, Unreadable, encode, fact_id, pack
from shared.outbox import Announcement

PARKED_TYPE = "parking.fact_parked.v1"
REPLAYED_TYPE = "parking.fact_replayed.v1"
REASON_CHARACTERS_MAX = 2_000

RECORD_BYTES_MAX = 250_000
"""A broker takes 262,144 bytes; a record above that would wait for ever, and nobody at the desk would know of it."""


def row(consumer: str, fact: Fact | Unreadable, code: str, reason: str, parked_at: str) -> Announcement:
    """The outbox row that brings a parked fact to the desk.

    Args:
        consumer: the queue of the one hearer; a replay goes back there and nowhere else.
        code: what the desk groups by.
        parked_at: RFC 3339.
    """
    record: dict[str, object] = {
        "consumer": consumer,
        "id": str(fact.id),
        "code": code,
        "reason": reason[:REASON_CHARACTERS_MAX],
        "parked_at": parked_at,
        "replay": fact.replay,
        "digest": fact.digest.hex(),
    }
    if isinstance(fact, Fact):
        record |= {"type": fact.type, "subject": fact.subject, "correlation": fact.correlation}
        body = to_json(record | {"fact": encode(fact).decode()})
        if len(body) > RECORD_BYTES_MAX:
            body = to_json(record | _beginning(Unreadable.of(fact.data, reason)))
    else:
        body = to_json(record | _beginning(fact))
    return Announcement(
        exchange=topology.PARKING,
        routing_key=consumer,
        # The digest is part of it: a second content under one id is parked beside the first, not instead of it.
        message_id=fact_id(PARKED_TYPE, f"{consumer}/{fact.id}/{fact.digest.hex()}", str(fact.replay)),
        type=PARKED_TYPE,
        subject=fact.subject if isinstance(fact, Fact) else str(fact.id),
        correlation=fact.correlation if isinstance(fact, Fact) else "",
        body=body,
        headers=None,
        digest=fact.digest,
        journalled=False,
        time=parked_at,
    )


def replay_row(queue: str, fact: UUID, body: bytes, replay: int, time: str) -> Announcement:
    """The outbox row that sends a parked fact again, with its own id, to the queue of its one hearer.

    Args:
        body: the fact as it was parked, a structured-mode CloudEvent.
        replay: one more than it was parked with; the hearer's inbox lets it in only then.
        time: RFC 3339.
    """
    return Announcement(
        exchange=topology.STRAIGHT,
        routing_key=queue,
        message_id=fact_id(REPLAYED_TYPE, f"{queue}/{fact}", str(replay)),
        type=REPLAYED_TYPE,
        subject=str(fact),
        correlation="",
        body=pack([body]),
        headers={topology.REPLAY_HEADER: replay},
        digest=hashlib.sha256(body).digest(),
        journalled=False,
        time=time,
    )


def _beginning(of: Unreadable) -> dict[str, object]:
    """What is kept of content that cannot be kept whole."""
    return {
        "message_id": of.message_id,
        "length_bytes": of.length_bytes,
        "sha256": of.sha256,
        "unreadable_base64": base64.b64encode(of.excerpt).decode(),
    }
