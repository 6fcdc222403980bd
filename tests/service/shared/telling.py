"""Facts as another service would announce them, and what lies in queues and tables afterwards."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, HeadersType

from shared import clock, topology
from shared.envelope import BATCH_CONTENT_TYPE, Fact, encode, fact_id, pack
from shared.messages.issuer import CertificateCreated, GuaranteeStatusChanged
from shared.messages.notifier import MailRefused, MailSent
from shared.work import Desk, unit_of_work
from tests.eventually import eventually

HEARD = MailSent.TYPE
QUEUE = topology.queue_of("issuer", HEARD)


def mail_sent(number: int, **changes: Any) -> MailSent:
    """The `number`-th mail of the tests."""
    content: dict[str, Any] = {
        "portal": "portal-a",
        "application_id": f"A-{number}",
        "guarantee_number": f"00000-{number:06d}",
        "version": 1,
        "message_id": f"mail-{number}@hosho.example",
        "sent_at": clock.now(),
    }
    return MailSent.model_validate({**content, **changes})


def fact(number: int, **changes: Any) -> Fact:
    """The fact that the `number`-th mail was sent; the same in every call."""
    data = mail_sent(number, sent_at="2026-04-01T10:00:00+09:00", **changes).model_dump_json().encode()
    subject = f"00000-{number:06d}/1"
    time = "2026-04-01T01:00:00+00:00"
    return Fact(
        fact_id(HEARD, subject, "1"), HEARD, "/hosho/notifier", subject, time, f"portal-a/A-{number}", None, data
    )


def refused(number: int) -> Fact:
    """The fact that the `number`-th mail was refused."""
    told = MailRefused(
        **mail_sent(number).model_dump(exclude={"sent_at"}), smtp_code=550, reason="no such box", refused_at=clock.now()
    )
    sent = fact(number)
    data = told.model_dump_json().encode()
    return replace(sent, id=fact_id(MailRefused.TYPE, sent.subject, "1"), type=MailRefused.TYPE, data=data)


def certificate() -> CertificateCreated:
    """A certificate that goes from the issuer to the bridge, with its sealed key."""
    return CertificateCreated(
        portal="portal-a",
        application_id="A-1",
        guarantee_number="00000-000001",
        version=1,
        version_kind="original",
        kind="contract_performance",
        concluded_at="2026-04-01T10:00:00+09:00",  # type: ignore[arg-type]
        certificate="{}",
        content_sha256="00",
        signature="x",
        sealed_auth_key="v1.k.sealed",
    )


def changed() -> GuaranteeStatusChanged:
    """A fact of the issuer that only portals and the journal get."""
    return GuaranteeStatusChanged.model_validate(
        {
            "portal": "portal-a",
            "application_id": "A-1",
            "guarantee_number": "00000-000001",
            "kind": "contract_performance",
            "from": None,
            "to": "concluded",
            "status_ja": "手続中",
            "at": "2026-04-01T10:00:00+09:00",
        }
    )


async def announce(desk: Desk, numbers: Iterable[int], *, portal: str | None = None) -> None:
    """Announce these mails in one unit of work, as the notifier would."""
    async with unit_of_work(desk) as work:
        for number in numbers:
            work.announce(
                mail_sent(number),
                subject=f"00000-{number:06d}/1",
                occurrence="1",
                correlation=f"portal-a/A-{number}",
                portal=portal,
            )


class Mouth:
    """Puts messages on the broker by hand, as the administrator or as the user it was opened for."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel

    async def tell(
        self,
        facts: Sequence[Fact | bytes],
        *,
        key: str = HEARD,
        headers: Mapping[str, Any] | None = None,
        queue: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """One pack with these facts, or with bytes that are none; straight to a queue if one is named."""
        body = pack([encode(one) if isinstance(one, Fact) else one for one in facts])
        told: HeadersType = {"facts": len(facts), **(headers or {})}
        await self.say(body, key=queue or key, exchange="" if queue else topology.EVENTS, headers=told, user_id=user_id)

    async def say(
        self,
        body: bytes,
        *,
        key: str = HEARD,
        exchange: str = topology.EVENTS,
        headers: HeadersType | None = None,
        user_id: str | None = None,
    ) -> None:
        """One message with this body."""
        message = aio_pika.Message(
            body,
            content_type=BATCH_CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers=headers,
            user_id=user_id,
        )
        if exchange:
            target = await self._channel.get_exchange(exchange, ensure=False)
        else:
            target = self._channel.default_exchange
        await target.publish(message, key, mandatory=True)

    async def tell_each(self, numbers: Iterable[int], *, key: str = HEARD) -> None:
        """A pack of one for each of these, in this order."""
        make = refused if key == MailRefused.TYPE else fact
        await asyncio.gather(*(self.tell([make(number)], key=key) for number in numbers))

    async def ready(self, queue: str = QUEUE) -> int:
        """How many messages of a queue are with no consumer."""
        declared = await self._channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def holds(self, messages: int, queue: str = QUEUE) -> None:
        """Wait until a queue holds so many messages that are with no consumer."""

        async def is_so() -> bool:
            held = await self.ready(queue)
            assert held == messages, f"{queue} holds {held} messages, not {messages}"
            return True

        await eventually(is_so)

    async def taken(self, queue: str = QUEUE) -> list[aio_pika.abc.AbstractIncomingMessage]:
        """Everything that lies in a queue, taken out of it."""
        declared = await self._channel.declare_queue(queue, passive=True)
        # Consumed, because a queue with a single active consumer cannot be asked for one message.
        expected, messages = declared.declaration_result.message_count or 0, []
        if expected:
            async with declared.iterator(no_ack=True) as source:
                async for message in source:
                    messages.append(message)
                    if len(messages) == expected:
                        break
        return messages


def delivery_counts(messages: Iterable[aio_pika.abc.AbstractIncomingMessage]) -> list[int]:
    """How often the broker says it delivered each message before."""
    return [int(str(message.headers.get("x-delivery-count", 0))) for message in messages]
