"""Every rule broken alone and together with every other one, at its boundary: the right codes at the right places, all
at once, and one yen or one day before the boundary nothing."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import pytest

from services.intake.domain.rules import LINE_RULES, RULES
from tests.unit.intake.samples import EXAMPLE, INTERIM, changed, codes

Told = tuple[str, str]

ADVANCE, PERFORMANCE = EXAMPLE["guarantees"]
BASE: Final[dict[str, Any]] = changed(
    {
        "/guarantees": [ADVANCE, PERFORMANCE, INTERIM],
        "/contract/fiscal_year_amount": 50_000_000,
        "/contract/fiscal_year": 2025,
    }
)
"""An application that has something for every rule to look at, and follows them all."""


@dataclass(frozen=True)
class Break:
    """One rule broken by as little as possible.

    Attributes:
        rule: the name of the rule's function.
        broken: what is sent just beyond the boundary; `kept` is what is sent just before it.
        tells: what must be told.
    """

    rule: str
    broken: dict[str, Any]
    kept: dict[str, Any]
    tells: tuple[Told, ...]

    def __str__(self) -> str:
        return f"{self.rule}-{'+'.join(self.broken)}"


def _one(rule: str, pointer: str, broken: Any, kept: Any, code: str, told_at: str | None = None) -> Break:
    return Break(rule, {pointer: broken}, {pointer: kept}, ((code, told_at or pointer),))


CONTRACT: Final = "/contract"
AMOUNT_0, AMOUNT_1, AMOUNT_2 = (f"/guarantees/{index}/amount" for index in range(3))
MAIL: Final = "/completion_mail/address"

BREAKS: Final = (
    _one("portal_is_the_doors", "/portal", "portal-b", "portal-a", "portal_mismatch"),
    _one(
        "obligee_code_has_its_check_digit", f"{CONTRACT}/obligee_code", "222063", "222062", "obligee_code_check_digit"
    ),
    _one("price_is_positive", f"{CONTRACT}/price", 0, 50_000_000, "not_positive"),
    _one("fiscal_year_amount_is_positive", f"{CONTRACT}/fiscal_year_amount", 0, 50_000_000, "not_positive"),
    _one(
        "fiscal_year_amount_is_part_of_the_price",
        f"{CONTRACT}/fiscal_year_amount",
        50_000_001,
        50_000_000,
        "fiscal_year_amount_over_price",
    ),
    _one("fiscal_year_is_one_of_the_works", f"{CONTRACT}/fiscal_year", 2024, 2025, "fiscal_year_outside_works"),
    _one("fiscal_year_is_one_of_the_works", f"{CONTRACT}/fiscal_year", 2027, 2026, "fiscal_year_outside_works"),
    _one(
        "works_end_after_they_start",
        f"{CONTRACT}/works_from",
        "2026-12-26",
        "2026-12-25",
        "works_end_before_start",
        f"{CONTRACT}/works_until",
    ),
    _one(
        "contract_comes_before_the_end_of_works",
        f"{CONTRACT}/contract_date",
        "2026-12-26",
        "2026-01-21",
        "contract_after_works",
    ),
    _one("wished_mail_has_an_address", MAIL, None, "a@b.example", "mail_address_needed"),
    _one("wished_mail_has_an_address", MAIL, "a@b", "a@b.example", "mail_address_malformed"),
    _one(
        "kind_stands_once",
        "/guarantees/2/kind",
        "advance_payment",
        "interim_advance_payment",
        "kind_repeated",
    ),
    _one(
        "performance_rides_on_an_advance",
        f"{CONTRACT}/advance_payment_planned",
        False,
        True,
        "performance_without_advance",
        "/guarantees/1/kind",
    ),
    _one("amount_is_positive", AMOUNT_0, 0, 1, "not_positive"),
    Break(
        "amount_is_part_of_its_base",
        {AMOUNT_1: 50_000_001},
        {AMOUNT_1: 50_000_000},
        (("amount_over_base", AMOUNT_1),),
    ),
    _one("advance_stays_below_its_maximum", AMOUNT_0, 20_000_001, 20_000_000, "advance_over_maximum"),
    _one("interim_stays_below_its_maximum", AMOUNT_2, 10_000_001, 10_000_000, "interim_over_maximum"),
    _one(
        "interim_names_its_advance",
        "/guarantees/2/earlier_guarantee_number",
        None,
        "00000-000001",
        "earlier_guarantee_number_needed",
    ),
    _one("interim_was_approved", "/guarantees/2/interim_approval", False, True, "interim_approval_needed"),
    _one("performance_reaches_its_minimum", AMOUNT_1, 4_999_999, 5_000_000, "performance_under_minimum"),
    _one("advance_names_its_depository", "/guarantees/0/depository", None, "○", "depository_needed"),
    _one("depository_is_full_width", "/guarantees/2/depository", "①", "1", "depository_not_full_width"),
    _one("depository_belongs_to_advances", "/guarantees/1/depository", "○", None, "depository_only_on_advance"),
    _one("depository_belongs_to_advances", "/guarantees/1/redeposit", True, False, "depository_only_on_advance"),
)

HIDES: Final[dict[tuple[str, str], frozenset[str]]] = {
    # No ratio is judged of a base of nothing, and a code that names nobody has neither start rule nor rates.
    ("not_positive", f"{CONTRACT}/fiscal_year_amount"): frozenset({"advance_over_maximum", "interim_over_maximum"}),
    ("not_positive", f"{CONTRACT}/price"): frozenset({"amount_over_base", "performance_under_minimum"}),
}
"""What is not told beside a problem, because it could not be judged."""

FOLLOWS: Final[dict[Told, frozenset[Told]]] = {
    ("obligee_code_check_digit", f"{CONTRACT}/obligee_code"): frozenset(
        {
            ("obligee_not_electronic", "/guarantees/0/certificate_form"),
            ("obligee_not_electronic", "/guarantees/2/certificate_form"),
        }
    ),
    ("not_positive", f"{CONTRACT}/price"): frozenset(
        {("fiscal_year_amount_over_price", f"{CONTRACT}/fiscal_year_amount")}
    ),
}
"""What is told besides, because it is wrong as well."""


def _expected(*breaks: Break) -> set[Told]:
    told = {one for each in breaks for one in each.tells}
    for one in list(told):
        told |= FOLLOWS.get(one, frozenset())
    hidden = {code for one in told for code in HIDES.get(one, frozenset())}
    sent = _sent(*breaks)
    if sent["guarantees"][2]["kind"] == "advance_payment":
        # The third line is an interim one no longer, so what only an interim one has is not asked for.
        hidden |= {"interim_over_maximum", "earlier_guarantee_number_needed", "interim_approval_needed"}
    if ("not_positive", f"{CONTRACT}/fiscal_year_amount") in told:
        told -= FOLLOWS["not_positive", f"{CONTRACT}/price"]
    if sent["contract"]["contract_date"] > "2026-03-31" < sent["contract"]["works_from"]:
        # Nothing of contract and works is left in the year that this year's amount is of.
        told.add(("fiscal_year_outside_works", f"{CONTRACT}/fiscal_year"))
    return {one for one in told if one[0] not in hidden}


def _sent(*breaks: Break) -> dict[str, Any]:
    document = BASE
    for each in breaks:
        document = changed(each.broken, document)
    return document


def _told(document: dict[str, Any]) -> list[Told]:
    return codes({f"/{name}": value for name, value in document.items()})


def _compatible(one: Break, other: Break) -> bool:
    return not set(one.broken) & set(other.broken)


def test_the_application_to_be_broken_is_whole() -> None:
    assert _told(BASE) == []


def test_every_rule_is_broken() -> None:
    elsewhere = {
        "something_is_applied_for",  # There is no second rule to break where there is no line.
        "obligee_takes_electronic",  # Told by the obligee and its dates; each of them in test_terms.py.
        "obligee_pays_advances_on_this_kind",
        "obligee_pays_advances_from_a_price_on",
    }

    assert {rule.__name__ for rule in (*RULES, *LINE_RULES)} == {each.rule for each in BREAKS} | elsewhere


@pytest.mark.parametrize("each", BREAKS, ids=str)
def test_a_rule_broken_alone_is_told_alone_and_kept_it_is_silent(each: Break) -> None:
    assert set(_told(_sent(each))) == _expected(each)
    assert _told(changed(each.kept, BASE)) == []


@pytest.mark.parametrize("first", BREAKS, ids=str)
def test_two_rules_broken_together_are_both_told(first: Break) -> None:
    others = [other for other in BREAKS if _compatible(first, other)]

    assert len(others) > len(BREAKS) - 4
    for other in others:
        found = _told(_sent(first, other))

        assert set(found) == _expected(first, other), other
        assert len(found) == len(set(found)), other


def test_three_rules_broken_together_are_all_told() -> None:
    for three in combinations(BREAKS[::2], 3):
        if all(_compatible(one, other) for one, other in combinations(three, 2)):
            assert set(_told(_sent(*three))) == _expected(*three), [str(each) for each in three]
