"""What is committed is published, and a row goes only after its confirm; a bad one waits alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic_core import from_json

from deploy.broker.management import Management, management
from shared import crashpoints, outbox, relay, topology
from shared.envelope import BATCH_CONTENT_TYPE
from shared.messages.issuer import CertificateCreated, GuaranteeStatusChanged
from shared.messages.notifier import MailRefused
from shared.publisher import NotTaken, Outgoing, Publisher, Unacceptable
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.hearers import Hearer
from tests.service.shared.telling import HEARD, QUEUE, Mouth, announce, fact, mail_sent, refused
from tests.service.shared.wire import wire

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

ANSWERS = topology.answer_queue("portal-a")


@pytest.fixture
async def api(emptied: Servers) -> AsyncIterator[Management]:
    """The management API of this worker's virtual host."""
    async with management(emptied.management_url, emptied.vhost) as opened:
        yield opened


async def _emptied(tables: "Tables", schema: str = "notifier") -> bool:
    return await tables.fetchval(f"select count(*) from {schema}.outbox") == 0


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


async def test_a_pack_holds_at_most_fifty_facts_and_the_header_says_how_many(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "notifier") as notifier:
        await announce(notifier.desk(), range(120))
        await eventually(lambda: notifier.relay.held == 0)
    packs = await mouth.taken()

    assert [len(from_json(pack.body)) for pack in packs] == [50, 50, 20]
    assert [pack.headers["facts"] for pack in packs] == [50, 50, 20]
    assert {pack.content_type for pack in packs} == {BATCH_CONTENT_TYPE}
    assert {int(pack.delivery_mode or 0) for pack in packs} == {2}
    assert len({pack.message_id for pack in packs}) == 3
    assert set(_names(packs).values()) == {1}


async def test_a_pack_stays_under_its_size(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "notifier") as notifier:
        async with unit_of_work(notifier.desk()) as work:
            for number in range(8):
                big = mail_sent(number, message_id="x" * 60_000)
                work.announce(big, subject=str(number), occurrence="1", correlation=f"portal-a/A-{number}")
        await eventually(lambda: notifier.relay.held == 0)
    packs = await mouth.taken()

    assert [len(from_json(pack.body)) for pack in packs] == [3, 3, 2]
    assert all(len(pack.body) <= relay.PACK_BYTES_MAX for pack in packs)


async def test_the_journal_has_each_fact_once_also_those_that_nobody_hears(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "issuer", answered=lambda portal: portal == "portal-a") as issuer:
        async with unit_of_work(issuer.desk()) as work:
            heard = work.announce(_certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1")
            unheard = work.announce(
                _changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a"
            )
            # Announced again in the same batch, which is the same fact.
            work.announce(_changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")
        await eventually(lambda: issuer.relay.held == 0)
    records = [from_json(message.body) for message in await mouth.taken(topology.JOURNAL_QUEUE)]

    assert [record["service"] for record in records] == ["issuer"]
    entries = records[0]["facts"]
    assert Counter(entry["id"] for entry in entries) == {str(heard): 1, str(unheard): 1}
    assert {frozenset(entry) for entry in entries} == {
        frozenset({"id", "type", "subject", "correlation", "time", "digest"})
    }
    assert "sealed" not in str(records)


async def test_a_portal_gets_single_facts_in_binary_mode_without_anything_sealed(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "issuer", answered=lambda portal: portal == "portal-a") as issuer:
        for _ in range(2):
            async with unit_of_work(issuer.desk()) as work:
                identity = _announce_for_portals(work)
            await eventually(lambda: issuer.relay.held == 0)
    first, again = await mouth.taken(ANSWERS)

    # Announced again it is the same message to the portal.
    assert first.message_id == again.message_id == str(identity)
    assert first.body == again.body
    assert first.content_type == "application/json"
    assert first.correlation_id == "A-1"
    assert first.type == first.headers["cloudEvents_type"] == GuaranteeStatusChanged.TYPE
    assert first.headers["cloudEvents_id"] == str(identity)
    assert first.headers["cloudEvents_specversion"] == "1.0"
    assert first.routing_key == f"portal-a.{GuaranteeStatusChanged.TYPE}"
    assert from_json(first.body)["from"] is None
    assert await mouth.ready(topology.answer_queue("office")) == 0


def _announce_for_portals(work: Work) -> UUID:
    work.announce(_certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")
    work.announce(_changed(), subject="2", occurrence="1", correlation="portal-b/B-1", portal="portal-b")
    return work.announce(_changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")


def _certificate() -> CertificateCreated:
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


def _changed() -> GuaranteeStatusChanged:
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
            work._row(fact(99), topology.PORTALS, "k" * 300, b"{}")
        await announce(notifier.desk(), range(60, 70))
        await eventually(lambda: _left(tables, 2))
    assert set(_names(await mouth.taken())) == {f"A-{number}" for number in range(1, 70)}


async def _left(tables: "Tables", rows: int) -> bool:
    return await tables.fetchval("select count(*) from notifier.outbox") == rows


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
            work.announce(_certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1")
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
            losing.setattr(Work, "hand_over", lambda self, *, committed: _give_back(self))
            await announce(notifier.desk(), range(3))
        assert notifier.relay.held == 0
        await eventually(lambda: _emptied(tables), within_s=4.0)
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(3)}


def _give_back(work: Work) -> None:
    for hands, reserved in work._reserved:
        hands.give_back(reserved)


async def test_rows_that_wait_for_the_broker_keep_their_lease(mouth: Mouth, stack: Servers, tables: "Tables") -> None:
    async with (
        wire(stack.broker_url("notifier")) as line,
        living(stack, "notifier", publish_url=line.url) as notifier,
    ):
        line.break_down()
        await eventually(lambda: not notifier.publisher.connected)
        await announce(notifier.desk(), range(3))
        await tables.execute("update notifier.outbox set lease_until = now() + interval '1 second'")

        async def extended() -> bool:
            left_s = await tables.fetchval("select extract(epoch from min(lease_until) - now()) from notifier.outbox")
            return bool(left_s > outbox.LEASE_S - 10)

        await eventually(extended)
        line.mend()
        await eventually(lambda: _emptied(tables))
    assert _names(await mouth.taken()) == {f"A-{number}": 1 for number in range(3)}


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


async def test_the_same_message_id_may_go_again_afterwards_and_on_another_exchange(
    mouth: Mouth, stack: Servers
) -> None:
    async with _publishing(stack) as publisher:
        answer = Outgoing(topology.PORTALS, f"portal-a.{HEARD}", "m", b"{}", "application/json")
        await asyncio.gather(publisher.publish(_outgoing(HEARD, "m")), publisher.publish(answer))
        await publisher.publish(_outgoing(HEARD, "m"))
    assert await mouth.ready() == 2
    assert await mouth.ready(ANSWERS) == 1
