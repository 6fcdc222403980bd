"""Faults of the outside: the platform, the mail server, and messages that come twice, late, or as garbage."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from deploy.database import with_database
from shared.messages.platform_bridge import CertificateArrived
from shared.topology import EVENTS, HEARERS
from tests.eventually import eventually
from tests.faults.kinds import NothingHit
from tests.faults.kinds.network import Closed
from tests.faults.pauses import lapse
from tests.faults.poison import poison_events
from tests.faults.world import MAILBOX, PLATFORM, World

COPIED_MESSAGES_MAX = 500
RETRY_AFTER_S_MAX = 1.0
SILENCE_S_MAX = 20.0
PLATFORM_WIRE = "platform_bridge-platform"
ARRIVED = CertificateArrived.TYPE


@dataclass(frozen=True, slots=True)
class PlatformTrouble:
    """The whole platform misbehaves for a while."""

    mode: str
    lasts_s: float

    @property
    def kind(self) -> str:
        """Each mode is a kind."""
        return f"platform {self.mode}"

    async def strike(self, world: World) -> None:
        """Misbehave, then behave again; in turn with whoever kills the platform, which would end the mode too."""
        async with world.turn(PLATFORM):
            await self._misbehave(world)

    async def _misbehave(self, world: World) -> None:
        world.tally.note(self.mode, "platform")
        before = await world.platform_has_spoilt(self.mode)
        await world.platform_mode(self.mode, retry_after_s=min(RETRY_AFTER_S_MAX, self.lasts_s))
        try:
            await lapse(self.lasts_s)
        finally:
            await world.platform_mode("normal")
        if await world.platform_has_spoilt(self.mode) == before:
            raise NothingHit("nobody called the platform")


@dataclass(frozen=True, slots=True)
class PlatformAway:
    """Nobody reaches the platform for longer than any row waits between two tries."""

    lasts_s: float

    kind = "platform away for longer than any back-off"

    async def strike(self, world: World) -> None:
        """Close the way there, and open it."""
        await Closed(PLATFORM_WIRE, self.lasts_s).strike(world)


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """The mail server misbehaves towards everybody for a while."""

    mode: str
    lasts_s: float

    @property
    def kind(self) -> str:
        """Each mode is a kind."""
        return f"mail {self.mode}"

    async def strike(self, world: World) -> None:
        """Misbehave, then behave again; in turn with whoever kills the mail server, which would end the mode too."""
        async with world.turn(MAILBOX):
            await self._misbehave(world)

    async def _misbehave(self, world: World) -> None:
        world.tally.note(self.mode, "mailbox")
        before = await world.mailbox_has_spoilt(self.mode)
        await world.mail_mode(self.mode)
        try:
            await lapse(self.lasts_s)
        finally:
            await world.mail_mode("normal")
        if await world.mailbox_has_spoilt(self.mode) == before:
            raise NothingHit("nobody had a mail to send")


@dataclass(frozen=True, slots=True)
class Poisoned:
    """Packs that nobody can take, among the good ones."""

    seed: int
    count: int

    kind = "poison"

    async def strike(self, world: World) -> None:
        """Throw them in; each must end on the desk."""
        # Not in one line: the sum would be that of before the wait, and two faults of this kind may overlap.
        thrown = await poison_events(world, Random(self.seed), self.count)
        world.tally.poison += thrown


@dataclass(frozen=True, slots=True)
class Repeated:
    """Every pack that passes for a while comes again afterwards, twice, in another order."""

    seed: int
    lasts_s: float

    kind = "deliveries repeated and reordered"

    async def strike(self, world: World) -> None:
        """Listen in, then say it all again."""
        async with _listening(world, HEARERS, self.lasts_s) as (exchange, heard):
            again = heard[:COPIED_MESSAGES_MAX] * 2
            Random(self.seed).shuffle(again)
            world.tally.note("repeat", f"{len(again)} messages")
            for message in again:
                await exchange.publish(_copy(message, message.body), message.routing_key or "")


@dataclass(frozen=True, slots=True)
class ArrivedAgain:
    """Arrivals that pass for a while are told once more, as another occasion and with a later time."""

    seed: int
    lasts_s: float

    kind = "second arrival with another time"

    async def strike(self, world: World) -> None:
        """Listen in, then tell of second arrivals; the first time must stand."""
        dice = Random(self.seed)
        async with _listening(world, (ARRIVED,), self.lasts_s) as (exchange, heard):
            for message in heard[:COPIED_MESSAGES_MAX]:
                again = [_later(fact, dice) for fact in _arrivals(message.body)]
                if again:
                    await exchange.publish(_copy(message, json.dumps(again).encode()), ARRIVED)


def _arrivals(body: bytes) -> list[dict[str, Any]]:
    """The arrivals in a pack; what another fault has thrown in is none."""
    try:
        facts = json.loads(body)
    except ValueError:
        return []
    if not isinstance(facts, list):
        return []
    return [fact for fact in facts if isinstance(fact, dict) and "arrived_at" in fact.get("data", {})]


def _later(fact: Mapping[str, Any], dice: Random) -> dict[str, Any]:
    arrived_at = datetime.fromisoformat(fact["data"]["arrived_at"]) + timedelta(hours=1)
    data = {**fact["data"], "arrived_at": arrived_at.isoformat()}
    return {**fact, "id": str(UUID(int=dice.getrandbits(128))), "data": data}


@asynccontextmanager
async def _listening(
    world: World, types: Iterable[str], lasts_s: float
) -> AsyncIterator[tuple[AbstractExchange, list[AbstractIncomingMessage]]]:
    """The events' exchange as its administrator, and what passed on it in so many seconds, or until something has."""
    system = world.system
    url = with_database(system.place.stack.addresses.broker_url, system.place.vhost)
    heard: list[AbstractIncomingMessage] = []

    async def hear(message: AbstractIncomingMessage) -> None:
        heard.append(message)

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS, ensure=False)
        ear = await channel.declare_queue(exclusive=True, auto_delete=True)
        for message_type in types:
            await ear.bind(exchange, message_type)
        await ear.consume(hear, no_ack=True)
        await lapse(lasts_s)
        with suppress(AssertionError):
            await eventually(lambda: bool(heard), within_s=SILENCE_S_MAX)
        for message_type in types:
            await ear.unbind(exchange, message_type)
        if not heard:
            raise NothingHit("nothing passed")
        yield exchange, heard


def _copy(message: AbstractIncomingMessage, body: bytes) -> aio_pika.Message:
    return aio_pika.Message(
        body,
        headers=message.headers,
        content_type=message.content_type,
        message_id=message.message_id,
        type=message.type,
        delivery_mode=message.delivery_mode,
    )
