"""Sending much, as a portal that has lost all measure would: as fast as the broker confirms."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

import aio_pika
from aio_pika.abc import AbstractExchange, DeliveryMode
from pydantic_core import to_json

from shared.topology import APPLICATIONS
from simulators.portal.client import Access
from simulators.portal.samples import Application, example
from tests.faults.expected import Sent
from tests.faults.pauses import elapsed_s

IN_FLIGHT_MAX: Final = 400


@asynccontextmanager
async def door(access: Access) -> AsyncIterator[AbstractExchange]:
    """The exchange a portal publishes to, on a connection of its own."""
    async with await aio_pika.connect(access.broker_url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield await channel.get_exchange(APPLICATIONS, ensure=False)


async def send_all(access: Access, messages: Iterable[aio_pika.Message], word: str = "application.submitted") -> float:
    """Send these and wait for every confirm; gives back how many were confirmed a second."""
    watch, sent = elapsed_s(), 0
    waiting = iter(messages)
    async with door(access) as exchange:
        key = f"{word}.{access.portal}"
        while lot := list(islice(waiting, IN_FLIGHT_MAX)):
            await asyncio.gather(*(exchange.publish(message, key, mandatory=True) for message in lot))
            sent += len(lot)
    return sent / watch()


def plain(portal: str, mark: str, count: int, marked: Callable[[Application], Application] | None = None) -> list[Sent]:
    """So many plain applications, each with one electronic line; `marked` changes each."""
    made = (example(portal, f"{mark}-{number:06}") for number in range(count))
    return [Sent(portal, marked(one) if marked else one, valid=True, attempted=True) for one in made]


async def apply_all(access: Access, sent: list[Sent]) -> float:
    """Send these applications and remember that they were confirmed; gives back how many a second."""
    rate = await send_all(access, (message(to_json(one.application), one.id) for one in sent))
    for one in sent:
        one.acknowledged = True
    return rate


def message(body: bytes, message_id: str, content_type: str = "application/json") -> aio_pika.Message:
    """One persistent message."""
    return aio_pika.Message(
        body, message_id=message_id, content_type=content_type, delivery_mode=DeliveryMode.PERSISTENT
    )
