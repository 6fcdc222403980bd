"""The desk on the real broker: every announcement is journalled once, and what is parked lies there to be read."""

import asyncpg
import pytest

from services.ops.domain import journal
from services.ops.domain.journal import Broken, Whole
from shared import clock, topology
from shared.envelope import JSON_CONTENT_TYPE, Unreadable
from shared.frames import Outgoing
from shared.messages.notifier import MailSent
from shared.work import unit_of_work
from tests.eventually import eventually
from tests.service.living import TRACE, living, traced
from tests.service.ops.conftest import Desk
from tests.service.shared.telling import mail_sent

SENT_AT = "2026-04-01T10:00:00+09:00"


async def _announced(desk: Desk, occurrences: str) -> None:
    async with living(desk.servers, "notifier") as notifier:
        for occurrence in occurrences:
            async with unit_of_work(notifier.desk()) as work:
                work.announce(
                    mail_sent(1, sent_at=SENT_AT),
                    subject="n/1",
                    occurrence=occurrence,
                    correlation="portal-a/A-1",
                    cause=traced(),
                )
            await eventually(lambda: notifier.pool.fetchval("select count(*) = 0 from outbox"))
        await eventually(
            lambda: desk.ops.pool.fetchval(
                "select count(*) = $1 from inbox where consumer like '%.journal'", len(occurrences)
            )
        )


async def test_every_announcement_is_journalled_once_however_often_it_is_announced(desk: Desk) -> None:
    await _announced(desk, "112")
    rows = await desk.ops.pool.fetch("select service, type, subject, correlation from journal_entry order by entry_no")

    assert [tuple(row) for row in rows] == [("notifier", MailSent.TYPE, "n/1", "portal-a/A-1")] * 2
    assert (await desk.get("/v1/journal/head"))["entries"] == 2


async def test_what_is_parked_lies_on_the_desk_with_its_content_and_its_hearer(desk: Desk) -> None:
    fact, unreadable = traced(), Unreadable.of(b"{", "not JSON", "m-1")
    async with unit_of_work(desk.issuer.desk(), "issuer.mail_sent") as work:
        work.park(fact, "no_mail_wished", "nobody wished it")
        work.park(unreadable, "unreadable", "not JSON")
    await desk.parked(2)
    told = sorted((await desk.get("/v1/parked/facts"))["facts"], key=lambda one: str(one["code"]))
    whole = await desk.get(f"/v1/parked/facts/{told[0]['id']}")

    assert [(one["fact_id"], one["consumer"], one["code"], one["reason"]) for one in told] == [
        (str(fact.id), "issuer.mail_sent", "no_mail_wished", "nobody wished it"),
        (str(unreadable.id), "issuer.mail_sent", "unreadable", "not JSON"),
    ]
    assert whole["content"]["fact"]["traceparent"] == TRACE
    assert [one["obstacle"] for one in told] == [None, "not_readable"]


async def test_the_journal_is_a_chain_that_an_export_proves(desk: Desk) -> None:
    await _announced(desk, "12345")
    headers = {"Authorization": f"Bearer {desk.servers.operator_token('viewer')}"}
    async with desk.http.get(f"{desk.url}/v1/journal/export", headers=headers) as answer:
        export = (await answer.read()).splitlines()
    head = await desk.get("/v1/journal/head")
    found = journal.verify(export)

    assert isinstance(found, Whole)
    assert (found.head.batch_no, found.head.entries, found.head.chain.hex()) == (head["batch_no"], 5, head["chain"])


async def test_a_byte_changed_in_the_database_is_found_in_the_next_export(desk: Desk) -> None:
    await _announced(desk, "123")
    owner = await asyncpg.connect(desk.servers.owner_url)
    await owner.execute(
        "update ops.journal_entry set line = set_byte(line, 20, 88)"
        " where entry_no = (select max(entry_no) from ops.journal_entry)"
    )
    await owner.close()
    headers = {"Authorization": f"Bearer {desk.servers.operator_token('viewer')}"}
    async with desk.http.get(f"{desk.url}/v1/journal/export", headers=headers) as answer:
        found = journal.verify((await answer.read()).splitlines())

    assert isinstance(found, Broken)
    assert found.batch_no == (await desk.get("/v1/journal/head"))["batch_no"]


@pytest.mark.parametrize("table", ["journal_entry", "journal_batch"])
@pytest.mark.parametrize("statement", ["delete from {}", "update {} set batch_no = batch_no", "truncate {} cascade"])
async def test_ops_itself_cannot_edit_its_journal(desk: Desk, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.ops.pool.execute(statement.format(table))


async def test_what_has_an_unknown_type_is_kept_and_shown_as_such(desk: Desk) -> None:
    record = b'{"service":"later","facts":[{"id":"00000000-0000-0000-0000-000000000001","type":"later.thing.v9",'
    record += b'"subject":"x","correlation":"portal-a/A-9","time":"2026-04-01T01:00:00+00:00","digest":"00"}]}'
    await desk.ops.publisher.publish(_outgoing(record))
    await desk.journalled(1)
    journey = await desk.get("/v1/journeys/portal-a/A-9")

    assert [step["type"] for step in journey["steps"]] == ["later.thing.v9"]
    assert journey["application"] is None


def _outgoing(body: bytes) -> Outgoing:
    key = topology.journal_key("ops")
    return Outgoing(topology.EVENTS, key, clock.new_uuid().hex, body, JSON_CONTENT_TYPE)
