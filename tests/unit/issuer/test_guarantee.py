"""What can happen to a guarantee, and what is told of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.issuer.domain.announcements import status_change, telling_of_issue, telling_of_paper, telling_of_status
from services.issuer.domain.events import arrive, conclude, decline, hold, refuse, release
from services.issuer.domain.form import MailWish
from services.issuer.domain.guarantee import Guarantee, Impossible, MailState, Repeated
from services.issuer.domain.mails import MAILS_PER_VERSION_MAX, mail_refused, mail_sent, wish_mail
from services.issuer.domain.states import GuaranteeState, Status, VersionState
from shared.messages.issuer import GuaranteeIssued, PaperOrdered
from shared.problems import Problem
from tests.unit.issuer.samples import (
    ADDRESS,
    ARRIVED_AT,
    CONCLUDED_AT,
    TODAY,
    application,
    concluded,
    issued,
    moved,
    waiting,
)

PROBLEM = Problem(code="underwriting_declined", pointer="", message_ja="お引受できません。", message_en="Declined.")


def test_conclusion_sends_an_electronic_certificate_on_its_way() -> None:
    guarantee = concluded()

    assert guarantee.state is GuaranteeState.ACTIVE
    assert [version.state for version in guarantee.versions] == [VersionState.IN_TRANSIT]
    assert guarantee.status(TODAY) is Status.IN_TRANSIT


def test_conclusion_orders_a_paper_certificate_without_a_mail() -> None:
    guarantee = concluded(line=1)

    assert guarantee.versions[0].state is VersionState.ORDERED
    assert not guarantee.versions[0].mail.wanted
    assert guarantee.status(TODAY) is Status.PAPER_ORDERED


def test_a_second_conclusion_changes_nothing_and_a_refusal_after_it_is_a_contradiction() -> None:
    guarantee = concluded()
    again = conclude(guarantee, CONCLUDED_AT + timedelta(hours=1), MailWish(wanted=False))
    against = decline(guarantee, (PROBLEM,), None)

    assert isinstance(again, Repeated)
    assert isinstance(against, Impossible)
    assert against.code == "contradicts_decision"


def test_a_declined_guarantee_stays_declined() -> None:
    declined = moved(decline(waiting(), (PROBLEM,), "ご連絡ください。"))

    assert (declined.status(TODAY), declined.problems, declined.versions) == (Status.DECLINED, (PROBLEM,), ())
    assert isinstance(decline(declined, (), None), Repeated)
    assert isinstance(conclude(declined, CONCLUDED_AT, MailWish(wanted=False)), Impossible)


def test_the_arrival_is_the_moment_of_issue() -> None:
    guarantee = issued()

    assert guarantee.issued is guarantee.versions[0]
    assert guarantee.versions[0].issued_at == ARRIVED_AT
    assert guarantee.status(TODAY) is Status.ACTIVE


def test_the_first_arrival_time_stands() -> None:
    later = arrive(issued(), 1, ARRIVED_AT + timedelta(minutes=5), "c-2")

    assert isinstance(later, Repeated)
    assert "the first one stands" in later.reason


@pytest.mark.parametrize(("number", "code"), [(2, "unknown_version"), (0, "unknown_version")])
def test_an_arrival_of_a_version_that_was_never_made_is_a_contradiction(number: int, code: str) -> None:
    outcome = arrive(concluded(), number, ARRIVED_AT, "c-1")

    assert isinstance(outcome, Impossible)
    assert outcome.code == code


def test_paper_never_arrives_at_the_platform() -> None:
    outcome = arrive(concluded(line=1), 1, ARRIVED_AT, "c-1")

    assert isinstance(outcome, Impossible)
    assert outcome.code == "version_not_in_transit"


def test_a_refused_version_is_final_and_the_contractor_is_told_to_wait() -> None:
    refused = moved(refuse(concluded(), 1, ARRIVED_AT, "certificate-refused: 発注者コード"))
    arrival = arrive(refused, 1, ARRIVED_AT, "c-1")

    assert refused.status(TODAY) is Status.REFUSED_BY_PLATFORM
    assert [problem.code for problem in refused.problems] == ["refused_by_platform"]
    assert isinstance(refuse(refused, 1, ARRIVED_AT, "again"), Repeated)
    assert isinstance(arrival, Impossible)
    assert isinstance(refuse(issued(), 1, ARRIVED_AT, "late"), Impossible)


@pytest.mark.parametrize(("wanted", "state"), [(True, MailState.WAITING), (False, MailState.NONE)])
def test_a_mail_is_waited_for_from_the_arrival_on_if_it_was_wished(wanted: bool, state: MailState) -> None:
    assert concluded(wanted=wanted).versions[0].mail.state is MailState.NONE
    assert issued(wanted=wanted).versions[0].mail.state is state


def test_a_mail_that_was_sent_stays_sent() -> None:
    sent = moved(mail_sent(issued(), 1, 1))

    assert sent.versions[0].mail.state is MailState.SENT
    assert isinstance(mail_sent(sent, 1, 1), Repeated)
    assert isinstance(mail_refused(sent, 1, 1, "550 no such user"), Repeated)


def test_a_refused_mail_keeps_what_the_server_said_until_one_is_sent() -> None:
    refused = moved(mail_refused(issued(), 1, 1, "550 no such user"))
    sent = moved(mail_sent(refused, 1, 1))

    assert (refused.versions[0].mail.state, refused.versions[0].mail.refusal) == (MailState.REFUSED, "550 no such user")
    assert (sent.versions[0].mail.state, sent.versions[0].mail.refusal) == (MailState.SENT, None)


def test_news_of_a_mail_that_nobody_wished_for_is_a_contradiction() -> None:
    assert isinstance(mail_sent(issued(wanted=False), 1, 1), Impossible)
    assert isinstance(mail_refused(concluded(), 1, 1, "550"), Impossible)
    assert isinstance(mail_sent(issued(), 7, 1), Impossible)


def test_late_news_of_an_earlier_mail_settles_nothing() -> None:
    """The first mail bounces after a second was wished for to a mended address: that one still waits."""
    wished = moved(wish_mail(issued(), "soumu@kensetsu.example"))
    bounced = mail_refused(wished, 1, 1, "550 no such user")
    late = mail_sent(wished, 1, 1)
    sent = moved(mail_sent(wished, 1, 2))
    invented = mail_sent(wished, 1, 3)

    assert isinstance(bounced, Repeated)
    assert isinstance(late, Repeated)
    assert sent.versions[0].mail.state is MailState.SENT
    assert isinstance(invented, Impossible)
    assert invented.code == "unknown_mail"


def test_a_version_is_held_until_it_is_released_in_whichever_order_the_news_comes() -> None:
    later = ARRIVED_AT + timedelta(minutes=1)
    held = moved(hold(concluded(), 1, ARRIVED_AT, "an odd time of arrival"))
    released = moved(release(held, 1, later))
    overtaken = moved(hold(moved(release(concluded(), 1, later)), 1, ARRIVED_AT, "an odd time of arrival"))
    again = moved(hold(released, 1, later + timedelta(minutes=1), "once more"))

    assert [one.status(TODAY) for one in (held, released, overtaken, again)] == [
        Status.HELD,
        Status.IN_TRANSIT,
        Status.IN_TRANSIT,
        Status.HELD,
    ]
    assert isinstance(hold(held, 1, ARRIVED_AT, "again"), Repeated)
    assert isinstance(release(released, 1, later), Repeated)


def test_an_arrival_ends_a_hold_and_news_of_it_after_that_is_late() -> None:
    arrived = moved(arrive(moved(hold(concluded(), 1, ARRIVED_AT, "odd")), 1, ARRIVED_AT, "c-1"))

    assert arrived.status(TODAY) is Status.ACTIVE
    assert isinstance(hold(arrived, 1, ARRIVED_AT + timedelta(days=1), "late"), Repeated)
    assert isinstance(release(arrived, 1, ARRIVED_AT + timedelta(days=1)), Repeated)
    assert isinstance(hold(arrived, 2, ARRIVED_AT, "unknown"), Impossible)


def test_a_mail_can_be_wished_again_only_after_the_arrival() -> None:
    outcome = wish_mail(concluded(), None)

    assert isinstance(outcome, Impossible)
    assert outcome.code == "not_issued"


def test_a_mail_that_waits_is_not_doubled_unless_its_address_is_mended() -> None:
    mended = moved(wish_mail(issued(), "soumu@kensetsu.example"))

    assert isinstance(wish_mail(issued(), None), Repeated)
    assert isinstance(wish_mail(issued(), ADDRESS), Repeated)
    assert (mended.versions[0].mail.address, mended.versions[0].mail.ordinal) == ("soumu@kensetsu.example", 2)


def test_a_mail_that_was_not_wished_at_first_can_be_wished_later_with_an_address() -> None:
    without = wish_mail(issued(wanted=False), None)
    wished = moved(wish_mail(issued(wanted=False), ADDRESS))

    assert isinstance(without, Impossible)
    assert without.code == "mail_address_needed"
    assert (wished.versions[0].mail.wanted, wished.versions[0].mail.state) == (True, MailState.WAITING)


def test_mails_about_one_version_have_a_limit() -> None:
    guarantee = issued()
    for ordinal in range(1, MAILS_PER_VERSION_MAX):
        guarantee = moved(wish_mail(moved(mail_sent(guarantee, 1, ordinal)), None))

    outcome = wish_mail(moved(mail_sent(guarantee, 1, MAILS_PER_VERSION_MAX)), None)
    assert isinstance(outcome, Impossible)
    assert outcome.code == "too_many_mails"


def test_each_change_of_status_is_another_occasion() -> None:
    first, message = status_change(Status.REQUESTED, concluded(), TODAY, CONCLUDED_AT)
    assert message is not None
    arrived = moved(arrive(first, 1, ARRIVED_AT, "c-1"))
    second, later = status_change(first.status(TODAY), arrived, TODAY, ARRIVED_AT)
    assert later is not None

    assert (message.from_status, message.to_status, message.status_ja) == ("requested", "in_transit", "電子証書送信中")
    assert (later.from_status, later.to_status, later.status_ja) == ("in_transit", "active", "発行済")
    assert telling_of_status(first, message).occurrence == "1"
    assert telling_of_status(second, later).occurrence == "2"


def test_a_status_that_stays_is_not_told() -> None:
    guarantee, message = status_change(Status.ACTIVE, issued(), TODAY, ARRIVED_AT)

    assert (guarantee.status_no, message) == (0, None)


def test_the_portal_hears_of_the_issue_once_however_many_mails_are_wished() -> None:
    def told(guarantee: Guarantee) -> tuple[str, bool, bool, str | None]:
        telling = telling_of_issue(guarantee, guarantee.versions[0], ARRIVED_AT)
        assert isinstance(telling.message, GuaranteeIssued)
        mail = telling.message.completion_mail
        return telling.occurrence, telling.to_portal, mail.wanted, mail.address

    assert told(issued()) == ("1", True, True, ADDRESS)
    assert told(issued(wanted=False)) == ("1", True, False, None)
    assert told(moved(wish_mail(issued(wanted=False), ADDRESS))) == ("2", False, True, ADDRESS)


def test_a_paper_order_says_where_to_and_how_much() -> None:
    guarantee = concluded(line=1)
    telling = telling_of_paper(
        guarantee, guarantee.versions[0], application(guarantees__1__paper_premium_statement=True)
    )

    assert isinstance(telling.message, PaperOrdered)
    assert telling.message.model_dump(mode="json") == {
        "portal": "portal-a",
        "application_id": "A-2026-000123",
        "guarantee_number": "00000-000001",
        "kind": "contract_performance",
        "receiving_office": "静岡支店",
        "paper_delivery": "office",
        "paper_premium_statement": True,
        "version": 1,
        "version_kind": "new",
        "amount": 5_000_000,
    }


def test_an_open_problem_ends_with_the_arrival() -> None:
    guarantee = moved(arrive(replace(concluded(), problems=(PROBLEM,)), 1, ARRIVED_AT, "c-1"))

    assert guarantee.problems == ()
