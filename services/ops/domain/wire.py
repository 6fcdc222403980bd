"""What ops reads from the wire, as frozen values. Nothing here fails: what has no known shape is kept as it is."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

from pydantic_core import from_json

NAMESPACE = UUID("1b3a8f0e-5f4d-5d0c-8e0a-6a2f5a3d9c11")
TEXT_CHARACTERS_MAX = 500

NEVER_AGAIN = frozenset({"same_id_other_content"})
"""Codes of what no hearer would let in again: another content was done under this id."""

# What has another shape than expected says so in one of these ways, `UUID(5)` for one by an AttributeError.
_NOT_OF_THAT_SHAPE = (ValueError, KeyError, TypeError, AttributeError)


class Message(Protocol):
    """A delivery, as far as ops reads it."""

    @property
    def body(self) -> bytes:
        """Its bytes."""

    @property
    def message_id(self) -> str | None:
        """The sender's id of this message."""

    @property
    def routing_key(self) -> str:
        """The key it came by."""

    @property
    def headers(self) -> Mapping[str, object]:
        """Its headers, the broker's own among them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One announcement in the journal: what, about what, when and its digest; never its body."""

    fact_id: UUID
    service: str
    type: str
    subject: str
    correlation: str
    announced_at: datetime
    digest: bytes
    search: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One message on the journal queue. `entries` is None when it has not the shape of a record."""

    id: UUID
    digest: bytes
    entries: tuple[Entry, ...] | None
    body: bytes
    replay: int = 0


@dataclass(frozen=True, slots=True)
class Parked:
    """One thing on the desk. `body` is the whole record as it came, for a later replay."""

    id: UUID
    digest: bytes
    fact_id: UUID | None
    consumer: str
    code: str
    reason: str
    type: str
    subject: str
    correlation: str
    body: bytes
    replay: int = 0
    replayable: bool = False
    """Whether it is here with its whole content, so that it can be sent again."""


def read_record(message: Message) -> Sequence[Record]:
    """A journal record from a delivery."""
    identity, digest = _identity(message)
    try:
        told = from_json(message.body)
        entries = tuple(_entry(str(told["service"]), fact) for fact in told["facts"])
    except _NOT_OF_THAT_SHAPE:
        return [Record(identity, digest, None, message.body)]
    return [Record(identity, digest, entries, message.body)]


def _entry(service: str, fact: Mapping[str, Any]) -> Entry:
    return Entry(
        fact_id=UUID(fact["id"]),
        service=_text(service),
        type=_text(fact["type"]),
        subject=_text(fact["subject"]),
        correlation=_text(fact["correlation"]),
        announced_at=_aware(fact["time"]),
        digest=bytes.fromhex(fact["digest"]),
        search=_search(fact.get("search")),
    )


def _aware(told: str) -> datetime:
    time = datetime.fromisoformat(told)
    if time.tzinfo is None:
        raise ValueError("a time without a zone is a guess")
    return time


def _search(told: object) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in told.items()} if isinstance(told, dict) else {}


def read_parked(message: Message) -> Sequence[Parked]:
    """A parked fact from a delivery; what the broker itself gave up on is told by its dead-letter header."""
    identity, digest = _identity(message)
    try:
        told = from_json(message.body)
        consumer, code = str(told["consumer"]), str(told["code"])
        fact_id = UUID(told["id"])
        replay = told["replay"] if isinstance(told.get("replay"), int) else 0
    except _NOT_OF_THAT_SHAPE:
        reason = "given up by the broker" if "x-death" in message.headers else "not a record of a parked fact"
        return [
            Parked(
                identity, digest, None, _text(message.routing_key), "dead_lettered", reason, "", "", "", message.body
            )
        ]
    return [
        Parked(
            id=_desk_id(told, identity),
            digest=digest,
            fact_id=fact_id,
            consumer=_text(consumer),
            code=_text(code),
            reason=_text(told.get("reason", "")),
            type=_text(told.get("type", "")),
            subject=_text(told.get("subject", "")),
            correlation=_text(told.get("correlation", "")),
            body=message.body,
            replay=replay,
            replayable=isinstance(told.get("fact"), str) and code not in NEVER_AGAIN,
        )
    ]


def _desk_id(told: Mapping[str, Any], otherwise: UUID) -> UUID:
    """One place on the desk for one fact at one hearer at one replay, however often and when its parking is told."""
    if not isinstance(told.get("digest"), str):
        return otherwise
    return uuid5(NAMESPACE, "\n".join(str(told.get(name)) for name in ("consumer", "id", "digest", "replay")))


def _identity(message: Message) -> tuple[UUID, bytes]:
    digest = hashlib.sha256(message.body).digest()
    return uuid5(NAMESPACE, f"{message.message_id or ''}\n{digest.hex()}"), digest


def _text(value: object) -> str:
    # PostgreSQL keeps no U+0000, and the desk shows these in one line.
    return str(value).replace("\x00", "")[:TEXT_CHARACTERS_MAX]
