"""Faults of the outside: the platform, the mail server, and messages that come twice, late, or as garbage."""

from dataclasses import dataclass
from random import Random

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from deploy.database import with_database
from shared.topology import EVENTS, HEARERS
from tests.faults.pauses import lapse
from tests.faults.poison import poison_events
from tests.faults.world import World

COPIED_MESSAGES_MAX = 500


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
        """Misbehave, then behave again."""
        world.tally.note(self.mode, "platform")
        await world.platform_mode(self.mode, retry_after_s=min(1.0, self.lasts_s))
        try:
            await lapse(self.lasts_s)
        finally:
            await world.platform_mode("normal")


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
        """Misbehave, then behave again."""
        world.tally.note(self.mode, "mailbox")
        await world.mail_mode(self.mode)
        try:
            await lapse(self.lasts_s)
        finally:
            await world.mail_mode("normal")


@dataclass(frozen=True, slots=True)
class Poisoned:
    """Packs that nobody can take, among the good ones."""

    seed: int
    count: int

    kind = "poison"

    async def strike(self, world: World) -> None:
        """Throw them in; each must end on the desk."""
        world.tally.poison += await poison_events(world, Random(self.seed), self.count)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Every pack that passes for a while comes again afterwards, twice, in another order."""

    seed: int
    lasts_s: float

    kind = "deliveries repeated and reordered"

    async def strike(self, world: World) -> None:
        """Listen in, then say it all again."""
        system = world.system
        url = with_database(system.place.stack.addresses.broker_url, system.place.vhost)
        heard: list[AbstractIncomingMessage] = []

        async def hear(message: AbstractIncomingMessage) -> None:
            heard.append(message)

        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(EVENTS, ensure=False)
            ear = await channel.declare_queue(exclusive=True, auto_delete=True)
            for message_type in HEARERS:
                await ear.bind(exchange, message_type)
            await ear.consume(hear, no_ack=True)
            await lapse(self.lasts_s)
            for message_type in HEARERS:
                await ear.unbind(exchange, message_type)
            again = heard[:COPIED_MESSAGES_MAX] * 2
            Random(self.seed).shuffle(again)
            world.tally.note("repeat", f"{len(again)} messages")
            for message in again:
                await exchange.publish(_copy(message), message.routing_key or "")


def _copy(message: AbstractIncomingMessage) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=message.headers,
        content_type=message.content_type,
        message_id=message.message_id,
        type=message.type,
        delivery_mode=message.delivery_mode,
    )
