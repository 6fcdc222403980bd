"""A fact that no handler could take, on its way to the desk: with its whole content, the hearer and the reason."""

import base64

from pydantic_core import to_json

from shared import topology
from shared.envelope import Fact, Unreadable, encode, fact_id
from shared.outbox import Announcement

PARKED_TYPE = "parking.fact_parked.v1"
REASON_CHARACTERS_MAX = 2_000


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
        record["fact"] = encode(fact).decode()
    else:
        record |= {
            "message_id": fact.message_id,
            "length_bytes": fact.length_bytes,
            "sha256": fact.sha256,
            "unreadable_base64": base64.b64encode(fact.excerpt).decode(),
        }
    return Announcement(
        exchange=topology.PARKING,
        routing_key=consumer,
        message_id=fact_id(PARKED_TYPE, f"{consumer}/{fact.id}", str(fact.replay)),
        type=PARKED_TYPE,
        subject=fact.subject if isinstance(fact, Fact) else str(fact.id),
        correlation=fact.correlation if isinstance(fact, Fact) else "",
        body=to_json(record),
        headers=None,
        digest=fact.digest,
        journalled=False,
        time=parked_at,
    )
