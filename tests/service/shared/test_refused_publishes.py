"""What the broker does not take waits alone, shouts if a person must act, and holds up nothing else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json

from deploy.broker.management import Management, management
from shared import relay, topology
from shared.envelope import BATCH_CONTENT_TYPE
from shared.frames import Outgoing
from shared.messages.notifier import MailRefused
from shared.publisher import NotTaken, Publisher, Unacceptable
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.hearers import Hearer
from tests.service.shared.telling import HEARD, QUEUE, Mouth, announce, fact, mail_sent, refused

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

ANSWERS = topology.answer_queue("portal-a")


@pytest.fixture
async def api(emptied: Servers) -> AsyncIterator[Management]:
    """The management API of this worker's virtual host."""
    async with management(emptied.management_url, emptied.vhost) as opened:
        yield opened


@asynccontextmanager
async def _without_binding(api: Management, message_type: str, queue: str) -> AsyncIterator[None]:
    path = api.path("bindings", "e", topology.EVENTS, "q", queue)
    for row in await api.get(path):
        await api.delete(f"{path}/{row['properties_key']}")
    try:
        yield
    finally:
        await api.post(path, {"routing_key": message_type, "arguments": {}})


async def test_facts_that_nobody_hears_wait_alone_and_shout_while_others_flow(
    mouth: Mouth, stack: Servers, tables: "Tables", api: Management, logged: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BACKOFF_S_MAX", 0.2)
    hearer = Hearer()
    async with living(stack, "notifier") as notifier, living(stack, "issuer", hears=hearer.hears):
        async with _without_binding(api, MailRefused.TYPE, topology.queue_of("issuer", MailRefused.TYPE)):
            async with unit_of_work(notifier.desk()) as work:
                _announce_refused(work)
                work.announce(mail_sent(1), subject="1", occurrence="1", correlation="portal-a/A-1")
            await announce(notifier.desk(), range(2, 10))

            await eventually(lambda: hearer.has_each_once(range(1, 10)))
            await eventually(lambda: len(logged.heard("error", "relay.returned")) > 1)
            (row,) = await tables.fetch("select type, attempts, last_error from notifier.outbox")
            assert row["type"] == MailRefused.TYPE
            assert row["attempts"] >= 1
            assert row["last_error"] == "returned: NO_ROUTE"
        await mouth.holds(1, topology.queue_of("issuer", MailRefused.TYPE))
        await eventually(lambda: _emptied(tables))


def _announce_refused(work: Work) -> None:
    told = refused(1)
    work.announce(
        MailRefused.model_validate_json(told.data), subject=told.subject, occurrence="1", correlation=told.correlation
    )


async def test_a_full_queue_delays_its_facts_and_nothing_else(
    mouth: Mouth, stack: Servers, tables: "Tables", api: Management, monkeypatch: pytest.MonkeyPatch, logged: Ear
) -> None:
    monkeypatch.setattr(relay, "BACKOFF_S_MAX", 0.2)
    full = topology.queue_of("issuer", MailRefused.TYPE)
    limit = {"pattern": f"^{full}$", "definition": {"max-length": 1}, "apply-to": "queues", "priority": 1}
    await api.put(api.path("policies", "narrow"), limit)
    hearer = Hearer()
    try:
        async with living(stack, "notifier") as notifier, living(stack, "issuer", hears=hearer.hears):

            async def filled() -> bool:
                await mouth.tell([refused(9)], queue=full)
                return False

            with pytest.raises(Exception, match=r"(?i)nack"):
                await eventually(filled)
            async with unit_of_work(notifier.desk()) as work:
                _announce_refused(work)
            await announce(notifier.desk(), range(10))
            await eventually(lambda: hearer.has_each_once(range(10)))
            await eventually(lambda: len(logged.heard("warning", "relay.refused")) > 1)
            (row,) = await tables.fetch("select type, last_error from notifier.outbox")
            assert row["type"] == MailRefused.TYPE
            assert "full queue" in row["last_error"]
            assert not logged.heard("error", "relay.returned")

            await api.delete(api.path("policies", "narrow"))
            await mouth.taken(full)
            await eventually(lambda: _emptied(tables))
        assert len(await mouth.taken(full)) >= 1
    finally:
        await api.delete(api.path("policies", "narrow"))


async def test_a_fact_that_the_broker_cannot_take_is_no_cork(
    mouth: Mouth, stack: Servers, tables: "Tables", logged: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too large for the broker, or not to be put into a frame at all: the channel closes, and the others pass."""
    monkeypatch.setattr(relay, "BACKOFF_S_MIN", 0.05)
    monkeypatch.setattr(relay, "BACKOFF_S_MAX", 0.2)
    async with living(stack, "notifier", answered=lambda _portal: True) as notifier:
        async with unit_of_work(notifier.desk()) as work:
            huge = mail_sent(0, message_id="x" * 300_000)
            work.announce(huge, subject="0", occurrence="1", correlation="portal-a/A-0")
            _announce_refused(work)
        await announce(notifier.desk(), range(1, 30))

        await eventually(lambda: _left(tables, 1))
        await eventually(lambda: len(logged.heard("error", "relay.returned")) > 1)
        await announce(notifier.desk(), range(30, 60))
        await eventually(lambda: _left(tables, 1))
        (row,) = await tables.fetch("select subject, last_error from notifier.outbox")
        assert row["subject"] == "0"
        assert "ChannelPreconditionFailed" in row["last_error"]

        async with unit_of_work(notifier.desk()) as work:
            work._row(fact(99), topology.PORTALS, "k" * 300, b"{}", journalled=False)
        await announce(notifier.desk(), range(60, 70))
        await eventually(lambda: _left(tables, 2))
    assert set(_names(await mouth.taken())) == {f"A-{number}" for number in range(1, 70)}


async def _left(tables: "Tables", rows: int) -> bool:
    return bool(await tables.fetchval("select count(*) from notifier.outbox") == rows)


def _names(messages: list[Any]) -> Counter[str]:
    return Counter(event["data"]["application_id"] for message in messages for event in from_json(message.body))


async def _emptied(tables: "Tables", schema: str = "notifier") -> bool:
    return bool(await tables.fetchval(f"select count(*) from {schema}.outbox") == 0)


@asynccontextmanager
async def _publishing(stack: Servers) -> AsyncIterator[Publisher]:
    publisher = Publisher(stack.broker_url("notifier"), "test")
    await publisher.connect()
    try:
        yield publisher
    finally:
        await publisher.close()


def _outgoing(key: str, message_id: str) -> Outgoing:
    return Outgoing(topology.EVENTS, key, message_id, b"[]", BATCH_CONTENT_TYPE)


async def test_two_publishes_with_one_message_id_are_never_in_flight_together(mouth: Mouth, stack: Servers) -> None:
    unheard = "notifier.nobody_hears.v1"
    async with _publishing(stack) as publisher:
        for number in range(20):
            results = await asyncio.gather(
                publisher.publish(_outgoing(unheard, f"m-{number}")),
                publisher.publish(_outgoing(HEARD, f"m-{number}")),
                publisher.publish(_outgoing(HEARD, f"other-{number}")),
                return_exceptions=True,
            )
            assert isinstance(results[0], Unacceptable)
            assert isinstance(results[1], NotTaken)
            assert results[2] is None
    # Only what was confirmed has arrived.
    assert await mouth.ready() == 20
    assert topology.queue_of("issuer", HEARD) == QUEUE


async def test_each_message_of_a_batch_has_its_own_answer(mouth: Mouth, stack: Servers) -> None:
    async with _publishing(stack) as publisher:
        batch = [
            _outgoing(HEARD, "first"),
            _outgoing("notifier.nobody_hears.v1", "unheard"),
            _outgoing("k" * 300, "unwritable"),
            _outgoing(HEARD, "second"),
            _outgoing(HEARD, "second"),
            Outgoing(topology.PORTALS, f"portal-a.{HEARD}", "answer", bytes(200_000), "application/json"),
        ]
        told = await publisher.publish_all(batch)
        kinds = [type(error) for error in told]
        assert kinds == [type(None), Unacceptable, Unacceptable, type(None), NotTaken, type(None)]
        assert await publisher.publish_all(batch[:1]) == [None]
        assert await publisher.publish_all([]) == []
        channel = publisher._channels[topology.EVENTS]
        assert not channel.confirmations
        assert not channel.message_id_delivery_tag
    assert await mouth.ready() == 3
    assert len((await mouth.taken(ANSWERS))[0].body) == 200_000


async def test_the_same_message_id_may_go_again_afterwards_and_on_another_exchange(
    mouth: Mouth, stack: Servers
) -> None:
    async with _publishing(stack) as publisher:
        answer = Outgoing(topology.PORTALS, f"portal-a.{HEARD}", "m", b"{}", "application/json")
        await asyncio.gather(publisher.publish(_outgoing(HEARD, "m")), publisher.publish(answer))
        await publisher.publish(_outgoing(HEARD, "m"))
    assert await mouth.ready() == 2
    assert await mouth.ready(ANSWERS) == 1


async def test_nothing_is_written_to_a_connection_that_an_alarm_blocks(mouth: Mouth, stack: Servers) -> None:
    """What is written meanwhile would time out, be published again, and land afterwards all the same."""
    async with _publishing(stack) as publisher:
        await publisher.publish(_outgoing(HEARD, "before"))
        channel = publisher._channels[topology.EVENTS]
        unblocked = channel.connection._Connection__connection_unblocked  # type: ignore[attr-defined]
        unblocked.clear()
        publishing = asyncio.create_task(publisher.publish(_outgoing(HEARD, "during")))
        for _ in range(5):
            await asyncio.sleep(0)
        assert channel.delivery_tag == 1

        unblocked.set()
        await publishing
    assert await mouth.ready() == 2
