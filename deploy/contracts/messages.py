"""Every message as it is published: a name, a JSON Schema, an example, and how it travels."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from pydantic_core import from_json, to_json

from deploy.contracts.schemas import Schema, schema_of, shown_to_portals
from deploy.contracts.story import APPLICATION, CERTIFICATE, CHANGE, FACTS, sample
from services.intake.domain.change import Change
from services.intake.domain.form import Application
from services.issuer.domain.states import Status
from services.issuer.web.certificate_data import CertificateData
from services.issuer.web.knowledge import KeySet
from shared import outbox, parking
from shared.envelope import Fact, binary_headers, encode, fact_id, source_of
from shared.messages import Message
from shared.messages.issuer import GuaranteeStatusChanged
from shared.outbox import Announcement, Leased
from shared.parcels import JOURNAL_TYPE, journal_of
from shared.topology import EVENTS, queue_of

Audience = Literal["to_hosho", "to_portals", "inside", "documents"]

APPLICATION_SUBMITTED: Final = "application.submitted"
CHANGE_REQUESTED: Final = "change.requested"
AUTH_KEY_SHAPE: Final = "^[A-Za-z0-9]{12}$"

_TRACEPARENT: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_TIME: Final = "2026-01-15T00:30:01.300+00:00"


@dataclass(frozen=True, slots=True)
class Published:
    """One published message or document."""

    audience: Audience
    name: str
    schema: Schema
    example: dict[str, Any]

    @property
    def path(self) -> str:
        """Where its schema and its example stand, below their folders, without `.json`."""
        return f"{self.audience}/{self.name}"


class JournalledFact(BaseModel):
    """One announcement as the journal is told of it: never its body."""

    id: UUID
    type: str
    subject: str
    correlation: str
    time: AwareDatetime
    digest: str = Field(description="SHA-256 of the fact's data, hexadecimal.")
    search: dict[str, str] | None = Field(None, description="By which words the journal finds it again.")


class JournalRecord(BaseModel):
    """What one service announced together. Acts of operators (`operator.acted.v1`) are told here and nowhere else."""

    service: str
    facts: list[JournalledFact]


class ParkedFact(BaseModel):
    """A fact that no handler could take, with its whole content, or with the beginning of what could not be read."""

    consumer: str = Field(description="The queue of the one hearer; a replay goes back there.")
    id: UUID
    code: str
    reason: str
    parked_at: AwareDatetime
    replay: int
    digest: str
    type: str | None = None
    subject: str | None = None
    correlation: str | None = None
    fact: str | None = Field(None, description="The whole CloudEvent, as JSON text.")
    message_id: str | None = None
    length_bytes: int | None = None
    sha256: str | None = None
    unreadable_base64: str | None = Field(None, description="The first 64 KiB of a body that could not be read.")


@cache
def published() -> tuple[Published, ...]:
    """Everything that is published, in a fixed order."""
    return (*_sent(), *_facts(), *_plumbing(), *_documents())


def of_audience(audience: Audience, name: str) -> Published:
    """One of them."""
    return next(one for one in published() if (one.audience, one.name) == (audience, name))


def is_shown_to_portals(message_type: str) -> bool:
    """Whether the portal of an application gets facts of this type."""
    return any((one.audience, one.name) == ("to_portals", message_type) for one in published())


def _sent() -> Iterator[Published]:
    yield Published("to_hosho", APPLICATION_SUBMITTED, schema_of(Application), APPLICATION)
    yield Published("to_hosho", CHANGE_REQUESTED, schema_of(Change), CHANGE)
    for fact in FACTS:
        if fact.TYPE.startswith("core."):
            yield Published("to_hosho", fact.TYPE, schema_of(type(fact)), _told(fact))


def _facts() -> Iterator[Published]:
    for fact in FACTS:
        shown = shown_to_portals(fact)
        if shown is not None:
            yield Published("to_portals", fact.TYPE, _with_statuses(fact, shown), dict(fact.for_portal() or {}))
    for fact in FACTS:
        if not fact.TYPE.startswith("core."):
            yield Published("inside", fact.TYPE, _with_statuses(fact, schema_of(type(fact))), _told(fact))


def _with_statuses(fact: Message, schema: Schema) -> Schema:
    """手続状況 is a text in the model, so that older programs read newer ones; today's are listed."""
    if isinstance(fact, GuaranteeStatusChanged):
        statuses = [status.value for status in Status]
        for name in ("from", "to"):
            schema["properties"][name]["examples"] = statuses
    return schema


def _told(fact: Message) -> dict[str, Any]:
    told: dict[str, Any] = from_json(to_json(fact, by_alias=True))
    return told


def _plumbing() -> Iterator[Published]:
    event = example_event(fact_of("issuer.certificate_created.v1"))
    yield Published("inside", JOURNAL_TYPE, schema_of(JournalRecord), _journal_record())
    yield Published("inside", parking.PARKED_TYPE, schema_of(ParkedFact), _parked(event))


def _documents() -> Iterator[Published]:
    posted = schema_of(CertificateData)
    posted["title"] = "PostedCertificate"
    posted["description"] = (
        "The electronic certificate (電子証書) as it is posted to the platform: what is signed, with the key, the "
        "digest and the detached signature, which are outside of what is signed."
    )
    posted["properties"]["auth_key"] = {"title": "認証キー", "type": "string", "pattern": AUTH_KEY_SHAPE}
    posted["required"].append("auth_key")
    yield Published("documents", "certificate", posted, CERTIFICATE)
    yield Published("documents", "jwks", schema_of(KeySet), sample("jwks"))


def fact_of(message_type: str) -> Message:
    """The fact of this type in the story."""
    return next(fact for fact in FACTS if message_type == fact.TYPE)


def announcement_of(message: Message) -> Fact:
    """The story's fact as it is announced."""
    told = _told(message)
    sender = f"{told['portal']}/{told.get('application_id') or told.get('change_id')}"
    subject = sender if told.get("application_id") is None else _subject(told) or sender
    return Fact(
        id=fact_id(message.TYPE, subject, "1"),
        type=message.TYPE,
        source=source_of(message.TYPE.split(".")[0]),
        subject=subject,
        time=_TIME,
        correlation=sender,
        traceparent=_TRACEPARENT,
        data=to_json(message, by_alias=True),
    )


def _subject(told: dict[str, Any]) -> str:
    """Of a version its number and the guarantee's, of a guarantee its number; empty for an application."""
    return "/".join(str(told[name]) for name in ("guarantee_number", "version") if name in told)


def example_event(message: Message) -> dict[str, Any]:
    """The fact as a structured CloudEvent, one of a pack."""
    event: dict[str, Any] = from_json(encode(announcement_of(message)))
    return event


def example_headers(message: Message) -> dict[str, str]:
    """The headers with which a portal gets the fact."""
    return binary_headers(announcement_of(message))


def _row(fact: Fact) -> Announcement:
    return Announcement(
        exchange=EVENTS,
        routing_key=fact.type,
        message_id=fact.id,
        type=fact.type,
        subject=fact.subject,
        correlation=fact.correlation,
        body=encode(fact),
        headers=None,
        digest=fact.digest,
        journalled=True,
        time=fact.time,
        search={"kind": "advance_payment", "status": "in_transit"},
    )


def _journal_record() -> dict[str, Any]:
    fact = announcement_of(fact_of(GuaranteeStatusChanged.TYPE))
    (record,) = journal_of("issuer", [Leased(1, _row(fact))])
    told: dict[str, Any] = from_json(record.body)
    return told


def _parked(event: dict[str, Any]) -> dict[str, Any]:
    fact = announcement_of(fact_of(event["type"]))
    consumer = queue_of("platform_bridge", fact.type)
    row: outbox.Announcement = parking.row(consumer, fact, "unopenable", "The key is not in the ring.", _TIME)
    told: dict[str, Any] = from_json(row.body)
    return told
