"""Every line is in exactly one column, and what two counts disagree about is told."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.issuer.domain.states import Status
from services.ops.domain import ledger
from services.ops.domain.ledger import Column, Difference, Step, Verdict, verdict_of
from services.ops.domain.wire import Entry
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import GuaranteeIssued, GuaranteeStatusChanged
from shared.messages.notifier import MailSent

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


def _entry(message_type: str, about: str, **search: str) -> Entry:
    return Entry(UUID(int=1), "issuer", message_type, about, "portal-a/A-1", AT, b"\x01", search)


@pytest.mark.parametrize("status", ["", *Status])
@pytest.mark.parametrize("is_parked", [True, False])
def test_every_status_has_a_column_and_only_waiting_lines_are_parked(status: str, is_parked: bool) -> None:
    plain = ledger.column_of(status, "electronic", is_parked=False)
    column = ledger.column_of(status, "electronic", is_parked=is_parked)

    assert column is (Column.PARKED if is_parked and plain is Column.WAITING else plain)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.TERMINATED, Status.EXPIRED])
def test_a_line_on_paper_stays_an_order_on_paper(status: Status) -> None:
    assert ledger.column_of(status, "paper", is_parked=False) is Column.PAPER_ORDERED
    assert ledger.column_of(status, "electronic", is_parked=False) is Column.ISSUED


def test_an_accepted_application_brings_its_lines() -> None:
    words = {
        "contractor": "○○建設",
        "project": "橋",
        "obligee": "三島市長",
        "lines": "advance_payment:electronic,contract_performance:paper",
    }
    (found,) = ledger.applications_of([_entry(ApplicationAccepted.TYPE, "portal-a/A-1", **words), _entry("other", "x")])

    assert found.lines == (("advance_payment", "electronic"), ("contract_performance", "paper"))
    assert found.contractor == "○○建設"


def test_a_change_of_status_moves_its_line_and_one_without_words_moves_nothing() -> None:
    moved = _entry(GuaranteeStatusChanged.TYPE, "00000-000001", kind="advance_payment", status="active")
    moves = ledger.moves_of([moved, _entry(GuaranteeStatusChanged.TYPE, "00000-000002")])

    assert [(one.guarantee_number, one.kind, one.status) for one in moves] == [
        ("00000-000001", "advance_payment", "active")
    ]


def test_a_mail_that_was_wished_for_and_its_end_meet_under_one_name() -> None:
    wanted = _entry(GuaranteeIssued.TYPE, "00000-000001/1", mail="wanted", ordinal="2")
    unwanted = _entry(GuaranteeIssued.TYPE, "00000-000002/1", mail="not_wanted", ordinal="1")
    ended = _entry(MailSent.TYPE, "00000-000001/1/2", ordinal="2")
    found = ledger.mails_of([wanted, unwanted, ended])

    assert [(one.subject, one.ordinal) for one in found] == [("00000-000001/1", 2)] * 2
    assert (found[0].wanted_at, found[1].ended_at) == (AT, AT)


def test_what_services_know_otherwise_is_a_difference_and_who_was_not_asked_makes_none() -> None:
    columns = {Column.ISSUED: 5, Column.DECLINED: 1}
    told = {"intake": {"accepted": 9}, "issuer": {"issued": 6, "declined": 1}}

    assert ledger.differences(columns, 8, told) == [
        Difference("intake: accepted", 8, 9),
        Difference("issuer: issued", 5, 6),
    ]
    assert ledger.differences(columns, 8, {}) == []
    assert Difference("x", 8, 9).missing == 1


def test_a_ledger_is_even_only_when_everybody_was_asked_and_uneven_whoever_is_silent() -> None:
    columns = {Column.ISSUED: 2, Column.WAITING: 1}
    other = [Difference("issuer: issued", 2, 3)]

    assert verdict_of(3, columns, [], []) is Verdict.EVEN
    assert verdict_of(3, columns, [], ["issuer"]) is Verdict.UNKNOWN
    assert verdict_of(3, columns, other, ["intake"]) is Verdict.UNEVEN
    assert verdict_of(4, columns, [], ["intake"]) is Verdict.UNEVEN


def test_every_unsettled_status_is_on_a_step_with_a_limit() -> None:
    for status in ("", Status.REQUESTED, Status.AWAITING_CONCLUSION, Status.IN_TRANSIT):
        step = ledger.step_of(status)

        assert step is not None
        assert ledger.overdue_before(step, AT) < AT
    assert set(ledger.OVERDUE_S) == set(Step)
    assert ledger.step_of(Status.ACTIVE) is None
