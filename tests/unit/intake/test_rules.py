"""Each rule that is not about money at its boundary, one day on either side (domain, section 4)."""

from typing import Any

import pytest

from services.intake.domain.rules import LINE_RULES, RULES
from tests.unit.intake.samples import EXAMPLE, changed, codes, problems

FORM_0 = "/guarantees/0/certificate_form"
ONLY_PERFORMANCE: dict[str, Any] = {"/guarantees": [EXAMPLE["guarantees"][1]]}
LONGEST = "a@" + "b." * 122 + "example1"
CITY: dict[str, Any] = {"/contract/obligee_code": "990019", "/contract/obligee_name": "○○市長"}


def test_every_rule_tells_its_source() -> None:
    for rule in (*RULES, *LINE_RULES):
        told = rule.__doc__ or ""

        assert "[" in told or "(contract, section" in told, rule


@pytest.mark.parametrize("portal", ["portal-b", "office"])
def test_the_portal_is_the_one_of_the_door(portal: str) -> None:
    assert codes({"/portal": portal}) == [("portal_mismatch", "/portal")]


def test_at_least_one_guarantee_is_applied_for() -> None:
    assert codes({"/guarantees": []}) == [("no_guarantee", "/guarantees")]


def test_each_kind_stands_once() -> None:
    advance = EXAMPLE["guarantees"][0]

    assert codes({"/guarantees": [advance, advance]}) == [("kind_repeated", "/guarantees/1/kind")]


def test_a_performance_guarantee_needs_a_planned_advance_payment() -> None:
    not_planned = {"/contract/advance_payment_planned": False}

    assert codes(not_planned) == [("performance_without_advance", "/guarantees/1/kind")]
    assert codes(ONLY_PERFORMANCE) == []


def test_the_check_digit_of_the_obligee_code_is_verified() -> None:
    found = codes({"/contract/obligee_code": "222063"})

    assert found == [
        ("obligee_code_check_digit", "/contract/obligee_code"),
        ("obligee_not_electronic", FORM_0),
    ]


def test_electronic_starts_on_its_day_by_contract_date() -> None:
    before = {"/contract/contract_date": "2025-12-31"}
    (told,) = problems(before)

    assert codes({"/contract/contract_date": "2026-01-01"}) == []
    assert (told.code, told.pointer) == ("obligee_not_electronic_on_date", FORM_0)
    assert told.message_ja == (
        "三島市長の電子保証は令和8年1月1日以降に契約を締結する案件が対象です。証書(紙)を選択してください。"
    )
    assert told.message_en == (
        "Electronic guarantees for this obligee start with contracts concluded on or after 2026-01-01."
        " Choose the paper certificate."
    )
    assert codes({**before, FORM_0: "paper"}) == []


def test_electronic_starts_on_its_day_by_tender_notice_date() -> None:
    notice = "/contract/tender_notice_date"

    assert codes({**CITY, notice: "2026-04-01"}) == []
    assert codes({**CITY, notice: "2026-03-31"}) == [("obligee_not_electronic_on_date", FORM_0)]
    assert codes({**CITY, notice: None}) == [("tender_notice_date_needed", FORM_0)]
    assert codes({**CITY, notice: None, FORM_0: "paper"}) == []


@pytest.mark.parametrize("name", ["三島市水道事業管理者", "○○市水道事業管理者"])
def test_an_obligee_is_its_code_and_its_name(name: str) -> None:
    assert codes({"/contract/obligee_name": name}) == [("obligee_not_electronic", FORM_0)]


def test_a_registered_obligee_without_electronic_guarantees_takes_paper_only() -> None:
    water = {**CITY, "/contract/obligee_name": "○○市水道事業管理者"}

    assert codes(water) == [("obligee_not_electronic", FORM_0)]
    assert codes({**water, FORM_0: "paper"}) == []


def test_works_do_not_end_before_they_start() -> None:
    until = "/contract/works_until"

    assert codes({until: "2026-01-21"}) == []
    assert codes({until: "2026-01-20"}) == [("works_end_before_start", until)]


def test_the_contract_is_not_later_than_the_end_of_works() -> None:
    day = "/contract/contract_date"

    assert codes({day: "2026-12-25"}) == []
    assert codes({day: "2026-12-26"}) == [("contract_after_works", day)]


@pytest.mark.parametrize("value", [None, ""])
def test_an_advance_payment_names_its_depository(value: str | None) -> None:
    assert codes({"/guarantees/0/depository": value}) == [("depository_needed", "/guarantees/0/depository")]


def test_what_is_not_full_width_for_certain_is_refused_with_its_position() -> None:
    (told,) = problems({"/guarantees/0/depository": "①○-銀行\u200b"})

    assert (told.code, told.pointer) == ("depository_not_full_width", "/guarantees/0/depository")
    assert "1文字目「①」、3文字目「-」、6文字目「U+200B」" in told.message_ja
    assert "① at 1, - at 3, U+200B at 6" in told.message_en


def test_only_the_depository_is_held_to_full_width() -> None:
    assert codes({"/contractor/name": "髙橋建設①", "/contract/project_name": "A-1 road", "/contact/name": "髙橋"}) == []


@pytest.mark.parametrize(("name", "value"), [("depository", "○○銀行"), ("redeposit", True)])
def test_a_performance_guarantee_has_no_depository(name: str, value: object) -> None:
    pointer = f"/guarantees/1/{name}"

    assert codes({pointer: value}) == [("depository_only_on_advance", pointer)]
    assert codes({"/guarantees/1/redeposit": False}) == []


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "keiri+hosho@kensetsu.example",
        "a..b.@keitai.example",
        "x" * 64 + "@a.example",
        "o'neil@a-b.example",
    ],
)
def test_a_mail_can_be_sent_to_such_an_address(address: str) -> None:
    assert codes({"/completion_mail/address": address}) == []


@pytest.mark.parametrize(
    "address",
    [
        "keiri",
        "keiri@kensetsu",
        "keiri＠kensetsu.example",
        "経理@kensetsu.example",
        "a b@kensetsu.example",
        "a@b.example\n",
        "a@b.example, c@d.example",
        "a@-b.example",
        "a@b..example",
        "@b.example",
        "x" * 65 + "@a.example",
        "b" + LONGEST,
    ],
)
def test_a_mail_cannot_be_sent_to_such_an_address(address: str) -> None:
    pointer = "/completion_mail/address"

    assert codes({pointer: address}) == [("mail_address_malformed", pointer)]
    assert codes({pointer: address, "/completion_mail/wanted": False}) == []
    assert codes({pointer: address, FORM_0: "paper"}) == []


@pytest.mark.parametrize("address", [None, ""])
def test_a_wished_mail_needs_an_address(address: str | None) -> None:
    pointer = "/completion_mail/address"

    assert codes({pointer: address}) == [("mail_address_needed", pointer)]
    assert codes({pointer: address, "/completion_mail/wanted": False}) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = codes(
        {
            "/portal": "portal-b",
            "/submitted_at": "yesterday",
            "/contractor/name": "",
            "/contract/obligee_code": "222061",
            "/contract/contract_date": "令和8年2月30日",
            "/contract/works_from": "2027-01-01",
            "/contract/advance_payment_planned": False,
            "/contract/fiscal_year_amount": 60_000_000,
            "/guarantees/0/amount": "20000000",
            "/guarantees/0/depository": "A-bank",
            "/guarantees/1/amount": 4_999_999,
            "/guarantees/1/certificate_form": "fax",
            "/completion_mail/address": "keiri",
        }
    )

    assert found == [
        ("not_a_time", "/submitted_at"),
        ("blank", "/contractor/name"),
        ("impossible_date", "/contract/contract_date"),
        ("not_an_integer", "/guarantees/0/amount"),
        ("not_one_of", "/guarantees/1/certificate_form"),
        ("portal_mismatch", "/portal"),
        ("obligee_code_check_digit", "/contract/obligee_code"),
        ("fiscal_year_amount_over_price", "/contract/fiscal_year_amount"),
        ("works_end_before_start", "/contract/works_until"),
        ("mail_address_malformed", "/completion_mail/address"),
        ("obligee_not_electronic", "/guarantees/0/certificate_form"),
        ("depository_not_full_width", "/guarantees/0/depository"),
        ("performance_without_advance", "/guarantees/1/kind"),
    ]
    assert changed({}) == EXAMPLE
