"""Messages that nobody can take, thrown among the good ones: each must end on the desk, once, and stop nobody."""

import json
from contextlib import suppress
from random import Random
from typing import Final

import aio_pika

from deploy.database import with_database
from shared.topology import EVENTS, HEARERS, PAPER_QUEUE, queue_of
from simulators.portal.client import Portal
from simulators.wire import NotConfirmed, Sender
from tests.faults.pauses import lapse
from tests.faults.world import World
from tests.system import System

RESEND_S: Final = 0.5
UNREADABLE: Final = (b"%s", b"{%s", b"\xff\xfe\x00%s", b'["%s"]', b'[{"specversion": "1.0", "id": "%s"}]', b'"%s"')
"""Each is filled with a mark of its own, since the same garbage twice is one and the same fact."""

POISONABLE: Final = tuple(
    kind for kind, hearers in HEARERS.items() if all(queue_of(hearer, kind) != PAPER_QUEUE for hearer in hearers)
)
"""Types heard by services of ours; what the office's desk does with garbage is the office's affair."""


def poisonous(dice: Random, message_type: str) -> bytes:
    """A body that the hearer of this type cannot take: unreadable, or readable and not what the type says."""
    if dice.random() < 0.5:
        return dice.choice(UNREADABLE) % _mark(dice)
    event = {
        "specversion": "1.0",
        "id": _mark(dice).decode(),
        "source": "/hosho/nobody",
        "type": message_type,
        "subject": "poison",
        "time": "2026-01-20T09:00:00+09:00",
        "correlation": "nobody/poison",
        "data": {"not": "what the type says"},
    }
    return json.dumps([event]).encode()


async def poison_events(world: World, dice: Random, count: int) -> int:
    """Put so many poisonous packs on the events' exchange; gives back how many must end on the desk."""
    return await poison_system(world.system, dice, count)


async def poison_system(system: System, dice: Random, count: int) -> int:
    """The same for a system alone.

    Each is sent again until the broker confirms it: the same garbage twice is one and the same fact.
    """
    sender = Sender(with_database(system.place.stack.addresses.broker_url, system.place.vhost), EVENTS)
    first = dice.randrange(len(POISONABLE))
    try:
        for number in range(first, first + count):
            kind = POISONABLE[number % len(POISONABLE)]
            await _until_confirmed(sender, poisonous(dice, kind), kind)
    finally:
        await sender.close()
    return count


async def _until_confirmed(sender: Sender, body: bytes, kind: str) -> None:
    while True:
        with suppress(NotConfirmed):
            return await sender.send(aio_pika.Message(body), kind)
        await lapse(RESEND_S)


async def poison_door(portal: Portal, dice: Random) -> int:
    """Send an application nobody can read, through the portal's own queue; it is answered, and parked besides."""
    await portal.apply_until_received(b'{"application_id": "%s' % _mark(dice), timeout_s=600)
    return 1


def _mark(dice: Random) -> bytes:
    return b"%032x" % dice.getrandbits(128)
