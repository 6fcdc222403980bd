"""A portal as a library: it applies over AMQP or HTTP, hears its answers, and reads guarantees.

async with Portal(access) as portal:
    await portal.apply(application)
    answer = await portal.answers.wait_for(application["application_id"], ACCEPTED)
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, DeliveryMode

from simulators import clock, wire
from simulators.ledger import Ledger, Survives
from simulators.portal.answers import SCHEMA, Answer, AnswerBook
from simulators.portal.doors import Doors
from simulators.portal.sent import SENT_SCHEMA, SentBook

ACCEPTED = "intake.application_accepted.v1"
REJECTED = "intake.application_rejected.v1"
CONFLICTED = "intake.application_conflicted.v1"
CHANGE_ACCEPTED = "intake.change_accepted.v1"
CHANGE_REJECTED = "intake.change_rejected.v1"
CHANGE_REFUSED = "issuer.change_refused.v1"
STATUS_CHANGED = "issuer.guarantee_status_changed.v1"
ISSUED = "issuer.guarantee_issued.v1"
UNREADABLE = "unreadable"

RESEND_S = 0.5


@dataclass(frozen=True, slots=True)
class Access:
    """Who the portal is, and where it finds what. `storage` None keeps the answers in memory."""

    portal: str
    broker_url: str
    intake_url: str
    issuer_url: str
    token: str
    storage: Path | None = None


class Portal:
    """One upstream portal. `answers` keeps what it heard, `sent` what its pages sent; `doors` are its HTTP calls."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.doors = Doors(access.intake_url, access.issuer_url, access.token)
        self._ledger = Ledger(access.storage or ":memory:", SCHEMA + SENT_SCHEMA, Survives.KILL)
        self.answers = AnswerBook(self._ledger)
        self.sent = SentBook(self._ledger)
        self._sender = wire.Sender(access.broker_url, wire.APPLICATIONS_EXCHANGE)
        self._listener = wire.Listener(access.broker_url, f"portal.{access.portal}", self._take)

    async def __aenter__(self) -> Self:
        """Opens the store, begins to listen; the broker may come later."""
        await self._ledger.open()
        await self.doors.__aenter__()
        self._listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops listening and closes everything."""
        await self._listener.stop()
        await self._sender.close()
        await self.doors.__aexit__()
        await self._ledger.close()

    def reasons(self) -> list[str]:
        """Why it is not ready."""
        return self._listener.reasons()

    async def apply(self, application: dict[str, Any] | bytes, *, message_id: str | None = None) -> str:
        """Sends an application once over AMQP; gives its message_id. Raises NotConfirmed or Unroutable."""
        return await self._publish("application.submitted", "application_id", application, message_id)

    async def change(self, change: dict[str, Any] | bytes, *, message_id: str | None = None) -> str:
        """Sends a change once over AMQP; gives its message_id. Raises NotConfirmed or Unroutable."""
        return await self._publish("change.requested", "change_id", change, message_id)

    async def apply_until_received(self, application: dict[str, Any] | bytes, *, timeout_s: float = 60.0) -> str:
        """Sends an application, the same message_id again and again, until the broker confirms. Raises TimeoutError."""
        message_id = clock.new_id()
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    return await self.apply(application, message_id=message_id)
                except wire.NotConfirmed:
                    await asyncio.sleep(RESEND_S)

    async def _publish(self, message: str, id_field: str, body: dict[str, Any] | bytes, message_id: str | None) -> str:
        given = message_id or clock.new_id()
        correlation = str(body.get(id_field, "")) if isinstance(body, dict) else ""
        sent = aio_pika.Message(
            body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode(),
            message_id=given,
            correlation_id=correlation or None,
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        await self._sender.send(sent, f"{message}.{self.access.portal}")
        return given

    async def _take(self, messages: Sequence[AbstractIncomingMessage]) -> None:
        await self.answers.keep([answer for message in messages for answer in read_answers(message)])


def read_answers(message: AbstractIncomingMessage) -> list[Answer]:
    """What a delivery says. One that cannot be read is kept as `unreadable`, so that a test can see it."""
    try:
        events = wire.read_events(message.body, message.content_type, message.headers)
    except ValueError:
        text = message.body.decode("utf-8", "replace")
        return [Answer(message.message_id or clock.new_id(), UNREADABLE, "", "", message.correlation_id, text)]
    return [_answer(event, message) for event in events]


def _answer(event: wire.Event, message: AbstractIncomingMessage) -> Answer:
    data = event.data if isinstance(event.data, dict) else {}
    about = data.get("application_id") or data.get("change_id") or message.correlation_id
    return Answer(
        message_id=event.id or message.message_id or clock.new_id(),
        type=event.type,
        subject=event.subject,
        time=event.time,
        application_id=None if about is None else str(about),
        data=event.data,
    )
