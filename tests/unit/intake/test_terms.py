"""The obligee's terms: last year's contract has last year's, and what was used travels with the acceptance."""

from datetime import date
from typing import Any

import pytest

from tests.unit.intake.samples import EXAMPLE, codes, good

FORM_0 = "/guarantees/0/certificate_form"
ONLY_ADVANCE: dict[str, Any] = {"/guarantees": [EXAMPLE["guarantees"][0]]}


def _of(code: str, name: str, **dates: str) -> dict[str, Any]:
    contract = {f"/contract/{field}": value for field, value in dates.items()}
    return {"/contract/obligee_code": code, "/contract/obligee_name": name, **contract}


CITY = _of("990019", "○○市長", tender_notice_date="2026-04-01", contract_date="2026-04-20")
PREFECTURE = _of("990001", "○○県知事")


def test_mishimas_terms_are_its_published_condition_and_the_general_rates() -> None:
    terms = good({}).terms

    assert (terms.obligee_code, terms.obligee_name) == ("222062", "三島市長")
    assert (terms.electronic_since, terms.electronic_until) == (date(2026, 1, 1), None)
    assert (terms.electronic_basis, terms.changes_of_older_contracts_excluded) == ("contract_date", True)
    assert "三島市" in (terms.electronic_source or "")
    assert (terms.advance_works_percent, terms.advance_design_percent, terms.performance_percent) == (40, 30, 10)
    assert (terms.rates_valid_from, terms.minimum_price_yen) == (date(1900, 1, 1), None)
    assert "個々の発注者の率ではない" in terms.rates_source
    assert terms.key_notice.model_dump(exclude_none=True) == {}


def test_the_terms_of_an_obligee_with_everything_of_its_own() -> None:
    terms = good(CITY).terms

    assert (terms.electronic_basis, terms.electronic_since) == ("tender_notice_date", date(2026, 4, 1))
    assert (terms.maximum_unit_yen, terms.minimum_price_yen) == (100_000, 1_300_000)
    assert terms.key_notice.submit_to == "契約検査課 keiyaku@shi.example"
    assert terms.key_notice.mail_subject == "【認証キー】電子保証の認証キーのお知らせ"
    assert terms.key_notice.advice_ja
    assert terms.key_notice.source


@pytest.mark.parametrize(
    ("day", "until", "works_percent", "together"),
    [("2026-03-31", date(2026, 3, 31), 40, 60), ("2026-04-01", None, 30, 50)],
)
def test_a_contract_keeps_the_rates_of_its_day(day: str, until: date | None, works_percent: int, together: int) -> None:
    terms = good({**_of("990027", "△△町長", contract_date=day), "/guarantees/0/amount": 10_000_000}).terms

    assert (terms.advance_works_percent, terms.advance_together_percent) == (works_percent, together)
    assert terms.rates_valid_until == until


def test_who_takes_paper_only_has_no_electronic_terms() -> None:
    terms = good({**_of("990019", "○○市水道事業管理者"), FORM_0: "paper"}).terms

    assert (terms.electronic_since, terms.electronic_basis, terms.electronic_source) == (None, None, None)


def test_a_kind_of_works_that_stays_on_paper_has_no_electronic_terms() -> None:
    design = {**PREFECTURE, "/contract/works_kind": "design", "/guarantees": [EXAMPLE["guarantees"][1]]}

    assert good({**PREFECTURE}).terms.electronic_since == date(2025, 4, 1)
    assert good(design).terms.electronic_since is None


def test_a_kind_of_works_that_stays_on_paper_is_refused_electronically() -> None:
    design = {**PREFECTURE, "/contract/works_kind": "design"}
    performance = {**EXAMPLE["guarantees"][1], "certificate_form": "electronic"}

    assert codes({**design, "/guarantees": [performance]}) == [("obligee_not_electronic_for_kind", FORM_0)]
    assert codes({**PREFECTURE, "/guarantees": [performance]}) == []


def test_where_no_advance_is_paid_none_is_secured() -> None:
    for works_kind in ("design", "survey"):
        design = {**PREFECTURE, "/contract/works_kind": works_kind, FORM_0: "paper", "/guarantees/0/amount": 1}

        assert codes(design) == [("advance_not_paid", "/guarantees/0/kind")]
    assert codes(PREFECTURE) == []


@pytest.mark.parametrize(("price", "told"), [(1_299_999, True), (1_300_000, False)])
def test_an_advance_is_paid_from_a_price_on(price: int, told: bool) -> None:
    found = codes({**CITY, **ONLY_ADVANCE, "/contract/price": price, "/guarantees/0/amount": 100_000})

    assert found == ([("advance_not_paid_below_price", "/guarantees/0/kind")] if told else [])


def test_a_performance_guarantee_asks_for_no_price() -> None:
    performance = {**EXAMPLE["guarantees"][1], "amount": 130_000}

    assert codes({**CITY, "/guarantees": [performance], "/contract/price": 1_299_999}) == []


@pytest.mark.parametrize(
    ("day", "notice", "code"),
    [
        ("2024-03-31", None, "obligee_not_electronic_on_date"),
        ("2024-04-01", None, None),
        ("2026-03-31", None, None),
        ("2026-04-01", "2026-03-01", "obligee_not_electronic_on_date"),
        ("2026-04-01", None, "tender_notice_date_needed"),
        ("2027-04-20", "2027-03-31", "obligee_not_electronic_on_date"),
        ("2027-04-20", "2027-04-01", None),
    ],
)
def test_an_obligee_that_stopped_and_begins_again(day: str, notice: str | None, code: str | None) -> None:
    village = {**_of("990035", "○○村長", contract_date=day), "/contract/tender_notice_date": notice}
    found = codes({**village, "/contract/works_until": "2028-03-31"})

    assert found == ([(code, FORM_0)] if code else [])
