"""The registry of obligees: check digits, no overlap, and a file that is wrong is refused with every field to mend."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.domain.obligees import has_check_digit, registry_from
from services.intake.settings import read_obligees
from shared.errors import Misconfigured
from tests.unit.intake.samples import REGISTRY

RATES: dict[str, Any] = {
    "valid_from": date(2020, 4, 1),
    "advance_works_percent": 40,
    "advance_design_percent": 30,
    "interim_percent": 20,
    "advance_together_percent": 60,
    "performance_percent": 10,
    "performance_low_bid_percent": 30,
    "maximum_unit_yen": 1,
    "source": "例",
}
ROW: dict[str, Any] = {"code": "990019", "name": "○○市長"}


@pytest.mark.parametrize("code", ["222062", "990019", "990027", "990035"])
def test_a_right_check_digit_is_taken(code: str) -> None:
    assert has_check_digit(code)


@pytest.mark.parametrize("code", ["222063", "222061", "22206", "2220620", "", "abcdef", "２２２０６２", "99001-"])
def test_a_wrong_check_digit_or_shape_is_not(code: str) -> None:
    assert not has_check_digit(code)


def test_of_ten_check_digits_exactly_one_is_right() -> None:
    for first_five in range(0, 100_000, 997):
        assert sum(has_check_digit(f"{first_five:05}{digit}") for digit in range(10)) == 1


def test_the_first_row_is_the_one_that_was_published() -> None:
    first = REGISTRY.obligees[0]

    assert (first.code, first.name, first.rates) == ("222062", "三島市長", ())
    assert first.electronic is not None
    assert (first.electronic.since, first.electronic.until) == (date(2026, 1, 1), None)


def test_nobody_else_in_the_file_is_real() -> None:
    for obligee in REGISTRY.obligees[1:]:
        assert obligee.code.startswith("99")
        assert obligee.name.startswith(("○○", "△△"))


def test_rates_of_its_own_come_first_and_the_general_ones_fill_the_gaps() -> None:
    def source(name: str, code: str, day: date) -> str:
        return REGISTRY.rates_for(code, name, day).source

    general = REGISTRY.general_rates[0].source
    assert source("三島市長", "222062", date(2026, 1, 20)) == general
    assert source("どこにもない町長", "000000", date(2026, 1, 20)) == general
    assert source("△△町長", "990027", date(2024, 3, 31)) == general
    assert "令和7年度まで" in source("△△町長", "990027", date(2026, 3, 31))
    assert "令和8年度から" in source("△△町長", "990027", date(2026, 4, 1))


def test_an_obligee_that_stopped_takes_electronic_up_to_its_last_day() -> None:
    electronic = {
        "since": date(2026, 1, 1),
        "until": date(2026, 12, 31),
        "basis": "contract_date",
        "changes_of_older_contracts_excluded": True,
        "source": "例",
    }
    registry = registry_from({"general_rates": [RATES], "obligees": [{**ROW, "electronic": electronic}]})
    start = registry.obligees[0].electronic
    assert start is not None

    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [start.starts_with(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    "table",
    [
        {"general_rates": [], "obligees": []},
        {"general_rates": [RATES], "obligees": [{**ROW, "code": "990018"}]},
        {"general_rates": [RATES], "obligees": [{**ROW, "nam": "○○市長"}]},
        {"general_rates": [RATES], "obligees": [ROW, ROW]},
        {"general_rates": [RATES, RATES], "obligees": []},
        {"general_rates": [{**RATES, "advance_works_percent": 101}], "obligees": []},
        {
            "general_rates": [{**RATES, "valid_until": date(2021, 4, 1)}, {**RATES, "valid_from": date(2021, 4, 1)}],
            "obligees": [],
        },
    ],
)
def test_a_registry_that_is_wrong_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry_from(table)


def test_rows_that_follow_each_other_are_fine() -> None:
    rows = [{**RATES, "valid_until": date(2021, 3, 31)}, {**RATES, "valid_from": date(2021, 4, 1)}]

    assert len(registry_from({"general_rates": rows, "obligees": []}).general_rates) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "cannot be read"), ("[[", "is not TOML"), ('[[obligees]]\ncode = "1"\n', "obligees.0.code")],
)
def test_a_file_that_is_wrong_says_what_to_mend(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "obligees.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(Misconfigured, match=told):
        read_obligees(path)
