"""Remarks: what is accepted is told what is odd about it, one day on either side, and nothing is refused for it."""

from typing import Any

import pytest

from tests.unit.intake.samples import EXAMPLE, codes, good

SENT = "/submitted_at"
ONLY_ADVANCE: dict[str, Any] = {"/guarantees": [EXAMPLE["guarantees"][0]]}


def _remarks(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [(remark.code, remark.pointer) for remark in good(changes).remarks]


@pytest.mark.parametrize(
    ("sent", "over"),
    [
        ("2026-12-25T23:59:59+09:00", False),
        ("2026-12-26T00:00:00+09:00", True),
        ("2026-12-25T14:59:59Z", False),
        ("2026-12-25T15:00:00Z", True),
    ],
)
def test_works_that_were_over_before_anybody_applied_get_a_remark(sent: str, over: bool) -> None:
    told = ("works_already_over", "/contract/works_until")

    assert (told in _remarks({SENT: sent})) == over


def test_a_contract_date_still_to_come_is_planned() -> None:
    day, planned = "/contract/contract_date", "/contract/contract_date_planned"

    assert _remarks({day: "2026-01-15", planned: False}) == []
    assert _remarks({day: "2026-01-16", planned: False}) == [("contract_date_not_yet", day)]
    assert _remarks({day: "2026-01-16", planned: True}) == []


def test_a_planned_contract_date_has_not_passed() -> None:
    day = "/contract/contract_date"

    assert _remarks({day: "2026-01-15"}) == []
    assert _remarks({day: "2026-01-14"}) == [("planned_contract_date_passed", day)]


def test_a_tender_notice_comes_before_its_contract() -> None:
    notice = "/contract/tender_notice_date"

    assert _remarks({notice: "2026-01-20"}) == []
    assert _remarks({notice: "2026-01-21"}) == [("tender_notice_after_contract", notice)]


def test_an_advance_that_is_not_planned_is_asked_about() -> None:
    planned = "/contract/advance_payment_planned"

    assert _remarks({**ONLY_ADVANCE, planned: False}) == [("advance_not_planned", planned)]
    assert _remarks({**ONLY_ADVANCE, planned: True}) == []


def test_the_fiscal_year_that_was_filled_in_is_told() -> None:
    year = {"/contract/fiscal_year_amount": 50_000_000}
    (remark,) = good(year).remarks

    assert (remark.code, remark.pointer) == ("fiscal_year_filled_in", "/contract/fiscal_year")
    assert remark.message_ja == "今年度対象額の年度を送信日から2025年度としました。"
    assert _remarks({**year, "/contract/fiscal_year": 2025}) == []


def test_a_mail_wished_for_paper_only_is_told_of() -> None:
    paper = {"/guarantees/0/certificate_form": "paper"}

    assert _remarks(paper) == [("no_mail_for_paper", "/completion_mail/wanted")]
    assert _remarks({**paper, "/completion_mail/wanted": False}) == []


def test_a_remark_tells_what_to_check_in_both_languages() -> None:
    (remark,) = good({"/contract/contract_date": "2026-01-14"}).remarks

    assert remark.message_ja == "契約予定日(2026-01-14)がすでに過ぎています。契約日を確認してください。"
    assert remark.message_en == "The planned contract date 2026-01-14 has passed. Check it."


def test_several_remarks_stand_together_and_none_refuses() -> None:
    odd = {
        SENT: "2027-01-01T00:00:00+09:00",
        "/contract/tender_notice_date": "2026-02-01",
        "/guarantees/0/depository": "A銀行",
        "/contract/fiscal_year": 2026,
        "/contract/fiscal_year_amount": 50_000_000,
    }

    assert codes(odd) == []
    assert [code for code, _ in _remarks(odd)] == [
        "depository_normalised",
        "tender_notice_after_contract",
        "planned_contract_date_passed",
        "works_already_over",
    ]
