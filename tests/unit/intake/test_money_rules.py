"""Each rule on money at its boundary, one yen on either side (domain rules 3 to 7)."""

from typing import Any

import pytest

from tests.unit.intake.samples import EXAMPLE, INTERIM, codes, problems

ADVANCE = "/guarantees/0/amount"
PERFORMANCE = "/guarantees/1/amount"
PRICE = "/contract/price"
THIS_YEAR = "/contract/fiscal_year_amount"
FORM_0 = "/guarantees/0/certificate_form"
ONLY_PERFORMANCE: dict[str, Any] = {"/guarantees": [EXAMPLE["guarantees"][1]]}
ONLY_ADVANCE: dict[str, Any] = {"/guarantees": [EXAMPLE["guarantees"][0]]}
ONLY_INTERIM: dict[str, Any] = {"/guarantees": [INTERIM]}
CITY: dict[str, Any] = {"/contract/obligee_code": "990019", "/contract/obligee_name": "○○市長"}
TOWN: dict[str, Any] = {"/contract/obligee_code": "990027", "/contract/obligee_name": "△△町長"}


@pytest.mark.parametrize("pointer", [PRICE, THIS_YEAR, ADVANCE])
@pytest.mark.parametrize("yen", [0, -1])
def test_money_is_more_than_nothing(pointer: str, yen: int) -> None:
    assert ("not_positive", pointer) in codes({pointer: yen})


def test_one_yen_is_money() -> None:
    assert codes({**ONLY_ADVANCE, ADVANCE: 1}) == []


def test_a_guarantee_is_not_larger_than_its_base() -> None:
    over = ("amount_over_base", "/guarantees/0/amount")

    assert codes({**ONLY_PERFORMANCE, "/guarantees/0/amount": 50_000_000}) == []
    assert codes({**ONLY_PERFORMANCE, "/guarantees/0/amount": 50_000_001}) == [over]
    assert over in codes({THIS_YEAR: 10_000_000, ADVANCE: 10_000_001})
    assert over not in codes({THIS_YEAR: 10_000_000, ADVANCE: 10_000_000})


def test_this_years_amount_is_not_larger_than_the_price() -> None:
    assert codes({THIS_YEAR: 50_000_000}) == []
    assert codes({THIS_YEAR: 50_000_001}) == [("fiscal_year_amount_over_price", THIS_YEAR)]


@pytest.mark.parametrize(
    ("works_kind", "most"), [("construction", 20_000_000), ("design", 15_000_000), ("survey", 15_000_000)]
)
def test_an_advance_payment_stays_below_its_maximum(works_kind: str, most: int) -> None:
    kind = {"/contract/works_kind": works_kind}

    assert codes({**kind, ADVANCE: most}) == []
    assert codes({**kind, ADVANCE: most + 1}) == [("advance_over_maximum", ADVANCE)]


def test_a_ratio_that_is_shown_as_40_percent_can_still_be_over_it() -> None:
    """40.04 % is shown as 40.0% and is refused, because limits are judged on exact integers."""
    assert codes({ADVANCE: 20_020_000}) == [("advance_over_maximum", ADVANCE)]


def test_the_maximum_rounds_down() -> None:
    odd = {**ONLY_ADVANCE, PRICE: 12_345_678}

    assert codes({**odd, ADVANCE: 4_938_271}) == []
    assert codes({**odd, ADVANCE: 4_938_272}) == [("advance_over_maximum", ADVANCE)]


def test_the_maximum_is_cut_where_the_obligee_cuts_below_100_000() -> None:
    cut = {**CITY, "/contract/tender_notice_date": "2026-04-01", **ONLY_ADVANCE, PRICE: 12_345_678}

    assert codes({**cut, ADVANCE: 4_900_000}) == []
    assert codes({**cut, ADVANCE: 4_900_001}) == [("advance_over_maximum", ADVANCE)]


def test_of_a_work_of_several_years_this_years_amount_is_the_base() -> None:
    years = {PRICE: 300_000_000, THIS_YEAR: 90_000_000, PERFORMANCE: 30_000_000, "/contract/works_until": "2027-12-25"}

    assert codes({**years, ADVANCE: 36_000_000}) == []
    assert codes({**years, ADVANCE: 36_000_001}) == [("advance_over_maximum", ADVANCE)]
    assert codes({**years, ADVANCE: 36_000_000, PERFORMANCE: 29_999_999}) == [
        ("performance_under_minimum", PERFORMANCE)
    ]


@pytest.mark.parametrize(
    ("submitted_at", "year", "told"),
    [
        ("2026-03-31T23:59:59+09:00", None, False),
        ("2026-04-01T00:00:00+09:00", None, False),
        ("2026-03-31T15:00:00Z", None, False),
        ("2025-03-31T23:59:59+09:00", None, True),
        ("2025-04-01T00:00:00+09:00", None, False),
        ("2025-03-31T15:00:00Z", None, False),
        ("2020-01-01T00:00:00+09:00", 2025, False),
        ("2026-01-15T09:30:00+09:00", 2026, False),
        ("2026-01-15T09:30:00+09:00", 2024, True),
        ("2026-01-15T09:30:00+09:00", 2027, True),
    ],
)
def test_the_fiscal_year_is_one_from_contract_to_end_of_works(submitted_at: str, year: int | None, told: bool) -> None:
    found = codes({THIS_YEAR: 50_000_000, "/submitted_at": submitted_at, "/contract/fiscal_year": year})

    assert found == ([("fiscal_year_outside_works", "/contract/fiscal_year")] if told else [])


def test_without_this_years_amount_nobody_asks_for_the_year() -> None:
    assert codes({"/contract/fiscal_year": 2199}) == []


def test_a_limit_tells_what_it_is_taken_of() -> None:
    (of_price,) = problems({ADVANCE: 20_000_001})
    (of_year,) = problems({THIS_YEAR: 40_000_000, ADVANCE: 20_000_000})
    (performance,) = problems({**ONLY_PERFORMANCE, THIS_YEAR: 40_000_000, "/guarantees/0/amount": 50_000_001})

    assert of_price.message_ja == "前払金保証金額は20,000,000円(請負金額50,000,000円の40%)以内にしてください。"
    assert of_year.message_ja == "前払金保証金額は16,000,000円(今年度対象額40,000,000円の40%)以内にしてください。"
    assert performance.message_ja == "保証金額が請負金額(50,000,000円)を超えています。"


def test_an_interim_advance_payment_stays_below_its_maximum() -> None:
    assert codes(ONLY_INTERIM) == []
    assert codes({**ONLY_INTERIM, ADVANCE: 10_000_001}) == [("interim_over_maximum", ADVANCE)]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("earlier_guarantee_number", None, "earlier_guarantee_number_needed"),
        ("interim_approval", None, "interim_approval_needed"),
        ("interim_approval", False, "interim_approval_needed"),
    ],
)
def test_an_interim_advance_payment_needs_its_advance_and_an_approval(name: str, value: object, code: str) -> None:
    pointer = f"/guarantees/0/{name}"

    assert codes({**ONLY_INTERIM, pointer: value}) == [(code, pointer)]


@pytest.mark.parametrize(("low_bid", "least"), [(False, 5_000_000), (True, 15_000_000)])
def test_a_performance_guarantee_reaches_its_minimum(low_bid: bool, least: int) -> None:
    bid = {"/contract/low_bid": low_bid}

    assert codes({**bid, PERFORMANCE: least}) == []
    assert codes({**bid, PERFORMANCE: least - 1}) == [("performance_under_minimum", PERFORMANCE)]


def test_the_minimum_rounds_up() -> None:
    odd = {**ONLY_PERFORMANCE, PRICE: 49_999_999}

    assert codes({**odd, "/guarantees/0/amount": 5_000_000}) == []
    assert codes({**odd, "/guarantees/0/amount": 4_999_999}) == [("performance_under_minimum", "/guarantees/0/amount")]


def test_rates_change_with_the_contract_date() -> None:
    low = {**TOWN, "/contract/low_bid": True, FORM_0: "paper", ADVANCE: 1}
    last, first = {"/contract/contract_date": "2026-03-31"}, {"/contract/contract_date": "2026-04-01"}

    assert codes({**low, **last, PERFORMANCE: 10_000_000}) == []
    assert codes({**low, **first, PERFORMANCE: 10_000_000}) == [("performance_under_minimum", PERFORMANCE)]
    assert codes({**low, **first, PERFORMANCE: 15_000_000}) == []
