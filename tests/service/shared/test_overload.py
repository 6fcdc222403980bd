"""When the door is shut: the hearers do not fetch, or the outbox is full; seen through the real broker and database."""

from collections.abc import AsyncIterator

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from shared import overload, postgres
from shared.overload import Overload
from shared.publisher import Publisher
from shared.topology import queues_of
from tests.conftest import Servers
from tests.eventually import eventually

QUEUE = queues_of("intake.application_accepted.v1")[0]


@pytest.fixture(autouse=True)
def _look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(overload, "LOOK_AT_REST_EVERY_S", 600.0)


@pytest.fixture
async def channel(emptied: Servers) -> AsyncIterator[AbstractChannel]:
    """A channel of the administrator."""
    async with await aio_pika.connect(emptied.broker_admin_url) as connection:
        yield await connection.channel()


@pytest.fixture
async def watched(emptied: Servers) -> AsyncIterator[Overload]:
    """What intake asks, with intake's own rights."""
    pool = await postgres.open_pool(emptied.database_url("intake"), "intake")
    publisher = Publisher(emptied.broker_url("intake"), "intake.publish")
    yield Overload(pool, publisher, [QUEUE], lambda: 1)
    await publisher.close()
    await pool.close()


async def _put(channel: AbstractChannel, count: int) -> None:
    for _ in range(count):
        await channel.default_exchange.publish(aio_pika.Message(b"[]"), QUEUE)


async def _fetch_one(channel: AbstractChannel) -> None:
    """Consume as a hearer that is full: it has fetched one and acknowledges nothing."""
    await channel.set_qos(prefetch_count=1)
    await (await channel.get_queue(QUEUE, ensure=False)).consume(_keep)


async def _keep(_: aio_pika.abc.AbstractIncomingMessage) -> None:
    return None


async def _reached(watched: Overload, *, is_so: bool) -> None:
    async def probe() -> bool:
        return await watched.is_reached() is is_so

    await eventually(probe)


async def test_what_a_hearer_has_fetched_or_will_in_a_moment_does_not_shut_the_door_and_the_next_pack_does(
    watched: Overload, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "ON_THEIR_WAY_PACKS_MAX", 2)
    await _fetch_one(channel)
    await _put(channel, 3)
    await _reached(watched, is_so=False)
    await _put(channel, 1)

    await _reached(watched, is_so=True)


async def test_a_hearer_that_is_away_shuts_the_door_only_after_many_packs(
    watched: Overload, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "AWAY_PACKS_MAX", 3)
    await _put(channel, 3)
    await _reached(watched, is_so=False)
    await _put(channel, 1)

    await _reached(watched, is_so=True)


async def test_while_nothing_is_on_its_way_a_look_holds_for_longer(emptied: Servers, channel: AbstractChannel) -> None:
    on_their_way = 0
    pool = await postgres.open_pool(emptied.database_url("intake"), "intake")
    publisher = Publisher(emptied.broker_url("intake"), "intake.publish")
    resting = Overload(pool, publisher, [QUEUE], lambda: on_their_way)
    before = await resting.is_reached()
    await _put(channel, overload.AWAY_PACKS_MAX + 1)
    at_rest = await resting.is_reached()
    on_their_way = 1
    await _reached(resting, is_so=True)
    await publisher.close()
    await pool.close()

    assert (before, at_rest) == (False, False)


async def test_a_full_outbox_shuts_the_door(
    watched: Overload, emptied: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "OUTBOX_ROWS_MAX", 1)
    owner = await asyncpg.connect(emptied.owner_url)
    row = "insert into intake.outbox (exchange, routing_key, message_id, type, subject, correlation, body, digest,"
    row += " journalled, time, due_at) values ('', '', gen_random_uuid(), 't', 's', 'c', '', '', false, '', now())"
    await owner.execute(row)
    await _reached(watched, is_so=False)
    await owner.execute(row)

    await _reached(watched, is_so=True)
    await owner.execute("delete from intake.outbox")
    await owner.close()


async def test_a_queue_that_is_missing_is_an_empty_one_and_disturbs_nothing(emptied: Servers) -> None:
    publisher = Publisher(emptied.broker_url("intake"), "intake.publish")
    missing = await publisher.look_into("issuer.nobody_hears_this")
    there = await publisher.look_into(QUEUE)
    await publisher.close()

    assert (missing.messages, there.messages) == (0, 0)
