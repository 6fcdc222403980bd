"""One message of a portal, as it came: nothing of its body is believed or read yet."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from shared import topology
from shared.envelope import Fact, decode_pack, fact_id
from shared.subscription import Delivery

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Sent:
    """A portal's message.

    Attributes:
        portal: whose door it came through; the broker or the token vouches for it.
        type: the message's name, which is the routing key without the portal.
        body: the bytes as they were sent.
        message_id: the portal's own, without characters that cannot be shown; None over HTTP.
        replay: how often the desk sent it again.
        parked_as: the id it was parked under, if the desk sent it again.
    """

    portal: str
    type: str
    body: bytes
    message_id: str | None = None
    traceparent: str | None = None
    replay: int = 0
    parked_as: UUID | None = None

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the body."""
        return hashlib.sha256(self.body).digest()

    @property
    def occurrence(self) -> str:
        """Tells this sending from others where content gives no identity: a resend is the same, a mend is not."""
        return f"{self.message_id or ''}/{self.digest.hex()}"

    @cached_property
    def id(self) -> UUID:
        """Its identity among all that came through this door."""
        return self.parked_as or fact_id(self.type, self.portal, self.occurrence)

    @property
    def is_change(self) -> bool:
        """Whether it asks for a change of a guarantee; everything else is an application."""
        return self.type.startswith("change")

    def subject(self, name: str | None) -> str:
        """What its answer is about: portal and application or change id, or our own id where none can be read."""
        return f"{self.portal}/{name or self.id}"

    def correlation(self, name: str | None) -> str:
        """By what its sender finds the answer: its application or change id, else its message id, else our own id."""
        return f"{self.portal}/{name or self.message_id or self.id}"

    def as_fact(self, time: str) -> Fact:
        """Itself as a fact, by which its answers are traced and it can be parked; the subject keeps the message id."""
        subject = self.subject(self.message_id)
        return Fact(
            id=self.id,
            type=self.type,
            source=f"/portals/{self.portal}",
            subject=subject,
            time=time,
            correlation=subject,
            traceparent=self.traceparent,
            data=self.body,
            replay=self.replay,
        )


def read_delivery(portal: str, delivery: Delivery) -> list[Sent]:
    """What a delivery from the queue of `portal` holds. Never raises: a body that cannot be read is answered later."""
    replay = topology.replayed(delivery.user_id, delivery.headers)
    # Only the desk sends facts to a door.
    if replay:
        return [_replayed(portal, fact) for fact in decode_pack(delivery.body, replay) if isinstance(fact, Fact)]
    trace = delivery.headers.get("traceparent")
    message_id = "".join(filter(str.isprintable, delivery.message_id or ""))
    return [
        Sent(
            portal=portal,
            type=delivery.routing_key.removesuffix(f".{portal}"),
            body=delivery.body,
            message_id=message_id or None,
            traceparent=trace if isinstance(trace, str) and _TRACEPARENT.fullmatch(trace) else None,
        )
    ]


def _replayed(portal: str, fact: Fact) -> Sent:
    name = fact.subject.removeprefix(f"{portal}/")
    message_id = None if name == str(fact.id) else name
    return Sent(portal, fact.type, fact.data, message_id, fact.traceparent, fact.replay, fact.id)
