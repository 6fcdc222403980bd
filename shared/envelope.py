"""Facts on the wire: CloudEvents 1.0, alone (binary mode) or together in a pack (JSON batch format).

Decoding never raises and never awaits: what cannot be read becomes an `Unreadable` value with the reason, so that
it can be parked like any other fact. Source: CloudEvents specification 1.0.2, AMQP binding and JSON batch format.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from pydantic_core import from_json, to_json

from shared import clock

FACTS_HEADER = "facts"
"""How many facts a pack holds."""

LANE_HEADER = "lane"
"""Whose facts a pack holds, so that a hearer lets portals take turns; packs shared by several are of the lane ""."""

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
JSON_CONTENT_TYPE = "application/json"
UNREADABLE_BYTES_KEPT_MAX = 64 * 1024

FACT_NAMESPACE = UUID("5f1de4a9-4e0e-5b8a-9c37-3b0b3f3a6f51")
"""Fixed for ever: changing it would give every fact announced again a new identity."""

UNKEPT = "an attribute holds U+0000 or half of a surrogate pair, which the database cannot keep"

_SURROGATE = re.compile("[\ud800-\udfff]")
_ATTRIBUTES = ("id", "source", "type", "subject", "time")


@dataclass(frozen=True)
class Fact:
    """One announcement. `data` is its JSON body; `replay` counts how often the desk sent it again."""

    id: UUID
    type: str
    source: str
    subject: str
    time: str
    correlation: str
    traceparent: str | None
    data: bytes
    replay: int = 0

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the JSON body: the same id with another digest is another fact wearing its name."""
        return hashlib.sha256(self.data).digest()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read, kept as its first 64 KiB, its whole length and its SHA-256."""

    id: UUID
    reason: str
    excerpt: bytes
    length_bytes: int
    sha256: str
    message_id: str | None = None
    replay: int = 0

    @classmethod
    def of(cls, body: bytes, reason: str, message_id: str | None = None, replay: int = 0) -> "Unreadable":
        """The value for a body. Its id follows from the content, so that a redelivery is recognised."""
        digest = hashlib.sha256(body).hexdigest()
        identity = _derived("unreadable", message_id or "", digest)
        kept_id = message_id if message_id is None or _is_kept(message_id) else None
        return cls(identity, reason, body[:UNREADABLE_BYTES_KEPT_MAX], len(body), digest, kept_id, replay)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole body."""
        return bytes.fromhex(self.sha256)


def fact_id(message_type: str, subject: str, occurrence: str) -> UUID:
    """The identity of a fact: announcing again gives the same id, a second occasion another."""
    return _derived(message_type, subject, occurrence)


def _derived(*parts: str) -> UUID:
    # A sender's own texts may hold half of a surrogate pair, which UTF-8 cannot write and `uuid5` would raise at.
    sound = "\n".join(parts).encode("utf-8", "backslashreplace").decode()
    return uuid5(FACT_NAMESPACE, sound)


def source_of(service: str) -> str:
    """The CloudEvents `source` of a service."""
    return f"/hosho/{service}"


def encode(fact: Fact) -> bytes:
    """A fact as a structured-mode CloudEvent. The body is put in as it is: it is already JSON."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(fact.id),
        "source": fact.source,
        "type": fact.type,
        "subject": fact.subject,
        "time": fact.time,
        "datacontenttype": JSON_CONTENT_TYPE,
        "correlation": fact.correlation,
    }
    if fact.traceparent is not None:
        attributes["traceparent"] = fact.traceparent
    return to_json(attributes)[:-1] + b',"data":' + fact.data + b"}"


def pack(bodies: Sequence[bytes]) -> bytes:
    """Several encoded facts as one message body."""
    return b"[" + b",".join(bodies) + b"]"


def binary_headers(fact: Fact) -> dict[str, str]:
    """The headers of a single fact in CloudEvents binary mode, as portals get it."""
    headers = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": str(fact.id),
        "cloudEvents_source": fact.source,
        "cloudEvents_type": fact.type,
        "cloudEvents_subject": fact.subject,
        "cloudEvents_time": fact.time,
    }
    if fact.traceparent is not None:
        headers["traceparent"] = fact.traceparent
    return headers


def decode_pack(body: bytes, replay: int = 0) -> list[Fact | Unreadable]:
    """The facts of a pack, in their order; a pack that is no JSON array is one `Unreadable`."""
    try:
        events = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return [Unreadable.of(body, f"not JSON: {error}", replay=replay)]
    if isinstance(events, dict):
        events = [events]
    if not isinstance(events, list) or not events:
        return [Unreadable.of(body, "neither a CloudEvent nor a non-empty array of CloudEvents", replay=replay)]
    return [_fact(event, replay) for event in events]


def _fact(event: object, replay: int) -> Fact | Unreadable:
    def unreadable(reason: str) -> Unreadable:
        return Unreadable.of(to_json(event), reason, replay=replay)

    if not isinstance(event, dict):
        return unreadable("a pack's element is no CloudEvent")
    missing = [name for name in _ATTRIBUTES if not isinstance(event.get(name), str)]
    if missing or not isinstance(event.get("data"), dict):
        return unreadable(f"attributes missing or of a wrong type: {', '.join(missing) or 'data'}")
    if not all(_is_kept(str(event.get(name))) for name in (*_ATTRIBUTES, "correlation", "traceparent")):
        return unreadable(UNKEPT)
    try:
        identity = UUID(event["id"])
        datetime.fromisoformat(event["time"])
        data = _json(event["data"])
    except ValueError as error:
        return unreadable(f"id, time or a number unreadable: {error}")
    trace = event.get("traceparent")
    return Fact(
        id=identity,
        type=event["type"],
        source=event["source"],
        subject=event["subject"],
        time=event["time"],
        correlation=str(event.get("correlation") or event["subject"]),
        traceparent=trace if isinstance(trace, str) else None,
        data=data,
        replay=replay,
    )


def _is_kept(text: str) -> bool:
    """Whether the database can keep a text: no U+0000, and no half of a surrogate pair."""
    return "\x00" not in text and not _SURROGATE.search(text)


def _json(data: object) -> bytes:
    """What was read as JSON, as JSON again.

    Raises:
        ValueError: if a number is too large for a double (1e999): it would be written as no JSON at all.
    """
    body = to_json(data)
    if b"Infinity" in body:
        from_json(body, allow_inf_nan=False)
    return body


def _time(told: str) -> str:
    """The time a sender tells, or the time of reading: a fact without one could not be replayed from the desk."""
    try:
        datetime.fromisoformat(told)
    except ValueError:
        return clock.now().isoformat()
    return told


def decode_single(
    body: bytes, headers: Mapping[str, object], routing_key: str, message_id: str | None
) -> list[Fact | Unreadable]:
    """A single fact from outside (the core system): binary-mode headers where given, else what the message tells.

    The sender's ids need not be UUIDs, so ours is derived from type, source and its id; without any id, from the
    content, so that a redelivery is still recognised.
    """
    try:
        data = from_json(body, allow_inf_nan=False)
        normal = _json(data)
    except ValueError as error:
        return [Unreadable.of(body, f"not JSON: {error}", message_id)]
    if not isinstance(data, dict):
        return [Unreadable.of(body, "the body is no JSON object", message_id)]

    def told(name: str, otherwise: str) -> str:
        value = headers.get(f"cloudEvents_{name}")
        return value if isinstance(value, str) and value else otherwise

    digest = hashlib.sha256(body).hexdigest()
    message_type, source = told("type", routing_key), told("source", "/core")
    subject = told("subject", f"{data.get('portal')}/{data.get('application_id')}")
    occurrence = told("id", message_id or digest)
    trace = headers.get("traceparent")
    if not _is_kept(f"{message_type}{source}{subject}{data.get('portal')}{data.get('application_id')}{trace}"):
        return [Unreadable.of(body, UNKEPT, message_id)]
    return [
        Fact(
            id=fact_id(message_type, source, occurrence),
            type=message_type,
            source=source,
            subject=subject,
            time=_time(told("time", "")),
            correlation=f"{data.get('portal')}/{data.get('application_id')}",
            traceparent=trace if isinstance(trace, str) else None,
            data=normal,
        )
    ]
