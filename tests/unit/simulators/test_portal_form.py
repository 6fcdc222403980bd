"""The application that follows from the fields of 申込作成, and what the answers in the queue mean for it."""

import json
from typing import Any

import pytest

from deploy.places import OBLIGEES_FILE
from services.intake.domain.judgement import judge
from services.intake.domain.verdict import Bad, Judged
from services.intake.settings import read_obligees
from simulators.portal.answers import Answer
from simulators.portal.client import (
    ACCEPTED,
    CHANGE_ACCEPTED,
    CHANGE_REFUSED,
    CHANGE_REJECTED,
    ISSUED,
    REJECTED,
    STATUS_CHANGED,
)
from simulators.portal.sent import Sent
from simulators.portal.site import form
from simulators.portal.site.progress import change_state, effect_of, progress_of

PROBLEM = {"message_ja": "直してください。"}


def values(**others: str) -> form.Values:
    """The preselected form with some fields filled in; a double underscore in a name is its dot."""
    given = {name.replace("__", "."): value for name, value in others.items()}
    return form.empty("○○建設 株式会社") | {"application_id": "P-1"} | given


def application(**others: str) -> dict[str, Any]:
    return form.application(values(**others), "portal-a", "C-0045678", "○○建設 株式会社")


def answer(message_type: str, **data: object) -> Answer:
    return Answer(str(data), message_type, "", "", "P-1", data)


def moved(to: str, at: str) -> Answer:
    return answer(
        STATUS_CHANGED, kind="advance_payment", to=to, status_ja=to, at=at, guarantee_number="00000-000001", problems=[]
    )


SENT = Sent("P-1", "C-1", "application", application(), "2026-01-15T09:30:00+09:00")


@pytest.mark.parametrize(
    ("amount", "whole", "shown"),
    [
        ("20,000,000", "50,000,000", "40.0%"),
        ("20,020,000", "50,000,000", "40.0%"),
        ("20,025,000", "50,000,000", "40.1%"),
        ("１円", "3", "33.3%"),
        ("", "50,000,000", "0.0%"),
        ("1", "0", "0.0%"),
        ("-1", "2", "0.0%"),
        ("半分", "2", "0.0%"),
    ],
)
def test_the_ratio_is_shown_half_up_to_a_tenth(amount: str, whole: str, shown: str) -> None:
    given = values(advance_payment__amount=amount, contract__price=whole)

    assert form.ratio(given, form.ADVANCE) == shown


def test_this_years_amount_takes_the_place_of_the_price_for_the_advance_payment_only() -> None:
    given = values(
        advance_payment__amount="36000000",
        contract_performance__amount="30000000",
        contract__price="300000000",
        contract__fiscal_year_amount="90000000",
    )

    assert (form.ratio(given, form.ADVANCE), form.ratio(given, form.PERFORMANCE)) == ("40.0%", "10.0%")


def test_an_amount_that_is_no_number_goes_to_intake_as_it_was_typed() -> None:
    assert application(contract__price=" 五千万 ")["contract"]["price"] == "五千万"
    assert application(contract__price="¥５０，０００，０００円")["contract"]["price"] == 50_000_000
    assert application(contract__price="1.5")["contract"]["price"] == "1.5"


def test_only_what_is_ticked_is_applied_for_and_a_performance_line_has_no_depository() -> None:
    lines = application(interim_advance_payment__apply="", advance_payment__apply="")["guarantees"]

    assert [line["kind"] for line in lines] == ["contract_performance"]
    assert "depository" not in lines[0]


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/contract/price", "contract.price"),
        ("/guarantees", "advance_payment.apply"),
        ("/guarantees/1/amount", "contract_performance.amount"),
        ("/guarantees/1/kind", "contract_performance.apply"),
        ("/guarantees/0", "advance_payment.apply"),
        ("/guarantees/7/amount", "guarantees.7.amount"),
        ("/completion_mail/address", "completion_mail.address"),
    ],
)
def test_a_pointer_leads_to_the_field_that_people_see(pointer: str, field: str) -> None:
    assert form.name_of(pointer, [form.ADVANCE, form.PERFORMANCE]) == field


def test_the_latest_move_counts_whatever_the_order_of_the_answers() -> None:
    answers = [
        moved("active", "2026-01-15T00:30:02Z"),
        answer(ACCEPTED, remarks=[]),
        # The earlier one, though it is written with a later hour.
        moved("in_transit", "2026-01-15T09:30:01+09:00"),
        answer(ISSUED, kind="advance_payment", issued_at="2026-01-15T09:30:02+09:00"),
    ]

    first, second = progress_of(SENT, answers).lines

    assert (first.status, first.issued_at) == ("active", "2026-01-15T09:30:02+09:00")
    assert (second.status, second.status_ja) == ("accepted", "受付済")


def test_a_refusal_that_was_mended_tells_nothing_any_more() -> None:
    refused = answer(REJECTED, problems=[PROBLEM])

    assert progress_of(SENT, [refused]).problems == ("直してください。",)
    assert progress_of(SENT, [answer(ACCEPTED, remarks=[]), refused]).problems == ()


def test_a_change_stands_as_its_answers_say_in_any_order() -> None:
    rejected = answer(CHANGE_REJECTED, problems=[PROBLEM])
    accepted = answer(CHANGE_ACCEPTED, remarks=[])
    refused = answer(CHANGE_REFUSED, problems=[PROBLEM])

    assert change_state([]) == ("送信済", ())
    assert change_state([rejected]) == ("受付できません", ("直してください。",))
    assert change_state([accepted, rejected]) == ("受付済", ())
    assert change_state([refused, accepted]) == ("受付できません", ("直してください。",))


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ([(1, "new"), (2, "change")], "反映済"),
        ([(1, "new"), (2, "change"), (3, "change")], "反映済"),
        # Corrected: the correction stands in its place.
        ([(1, "new"), (3, "correction")], "反映済"),
        ([(1, "new"), (4, "correction"), (5, "change")], "反映済"),
        # Taken back, before and after a later change.
        ([(1, "new")], "取り消されました"),
        ([(1, "new"), (3, "change_cancellation")], "取り消されました"),
        ([(1, "new"), (4, "change")], "取り消されました"),
        # Taken back, and then the version below it was corrected.
        ([(4, "correction")], "取り消されました"),
        ([(4, "correction"), (5, "change")], "取り消されました"),
    ],
)
def test_a_change_that_was_issued_stands_as_the_history_says(history: list[tuple[int, str]], state: str) -> None:
    heard = [answer(ISSUED, version=1, change_id=None), answer(ISSUED, version=2, change_id="C-1")]
    rows = [{"version": version, "version_kind": kind} for version, kind in history]
    asked = [Sent(name, "0000001", "00000-000001", {"base_version": 1}, "") for name in ("C-1", "C-2")]

    assert [effect_of(one, heard, rows) for one in asked] == [state, None]


def test_what_is_left_empty_is_said_to_be_needed_and_not_to_have_a_wrong_form() -> None:
    """By intake's own rules, for the portal shows their words."""
    typed = {"application_id": "A-1", f"{form.ADVANCE}.apply": form.ON, "completion_mail.wanted": form.NO}
    sent = form.application(typed, "portal-a", "0000001", "○○建設")

    judged = judge(json.dumps(sent).encode(), "portal-a", read_obligees(OBLIGEES_FILE))

    assert isinstance(judged, Judged)
    assert isinstance(judged.verdict, Bad)
    assert {one.code for one in judged.verdict.problems} == {"missing", "blank", "depository_needed"}
    assert {"/contract/contract_date", "/contract/obligee_code", "/contract/works_kind"} < {
        one.pointer for one in judged.verdict.problems
    }
