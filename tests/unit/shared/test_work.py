"""What one unit of work gathers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic_core import from_json

from shared import outbox, topology
from shared.envelope import Fact, Unreadable, decode_pack
from shared.messages.issuer import GuaranteeIssued, PaperOrdered
from shared.messages.notifier import MailSent
from shared.work import Desk, Work

NOW = datetime(2026, 4, 1, 1, tzinfo=UTC)
CAUSE = Fact(UUID(int=1), "t", "/hosho/a", "s", NOW.isoformat(), "c", "00-trace", b"{}")


class Hands:
    """Takes as many rows as there is room for, and remembers what it was told."""

    lease_s = 60.0

    def __init__(self, room: int) -> None:
        self.room, self.reserved = room, 0
        self.taken: list[object] = []

    def reserve(self, rows: int) -> int:
        granted = min(rows, self.room - self.reserved)
        self.reserved += granted
        return granted

    def give_back(self, rows: int) -> None:
        self.reserved -= rows

    def take(self, rows: Sequence[object]) -> None:
        self.taken += rows

    async def roomy(self) -> None: ...


def _work(shouts: list[str] | None = None, room: int = 10) -> Work:
    desk = Desk(
        service="issuer",
        pool=cast(Any, None),
        owner_id=7,
        shout=lambda: (shouts if shouts is not None else []).append("shout"),
        answered=lambda portal: portal == "portal-a",
        relay=Hands(room),
        errands={},
    )
    return Work(cast(Any, None), desk, NOW, "issuer.mail_sent")


def _mail() -> MailSent:
    return MailSent(portal="portal-a", application_id="A", guarantee_number="g", version=1, message_id="m", sent_at=NOW)


def _issued() -> GuaranteeIssued:
    return GuaranteeIssued.model_validate(
        {
            "portal": "portal-a",
            "application_id": "A",
            "guarantee_number": "g",
            "kind": "contract_performance",
            "version": 1,
            "version_kind": "original",
            "issued_at": NOW,
            "completion_mail": {"wanted": True, "address": "someone@contractor.example"},
            "contractor_name": "○○建設",
            "obligee_name": "三島市",
            "project_name": "a road",
            "product_name": "a guarantee",
        }
    )


def test_an_announcement_is_a_fact_that_hearers_can_read() -> None:
    work = _work()
    identity = work.announce(_mail(), subject="g/1", occurrence="1", correlation="portal-a/A", cause=CAUSE)
    (row,) = work.announcements
    (fact,) = decode_pack(row.body)

    assert isinstance(fact, Fact)
    assert (fact.id, fact.type, fact.source) == (identity, MailSent.TYPE, "/hosho/issuer")
    assert (fact.subject, fact.correlation, fact.time) == ("g/1", "portal-a/A", NOW.isoformat())
    assert fact.traceparent == "00-trace"
    assert MailSent.model_validate(from_json(fact.data)) == _mail()
    assert (row.exchange, row.routing_key, row.journalled) == (topology.EVENTS, MailSent.TYPE, True)


def test_the_same_occasion_is_the_same_fact_and_another_is_another() -> None:
    work = _work()
    first = work.announce(_mail(), subject="g/1", occurrence="1", correlation="portal-a/A")

    assert work.announce(_mail(), subject="g/1", occurrence="1", correlation="portal-a/A") == first
    assert work.announce(_mail(), subject="g/1", occurrence="2", correlation="portal-a/A") != first


def test_a_portal_with_a_queue_gets_what_portals_may_see() -> None:
    work = _work()
    identity = work.announce(_issued(), subject="g/1", occurrence="1", correlation="portal-a/A", portal="portal-a")
    inside, shown = work.announcements

    assert shown.exchange == topology.PORTALS
    assert shown.routing_key == f"portal-a.{GuaranteeIssued.TYPE}"
    assert inside.message_id == shown.message_id == identity
    assert shown.headers is not None
    assert shown.headers["cloudEvents_id"] == str(identity)
    # The journal notes the fact once, for both.
    assert (inside.journalled, shown.journalled) == (True, False)
    assert b"contractor.example" in inside.body
    assert b"contractor.example" not in shown.body


@pytest.mark.parametrize(("message", "portal"), [(_issued(), "portal-b"), (_issued(), None), (_mail(), "portal-a")])
def test_nobody_else_gets_a_copy(message: Any, portal: str | None) -> None:
    work = _work()
    work.announce(message, subject="g/1", occurrence="1", correlation="portal-a/A", portal=portal)

    assert [row.exchange for row in work.announcements] == [topology.EVENTS]


def test_a_fact_that_nobody_hears_is_written_to_the_journal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "HEARERS", {})
    work = _work()
    work.announce(_mail(), subject="g/1", occurrence="1", correlation="portal-a/A")
    (row,) = work.announcements

    assert (row.exchange, row.body, row.journalled) == (outbox.JOURNAL_ONLY, b"", True)
    assert PaperOrdered.TYPE not in topology.HEARERS


def test_rows_are_handed_over_only_after_the_commit() -> None:
    for committed in (False, True):
        shouts: list[str] = []
        work = _work(shouts)
        relay = cast(Hands, work.desk.relay)
        work._reserve(work.desk.relay, 3)
        work._leased = cast(Any, ["row"])
        work._others_find_work = True

        work.committed = committed
        work.hand_over()

        assert relay.reserved == 0
        assert relay.taken == (["row"] if committed else [])
        assert shouts == (["shout"] if committed else [])


def test_what_is_put_aside_goes_to_the_desk_and_leaves_the_memory_alone() -> None:
    work = _work()
    work.put_aside(replace(CAUSE, data=b"[]"), "code", "reason")
    work.park(Unreadable.of(b"x", "why"), "code", "reason")

    assert [row.exchange for row in work.announcements] == [topology.PARKING]
    assert len(work.parked) == 1
