"""After a reconnect the tags of the old channel mean other messages: acknowledging them there would lose those."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import aio_pika

from shared.delivery import Heard
from shared.envelope import encode, pack
from shared.messages.issuer import GuaranteeIssued
from shared.service import Hears
from shared.topology import EVENTS
from shared.work import Work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.faults.circle import effects_of, empty_effects, fact_of, note, port_of
from tests.faults.proxy import wires
from tests.service.living import living

DONE_BEFORE: Final = 10
"""So far the old channel has counted when it breaks; tags up to here and beyond mean fresh messages on the next one."""

WAITING: Final = 40


class Gate:
    """Lets handlers through: all of them while it is open, and one at a time when told so."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()
        self.somebody_waits = asyncio.Event()
        self._one = asyncio.Semaphore(0)

    async def passed(self) -> None:
        """Wait to be let through."""
        if not self.opened.is_set():
            self.somebody_waits.set()
            await self._one.acquire()

    def let_one_through(self) -> None:
        """Let one handler go on."""
        self._one.release()


async def _publish(servers: Servers, keys: Sequence[str]) -> None:
    async with await aio_pika.connect(servers.broker_admin_url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS, ensure=False)
        for key in keys:
            body = pack([encode(fact_of(key))])
            await exchange.publish(aio_pika.Message(body, headers={"facts": 1}), GuaranteeIssued.TYPE)


async def test_what_was_in_hand_at_a_reconnect_acknowledges_nothing_of_the_next_channel(
    fresh_database: Servers,
) -> None:
    servers, gate = fresh_database, Gate()
    keys = [f"90000-{number:06}/1" for number in range(1, DONE_BEFORE + 1 + WAITING)]
    await empty_effects(servers)

    async def hear(heard: Sequence[Heard[GuaranteeIssued]], work: Work) -> None:
        await gate.passed()
        await note(work, "was_heard", [one.fact.subject for one in heard])

    async def heard_are(count: int) -> bool:
        return sum((await effects_of(servers))[0].values()) == count

    url = servers.broker_url("notifier")
    hears = (Hears(GuaranteeIssued, hear),)
    async with wires({"notifier-rabbitmq": port_of(url)}) as led:
        wire = led["notifier-rabbitmq"]
        through = url.replace(f":{wire.target_port}", f":{wire.port}")
        async with living(servers, "notifier", hears=hears, broker_url=through) as running:
            buffer = running.consumers[0].subscription.buffer
            await _publish(servers, keys[:DONE_BEFORE])
            await eventually(lambda: heard_are(DONE_BEFORE))
            gate.opened.clear()
            await _publish(servers, keys[DONE_BEFORE : DONE_BEFORE + 1])
            await gate.somebody_waits.wait()
            await _publish(servers, keys[DONE_BEFORE + 1 :])
            await eventually(lambda: len(buffer.waiting) == WAITING - 1)
            wire.cut()
            # The one in hand comes again too, on the next channel, in front of all the others.
            await eventually(lambda: len(buffer.waiting) == WAITING)
            gate.let_one_through()
            await eventually(lambda: heard_are(DONE_BEFORE + 1))
        gate.opened.set()
        async with living(servers, "notifier", hears=hears):
            await eventually(lambda: heard_are(len(keys)))

    assert (await effects_of(servers))[0] == Counter(keys)
