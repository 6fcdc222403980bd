"""The desk on the real broker: every announcement is journalled once, and what is parked lies there to be read."""

import json
from collections.abc import AsyncIterator

import pytest

from services.ops.app import build_app
from shared.envelope import Unreadable
from shared.messages.notifier import MailSent
from shared.service.running import Running
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import TRACE, living, traced
from tests.unit.issuer.samples import ARRIVED_AT

SENT = MailSent(
    portal="portal-a", application_id="A-1", guarantee_number="n", version=1, message_id="m", sent_at=ARRIVED_AT
)


@pytest.fixture
async def ops(emptied: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """ops, hearing at its queues."""
    given = {"DATABASE_URL": emptied.database_url("ops"), "BROKER_URL": emptied.broker_url("ops"), "HTTP_PORT": "0"}
    for name, value in given.items():
        monkeypatch.setenv(f"OPS_{name}", value)
    async with living(emptied, "ops", doors=build_app().doors) as running:
        yield running


async def test_every_announcement_is_journalled_once_however_often_it_is_announced(
    emptied: Servers, ops: Running
) -> None:
    async with living(emptied, "notifier") as notifier:
        for occurrence in ("1", "1", "2"):
            async with unit_of_work(notifier.desk()) as work:
                work.announce(SENT, subject="n/1", occurrence=occurrence, correlation="portal-a/A-1")
            await eventually(lambda: notifier.pool.fetchval("select count(*) = 0 from outbox"))
        await eventually(lambda: ops.pool.fetchval("select count(*) = 3 from inbox"))
    rows = await ops.pool.fetch("select service, type, subject, correlation from journal_entry")

    assert [tuple(row) for row in rows] == [("notifier", MailSent.TYPE, "n/1", "portal-a/A-1")] * 2


async def test_what_is_parked_lies_on_the_desk_with_its_content_and_its_hearer(emptied: Servers, ops: Running) -> None:
    fact, unreadable = traced(), Unreadable.of(b"{", "not JSON", "m-1")
    async with living(emptied, "issuer") as issuer:
        async with unit_of_work(issuer.desk(), "issuer.mail_sent") as work:
            work.park(fact, "no_mail_wished", "nobody wished it")
            work.park(unreadable, "unreadable", "not JSON")
        await eventually(lambda: ops.pool.fetchval("select count(*) = 2 from parked_fact"))
    rows = await ops.pool.fetch("select fact_id, consumer, code, reason, body from parked_fact order by code")

    assert [(row["fact_id"], row["consumer"], row["code"], row["reason"]) for row in rows] == [
        (fact.id, "issuer.mail_sent", "no_mail_wished", "nobody wished it"),
        (unreadable.id, "issuer.mail_sent", "unreadable", "not JSON"),
    ]
    assert TRACE in json.loads(rows[0]["body"])["fact"]
