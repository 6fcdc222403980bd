"""The rules of an application hold for every change of it too, to the yen and to the day."""

from typing import Any

import pytest

from services.issuer.domain.change import changed_by, digest_of
from services.issuer.domain.guarantee import Guarantee
from shared.messages.intake import Terms
from tests.unit.issuer.changing import TERMS, asked, form, problems
from tests.unit.issuer.samples import concluded, issued


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"amount": 20_000_001}, [("advance_over_maximum", "/amount")]),
        ({"price": 49_999_999}, [("advance_over_maximum", "/price")]),
        ({"price": 49_999_999, "amount": 19_999_999}, []),
        ({"price": 49_999_999, "amount": 20_000_000}, [("advance_over_maximum", "/amount")]),
        ({"price": 0, "amount": 0}, [("not_positive", "/price"), ("not_positive", "/amount")]),
        ({"amount": 50_000_001}, [("amount_over_base", "/amount"), ("advance_over_maximum", "/amount")]),
        ({"fiscal_year_amount": 50_000_000, "amount": 1}, []),
        ({"fiscal_year_amount": 50_000_001, "amount": 1}, [("fiscal_year_amount_over_price", "/fiscal_year_amount")]),
        ({"fiscal_year_amount": 49_999_999}, [("advance_over_maximum", "/fiscal_year_amount")]),
        ({"works_until": "2026-01-21"}, []),
        ({"works_until": "2026-01-20"}, [("works_end_before_start", "/works_until")]),
        ({"works_until": "2026-06-01", "contract_date": "2026-06-01"}, []),
        ({"works_until": "2026-05-31", "contract_date": "2026-06-01"}, [("contract_after_works", "/contract_date")]),
    ],
)
def test_new_values_keep_the_rules_of_an_application_to_the_yen_and_the_day(
    change: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(issued(), form("change", 1, **change)) == found


@pytest.mark.parametrize(
    ("price", "found"),
    [(1_300_000, []), (1_299_999, [("advance_not_paid_below_price", "/price")]), (0, [("not_positive", "/price")])],
)
def test_a_change_does_not_fall_below_the_price_from_which_an_advance_is_paid(
    price: int, found: list[tuple[str, str]]
) -> None:
    terms = TERMS.model_copy(update={"minimum_price_yen": 1_300_000})
    change = form("change", 1, price=price, amount=1)
    mended = form("correction", 1, corrections={"price": 1_299_999, "amount": 1})

    assert [one for one in problems(issued(), change, terms=terms) if one[0] != "amount_over_base"] == found
    assert problems(issued(), mended, terms=terms) == [("advance_not_paid_below_price", "/corrections/price")]
    assert problems(issued(), change if price else mended) == []


def test_a_performance_guarantee_is_given_whatever_the_price() -> None:
    terms = TERMS.model_copy(update={"minimum_price_yen": 1_300_000})
    change = form("correction", 1, corrections={"price": 1_299_999, "amount": 130_000})

    assert problems(concluded(line=1), change, line=1, terms=terms) == []


@pytest.mark.parametrize(
    ("low_bid", "amount", "found"),
    [
        (False, 4_999_999, [("performance_under_minimum", "/corrections/amount")]),
        (False, 5_000_001, []),
        (True, 14_999_999, [("performance_under_minimum", "/corrections/amount")]),
        (True, 15_000_000, []),
    ],
)
def test_a_performance_guarantee_keeps_its_minimum_and_a_higher_one_for_a_low_bid(
    low_bid: bool, amount: int, found: list[tuple[str, str]]
) -> None:
    guarantee = concluded(line=1)
    change = form("correction", 1, corrections={"amount": amount})

    assert problems(guarantee, change, line=1, contract__low_bid=low_bid) == found


def test_a_performance_guarantee_has_no_depository() -> None:
    change = form("correction", 1, corrections={"depository": "○○銀行\u3000××支店"})

    assert problems(concluded(line=1), change, line=1) == [("depository_only_on_advance", "/corrections/depository")]


def test_this_years_amount_is_that_of_the_year_in_which_a_change_tells_it() -> None:
    works: dict[str, Any] = {"contract__works_until": "2028-03-25"}
    change = form("change", 1, fiscal_year_amount=30_000_000, amount=12_000_000, works_until="2028-03-25")
    outcome = changed_by(issued(), asked(change, **works))

    assert isinstance(outcome, Guarantee)
    said = outcome.versions[-1].particulars
    assert said is not None
    assert (said.fiscal_year, said.guarantee_until.isoformat()) == (2026, "2027-03-31")


def test_a_years_amount_that_is_corrected_away_takes_its_year_along() -> None:
    places: dict[str, Any] = {"contract__fiscal_year_amount": 50_000_000, "contract__fiscal_year": 2026}
    outcome = changed_by(issued(), asked(form("correction", 1, corrections={"fiscal_year_amount": None}), **places))

    assert isinstance(outcome, Guarantee)
    said = outcome.versions[-1].particulars
    assert said is not None
    assert (said.fiscal_year_amount, said.fiscal_year) == (None, None)


def since(day: str, *, excluded: bool = True, basis: str = "contract_date") -> Terms:
    """Terms of an obligee that takes electronic certificates since this day."""
    told = {
        "electronic_since": day,
        "electronic_basis": basis,
        "changes_of_older_contracts_excluded": excluded,
        "electronic_source": "架空の例",
    }
    return Terms.model_validate(TERMS.model_dump() | told)


def test_a_corrected_contract_date_is_judged_again() -> None:
    where = "/corrections/contract_date"
    last_day_before = form("correction", 1, corrections={"contract_date": "2025-12-31"})
    first_day = form("correction", 1, corrections={"contract_date": "2026-01-01"})

    assert problems(issued(), last_day_before, terms=since("2026-01-01")) == [("obligee_not_electronic_on_date", where)]
    assert problems(issued(), first_day, terms=since("2026-01-01")) == []
    assert problems(concluded(line=1), last_day_before, terms=since("2026-01-01"), line=1) == []


def test_a_change_of_an_older_contract_is_electronic_only_where_such_changes_count() -> None:
    change = form("change", 1, amount=1, contract_date="2026-06-01")

    assert problems(issued(), change, terms=since("2026-04-01")) == [
        ("obligee_not_electronic_on_date", "/contract_date")
    ]
    assert problems(issued(), change, terms=since("2026-04-01", excluded=False)) == []
    assert problems(issued(), change, terms=since("2025-12-11", basis="tender_notice_date")) == [
        ("obligee_not_electronic_on_date", "/contract_date")
    ]
    assert problems(issued(), change, terms=since("2025-12-10", basis="tender_notice_date")) == []


def test_advance_payments_on_one_contract_are_counted_together() -> None:
    change = form("change", 1, amount=19_000_000)

    assert problems(issued(), change, beside=11_000_000) == []
    assert problems(issued(), change, beside=11_000_001) == [("together_over_maximum", "/amount")]


def test_the_content_of_a_change_is_known_again_whenever_it_was_sent_and_however_its_keys_stand() -> None:
    one = form("change", 1, amount=1)
    later = dict(reversed((one | {"submitted_at": "2026-06-02T10:00:00+09:00"}).items()))

    assert digest_of(one) == digest_of(later)
    assert digest_of(one) != digest_of(one | {"amount": 2})
