"""The form of a change (domain rule 12): each rule at its boundary, and what the issuer is told of a good one."""

from typing import Any

import pytest

from services.intake.domain.change import judge_change
from services.intake.domain.change.form import Corrections
from services.intake.domain.change.rules import RULES
from services.intake.domain.verdict import Bad, Judged
from tests.unit.intake.changes import (
    CHANGE,
    CORRECTION,
    change_codes,
    good_change,
)
from tests.unit.intake.samples import GONE, body_of, changed

NOTHING_NEW: dict[str, Any] = {"/price": None, "/fiscal_year_amount": None, "/amount": None, "/works_until": None}
NEEDED = {"change_id", "portal", "submitted_at", "customer_number", "guarantee_number", "base_version"}
NEEDED |= {"version_kind", "completion_mail"}


def test_the_published_example_is_accepted_without_a_remark() -> None:
    verdict = good_change({})

    assert verdict.remarks == ()
    assert verdict.change == {**CHANGE, "submitted_at": "2026-06-01T10:00:00.000+09:00"}


def test_every_rule_tells_its_source() -> None:
    for rule in RULES:
        told = rule.__doc__ or ""

        assert "[" in told or "(contract, section" in told, rule


@pytest.mark.parametrize("name", list(CHANGE))
@pytest.mark.parametrize("gone", [GONE, None], ids=["left out", "null"])
def test_a_field_that_is_missing_is_the_only_problem(name: str, gone: object) -> None:
    assert change_codes({f"/{name}": gone}) == ([("missing", f"/{name}")] if name in NEEDED else [])


@pytest.mark.parametrize("name", list(CHANGE))
@pytest.mark.parametrize("wrong", [5e7, [[1]], True], ids=["5e7", "list of lists", "true"])
def test_a_value_of_a_wrong_type_is_the_only_problem(name: str, wrong: object) -> None:
    assert [where for _, where in change_codes({f"/{name}": wrong})] == [f"/{name}"]


@pytest.mark.parametrize("portal", ["portal-b", "office"])
def test_the_portal_is_the_one_of_the_door(portal: str) -> None:
    assert change_codes({"/portal": portal}) == [("portal_mismatch", "/portal")]


@pytest.mark.parametrize("kind", ["correction", "change_cancellation", "termination"])
def test_what_is_not_a_change_is_the_offices(kind: str) -> None:
    bare = {**NOTHING_NEW, "/version_kind": kind}
    corrections = {"/corrections": {"contractor_name": "○○建設"}} if kind == "correction" else {}
    office = {**bare, **corrections, "/portal": "office", "/customer_number": None}
    through_the_office = judge_change(body_of(changed(office, CHANGE)), "office")

    assert change_codes({**bare, **corrections}) == [("version_kind_for_office_only", "/version_kind")]
    assert isinstance(through_the_office, Judged)
    assert not isinstance(through_the_office.verdict, Bad)


@pytest.mark.parametrize("kind", ["new", "Change", "", "cancel"])
def test_another_kind_of_version_is_none(kind: str) -> None:
    assert change_codes({"/version_kind": kind}) == [("not_one_of", "/version_kind")]


def test_the_office_may_change_any_guarantee_and_a_portal_its_customers() -> None:
    assert change_codes({}, CORRECTION) == []
    assert change_codes({"/customer_number": "C-0045678"}, CORRECTION) == []
    assert change_codes({"/customer_number": ""}) == [("missing", "/customer_number")]


@pytest.mark.parametrize(("version", "told"), [(1, False), (2**31, False), (0, True), (-1, True)])
def test_versions_count_from_one(version: int, told: bool) -> None:
    expected = [("base_version_not_positive", "/base_version")] if told else []

    assert change_codes({"/base_version": version}) == expected


@pytest.mark.parametrize("value", [1.0, "1", 1.5, True])
def test_a_version_is_a_whole_number(value: object) -> None:
    assert change_codes({"/base_version": value}) == [("not_an_integer", "/base_version")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("price", 1), ("fiscal_year_amount", 1), ("amount", 1), ("works_until", "2026-12-25")],
)
def test_one_new_value_is_a_change_and_none_is_not(name: str, value: object) -> None:
    assert change_codes({**NOTHING_NEW, f"/{name}": value}) == []
    assert change_codes(NOTHING_NEW) == [("changes_nothing", "")]
    assert change_codes({**NOTHING_NEW, "/contract_date": "2026-06-01", "/reason": "x"}) == [("changes_nothing", "")]


@pytest.mark.parametrize("corrections", [{}, None, GONE])
def test_a_correction_corrects_something(corrections: object) -> None:
    assert change_codes({"/corrections": corrections}, CORRECTION) == [("changes_nothing", "")]


def test_what_would_be_ignored_is_refused() -> None:
    price = {"/price": 60_000_000, "/works_until": "2026-12-25"}
    both = [("not_for_version_kind", "/price"), ("not_for_version_kind", "/works_until")]

    assert change_codes(price, CORRECTION) == both
    assert change_codes({"/corrections": {"amount": 1}}) == [("not_for_version_kind", "/corrections")]
    assert change_codes({"/version_kind": "termination"}, CORRECTION) == [("not_for_version_kind", "/corrections")]
    termination = {**price, "/version_kind": "change_cancellation", "/corrections": {}}
    assert change_codes(termination, CORRECTION) == both


@pytest.mark.parametrize("name", ["obligee_name", "kind", "Price", "a/b~c", ""])
def test_only_what_stands_on_the_certificate_is_corrected(name: str) -> None:
    found = change_codes({"/corrections": {name: "x", "jv_name": None}}, CORRECTION)

    assert found == [("unknown_correction", "/corrections/" + name.replace("~", "~0").replace("/", "~1"))]


@pytest.mark.parametrize("name", list(Corrections.model_fields))
def test_a_field_is_corrected_to_nothing_only_where_nothing_may_stand(name: str) -> None:
    expected = [] if name in {"jv_name", "fiscal_year_amount"} else [("missing", f"/corrections/{name}")]

    assert change_codes({"/corrections": {name: None}}, CORRECTION) == expected


def test_of_corrections_only_the_corrected_fields_are_handed_on() -> None:
    corrections = {"jv_name": "", "contract_date": "令和8年1月20日", "depository": "○○銀行 ××支店", "price": 5}
    verdict = good_change({"/corrections": corrections}, CORRECTION)

    assert verdict.change["corrections"] == {
        "jv_name": None,
        "contract_date": "2026-01-20",
        "depository": "○○銀行\u3000××支店",
        "price": 5,
    }
    assert [(told.code, told.pointer) for told in verdict.remarks] == [
        ("depository_normalised", "/corrections/depository")
    ]


@pytest.mark.parametrize("name", ["price", "fiscal_year_amount", "amount"])
@pytest.mark.parametrize(("yen", "told"), [(1, False), (0, True), (-1, True)])
def test_money_is_more_than_nothing(name: str, yen: int, told: bool) -> None:
    alone = {**NOTHING_NEW, f"/{name}": yen}

    assert change_codes(alone) == ([("not_positive", f"/{name}")] if told else [])
    corrected = change_codes({"/corrections": {name: yen}}, CORRECTION)
    assert corrected == ([("not_positive", f"/corrections/{name}")] if told else [])


def test_an_amount_is_not_larger_than_the_price_beside_it() -> None:
    assert change_codes({"/amount": 60_000_000}) == []
    assert change_codes({"/amount": 60_000_001}) == [("amount_over_base", "/amount")]
    assert change_codes({"/fiscal_year_amount": 60_000_000}) == []
    assert change_codes({"/fiscal_year_amount": 60_000_001}) == [
        ("fiscal_year_amount_over_price", "/fiscal_year_amount")
    ]
    over = {"/corrections": {"price": 5, "amount": 6, "fiscal_year_amount": 6}}
    assert change_codes(over, CORRECTION) == [
        ("amount_over_base", "/corrections/amount"),
        ("fiscal_year_amount_over_price", "/corrections/fiscal_year_amount"),
    ]


def test_the_works_do_not_end_before_the_contract_beside_them() -> None:
    assert change_codes({"/works_until": "2026-06-01"}) == []
    assert change_codes({"/works_until": "2026-05-31"}) == [("contract_after_works", "/contract_date")]
    assert change_codes({"/works_until": "2026-05-31", "/contract_date": None}) == []
    days = {"contract_date": "2026-06-02", "works_from": "2026-06-02", "works_until": "2026-06-01"}
    assert change_codes({"/corrections": days}, CORRECTION) == [
        ("contract_after_works", "/corrections/contract_date"),
        ("works_end_before_start", "/corrections/works_until"),
    ]
    assert change_codes({"/corrections": {**days, "works_until": "2026-06-02"}}, CORRECTION) == []


@pytest.mark.parametrize("text", ["令和8年12月25日", "R8.12.25", "2026-12-25"])
def test_dates_are_kept_as_iso(text: str) -> None:
    assert good_change({"/works_until": text}).change["works_until"] == "2026-12-25"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("令和8年2月29日", "impossible_date"),
        ("2026/12/25", "not_a_date"),
        ("", "not_a_date"),
        (20261225, "not_text"),
        ("2200-01-01", "year_out_of_range"),
    ],
)
def test_a_date_in_a_wrong_form_is_refused(text: object, code: str) -> None:
    for name in ("contract_date", "works_until"):
        assert change_codes({f"/{name}": text}) == [(code, f"/{name}")]
    for name in ("contract_date", "works_from", "works_until"):
        assert change_codes({"/corrections": {name: text}}, CORRECTION) == [(code, f"/corrections/{name}")]


def test_works_that_were_over_before_the_change_was_sent_get_a_remark() -> None:
    over = good_change({"/works_until": "2026-05-31", "/contract_date": "2026-05-01"}).remarks
    today = good_change({"/works_until": "2026-06-01"}).remarks

    assert [(told.code, told.pointer) for told in over] == [("works_already_over", "/works_until")]
    assert today == ()


def test_a_depository_is_corrected_to_full_width_only() -> None:
    found = change_codes({"/corrections": {"depository": "①銀行"}}, CORRECTION)

    assert found == [("depository_not_full_width", "/corrections/depository")]


@pytest.mark.parametrize(
    ("address", "code"), [(None, "mail_address_needed"), ("", "mail_address_needed"), ("x", "mail_address_malformed")]
)
def test_a_wished_mail_has_an_address_and_an_unwished_one_keeps_none(address: str | None, code: str) -> None:
    pointer = "/completion_mail/address"

    assert change_codes({pointer: address}) == [(code, pointer)]
    kept = good_change({pointer: address, "/completion_mail/wanted": False}).change["completion_mail"]
    assert kept == {"wanted": False, "address": None}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = change_codes(
        {
            "/portal": "portal-b",
            "/submitted_at": "yesterday",
            "/customer_number": None,
            "/guarantee_number": "1",
            "/base_version": 0,
            "/version_kind": "correction",
            "/price": 10,
            "/amount": 11,
            "/works_until": "令和8年2月30日",
            "/corrections": {"nam": "x", "price": 0, "contractor_name": None},
            "/completion_mail/address": "keiri",
        }
    )

    assert found == [
        ("not_a_time", "/submitted_at"),
        ("malformed", "/guarantee_number"),
        ("impossible_date", "/works_until"),
        ("portal_mismatch", "/portal"),
        ("missing", "/customer_number"),
        ("base_version_not_positive", "/base_version"),
        ("version_kind_for_office_only", "/version_kind"),
        ("unknown_correction", "/corrections/nam"),
        ("missing", "/corrections/contractor_name"),
        ("not_positive", "/corrections/price"),
        ("amount_over_base", "/amount"),
        ("mail_address_malformed", "/completion_mail/address"),
    ]


def test_corrections_that_cannot_be_read_hide_nothing_else() -> None:
    assert change_codes({"/corrections": 5, "/amount": 0}) == [
        ("not_an_object", "/corrections"),
        ("not_positive", "/amount"),
    ]
