"""What is committed is published, wherever something breaks, and a row goes only after its confirm."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_core import from_json

from shared import crashpoints, outbox, relay
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.hearers import Hearer
from tests.service.shared.telling import Mouth, announce, certificate, mail_sent
from tests.service.shared.wire import wire

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables


async def _emptied(tables: "Tables", schema: str = "notifier") -> bool:
    return bool(await tables.fetchval(f"select count(*) from {schema}.outbox") == 0)


def _names(messages: list[Any]) -> Counter[str]:
    return Counter(event["data"]["application_id"] for message in messages for event in from_json(message.body))


async def test_nothing_is_published_before_its_commit_or_after_a_rollback(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "notifier") as notifier:
        with pytest.raises(ValueError, match="rolled back"):
            await _announce_and_raise(notifier.desk())
        async with unit_of_work(notifier.desk()) as work:
            work.announce(mail_sent(2), subject="2", occurrence="1", correlation="portal-a/A-2")
            await work.flush()
            work.announcements.clear()
            await announce(notifier.desk(), [3])
            await mouth.holds(1)
        await mouth.holds(2)
        assert notifier.relay._reserved == 0

    assert _names(await mouth.taken()) == {"A-2": 1, "A-3": 1}


async def _announce_and_raise(desk: Any) -> None:
    async with unit_of_work(desk) as work:
        work.announce(mail_sent(1), subject="1", occurrence="1", correlation="portal-a/A-1")
        raise ValueError("rolled back")


async def _left(tables: "Tables", rows: int) -> bool:
    return bool(await tables.fetchval("select count(*) from notifier.outbox") == rows)


async def test_a_row_is_deleted_only_after_its_confirm(mouth: Mouth, stack: Servers, tables: "Tables") -> None:
    async with (
        wire(stack.broker_url("notifier")) as line,
        living(stack, "notifier", publish_url=line.url) as notifier,
    ):
        line.hold()
        await announce(notifier.desk(), range(5))
        await eventually(lambda: notifier.publisher._in_flight)
        assert await _left(tables, 5)
        assert await mouth.ready() == 0

        line.let_go()
        await eventually(lambda: _emptied(tables))
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(5)}


async def test_cuts_of_the_publishing_connection_lose_nothing_and_keep_each_identity(
    mouth: Mouth, stack: Servers, tables: "Tables"
) -> None:
    hearer = Hearer()
    async with (
        wire(stack.broker_url("notifier")) as line,
        living(stack, "notifier", publish_url=line.url) as notifier,
        living(stack, "issuer", hears=hearer.hears),
    ):
        for first in range(0, 400, 50):
            await announce(notifier.desk(), range(first, first + 50))
            line.cut()
        await eventually(lambda: hearer.has_each_once(range(400)))
        await eventually(lambda: _emptied(tables))
    assert line.connections > 1


async def test_a_publisher_that_is_held_up_does_not_hold_up_the_consumers(mouth: Mouth, stack: Servers) -> None:
    """As in a memory alarm, when the broker reads nothing more from connections that publish."""
    hearer = Hearer()
    async with (
        wire(stack.broker_url("issuer")) as line,
        living(stack, "issuer", hears=hearer.hears, publish_url=line.url) as issuer,
    ):
        line.hold()
        async with unit_of_work(issuer.desk()) as work:
            work.announce(certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1")
        await eventually(lambda: issuer.publisher._in_flight)
        await mouth.tell_each(range(60))

        await eventually(lambda: hearer.has_each_once(range(60)))
        await mouth.holds(0)
        line.let_go()
        await eventually(lambda: issuer.relay.held == 0)


async def test_what_memory_has_no_room_for_is_published_from_the_table(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MEMORY_ROWS_MAX", 40)
    most = 0

    def watch(_point: str) -> None:
        nonlocal most
        most = max(most, notifier.relay.held + notifier.relay._reserved)

    async with living(stack, "notifier") as notifier:
        crashpoints.install(watch)
        try:
            await announce(notifier.desk(), range(300))
            await eventually(lambda: _emptied(tables))
        finally:
            crashpoints.install(None)
    assert set(_names(await mouth.taken())) == {f"A-{number}" for number in range(300)}
    assert 0 < most <= 40


async def test_rows_of_a_dead_owner_are_published_within_seconds(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: object, rows: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as dying:
        dying.setattr(relay.Relay, "_publish", never)
        async with living(stack, "notifier") as notifier:
            await announce(notifier.desk(), range(3))
    assert await _left(tables, 3)
    assert await tables.fetchval("select count(*) from notifier.outbox where lease_owner is not null") == 3
    async with living(stack, "notifier"):
        await eventually(lambda: _emptied(tables), within_s=6.0)
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(3)}


async def test_rows_whose_commit_answer_was_lost_are_found_again(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOST_LEASE_AGE_S", 0.5)
    async with living(stack, "notifier") as notifier:
        with monkeypatch.context() as losing:
            losing.setattr(Work, "hand_over", lambda self: _give_back(self))
            await announce(notifier.desk(), range(3))
        assert notifier.relay.held == 0
        await eventually(lambda: _emptied(tables), within_s=4.0)
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(3)}


def _give_back(work: Work) -> None:
    for hands, reserved in work._reserved:
        hands.give_back(reserved)


async def test_rows_that_wait_for_the_broker_keep_their_lease(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sweep would take rows whose lease ran out again; here it has no say.
    monkeypatch.setattr(relay, "SWEEP_EVERY_S", 1_000.0)
    async with (
        wire(stack.broker_url("notifier")) as line,
        living(stack, "notifier", publish_url=line.url) as notifier,
    ):
        line.break_down()
        await eventually(lambda: not notifier.publisher.connected)
        with monkeypatch.context() as losing:
            losing.setattr(Work, "hand_over", lambda self: _give_back(self))
            await announce(notifier.desk(), range(3))
        # Only now, with little of their lease left, do the rows come to the relay.
        await tables.execute("update notifier.outbox set lease_owner = null, lease_until = null")
        async with notifier.desk().pool.acquire() as connection:
            rows = await outbox.claim(connection, notifier.owner.owner_id, 3)
        await tables.execute("update notifier.outbox set lease_until = now() + interval '1 second'")
        notifier.relay.take(rows)

        async def extended() -> bool:
            left_s = await tables.fetchval("select extract(epoch from min(lease_until) - now()) from notifier.outbox")
            return bool(left_s > outbox.LEASE_S - 10)

        await eventually(extended)
        line.mend()
        await eventually(lambda: _emptied(tables))
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(3)}


async def test_a_stop_that_meets_a_shout_ends(mouth: Mouth, stack: Servers) -> None:
    async with asyncio.timeout(5):
        async with living(stack, "notifier") as notifier:
            notifier.owner.shout()
