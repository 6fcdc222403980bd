"""A fact that no handler could take, on its way to the desk: with its whole content, the hearer and the reason."""

import base64

from pydantic_core import to_json

from shared import topology
from shared.envelope import Fact, Unreadable, encode, fact_id
from shared.outbox import Announcement

PARKED_TYPE = "parking.fact_parked.v1"
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
        message_id=fact_id(PARKED_TYPE, f"{consumer}/{fact.id}", str(fact.replay)),
        type=PARKED_TYPE,
        subject=fact.subject if isinstance(fact, Fact) else str(fact.id),
        correlation=fact.correlation if isinstance(fact, Fact) else "",
        body=body,
        headers=None,
        digest=fact.digest,
        journalled=False,
        time=parked_at,
    )


def _beginning(of: Unreadable) -> dict[str, object]:
    """What is kept of content that cannot be kept whole."""
    return {
        "message_id": of.message_id,
        "length_bytes": of.length_bytes,
        "sha256": of.sha256,
        "unreadable_base64": base64.b64encode(of.excerpt).decode(),
    }
