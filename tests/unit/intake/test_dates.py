"""Dates in ISO and 和暦, each era to its day, and the fiscal year of Japan (domain rules 7 and 10)."""

from datetime import UTC, date, datetime

import pytest

from services.intake.domain.amounts import guarantee_until, maximum, minimum, ratio_percent
from services.intake.domain.dates import (
    ImpossibleDate,
    NotADate,
    YearOutOfRange,
    fiscal_year_at,
    fiscal_year_of,
    read_date,
    read_moment,
    wareki,
)
from tests.unit.intake.samples import good


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "２０２６－０１－０５",
        "令和8年1月5日",
        "令和８年１月５日",
        "令和08年01月05日",
        "令和 8年 1月 5日",
        "令和\u30008年\u30001月\u30005日",
        "R8.1.5",
        "r8.01.05",
        "Ｒ８．１．５",
        "R8年1月5日",
        "㋿8年1月5日",
        " 2026-01-05 ",
    ],
)
def test_a_day_is_read_in_every_way_the_form_takes(text: str) -> None:
    assert read_date(text) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R元.5.1", date(2019, 5, 1)),
        ("R1.5.1", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("令和10年2月29日", date(2028, 2, 29)),
        ("1900-01-01", date(1900, 1, 1)),
        ("2199-12-31", date(2199, 12, 31)),
    ],
)
def test_the_first_and_last_day_of_an_era_exist(text: str, day: date) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "令和元年4月30日",
        "平成31年5月1日",
        "平成元年1月7日",
        "昭和64年1月8日",
        "昭和元年12月24日",
        "R8.2.29",
        "R8.13.1",
        "2026-02-29",
        "2026-00-01",
        "2026-04-31",
    ],
)
def test_a_day_that_never_was_is_impossible(text: str) -> None:
    with pytest.raises(ImpossibleDate):
        read_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-1-5",
        "20260105",
        "2026-01-05T00:00:00",
        "2026年1月5日",
        "大正15年1月1日",
        "R8-1-5",
        "R8.1",
        "令和⑧年1月5日",
        "令和八年一月五日",
        "2026-01-05\n",
        "٢٠٢٦-٠١-٠٥",
        "R100.1.1",
        "令和8年1月5日頃",
    ],
)
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    with pytest.raises(NotADate):
        read_date(text)


@pytest.mark.parametrize("text", ["1899-12-31", "2200-01-01", "0001-01-01"])
def test_a_year_far_away_is_a_mistake(text: str) -> None:
    with pytest.raises(YearOutOfRange):
        read_date(text)


def test_year_zero_of_an_era_never_was() -> None:
    with pytest.raises(ImpossibleDate):
        read_date("令和0年5月1日")


@pytest.mark.parametrize(
    "text", ["2026-01-15T00:30:00Z", "2026-01-15t09:30:00+09:00", "2026-01-14T14:30:00.000000-10:00"]
)
def test_an_instant_is_read_with_any_offset(text: str) -> None:
    assert read_moment(text) == datetime(2026, 1, 15, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("2026-01-15T09:30:00", NotADate),
        ("2026-01-15 09:30:00+09:00", NotADate),
        ("2026-01-15T09:30+09:00", NotADate),
        ("2026-W03-4T09:30:00Z", NotADate),
        ("2026-01-15T09:30:60Z", NotADate),
        ("2026-01-15T24:00:00Z", NotADate),
        ("2026-02-30T09:30:00Z", ImpossibleDate),
        ("2026-01-15T09:30:00+24:00", ImpossibleDate),
        ("9999-12-31T23:59:59-12:00", YearOutOfRange),
    ],
)
def test_an_instant_has_a_zone_and_exists(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_moment(text)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 1, 1), "令和8年1月1日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1926, 12, 24), "1926-12-24"),
    ],
)
def test_a_day_is_told_as_an_official_writes_it(day: date, text: str) -> None:
    assert wareki(day) == text


def test_the_fiscal_year_begins_in_april_by_the_calendar_of_japan() -> None:
    assert (fiscal_year_of(date(2026, 3, 31)), fiscal_year_of(date(2026, 4, 1))) == (2025, 2026)
    assert fiscal_year_at(datetime(2026, 3, 31, 14, 59, 59, tzinfo=UTC)) == 2025
    assert fiscal_year_at(datetime(2026, 3, 31, 15, 0, tzinfo=UTC)) == 2026


def test_dates_are_kept_as_iso() -> None:
    form = good({"/contract/contract_date": "令和8年1月20日", "/contract/tender_notice_date": "R7.12.10"}).application

    shown = form.contract.model_dump(mode="json")
    assert (shown["contract_date"], shown["tender_notice_date"]) == ("2026-01-20", "2025-12-10")


@pytest.mark.parametrize(
    ("until", "amount", "year", "expected"),
    [
        ("2027-12-25", None, None, date(2027, 12, 25)),
        ("2027-12-25", 50_000_000, None, date(2026, 3, 31)),
        ("2027-12-25", 50_000_000, 2026, date(2027, 3, 31)),
        ("2026-03-30", 50_000_000, None, date(2026, 3, 30)),
    ],
)
def test_a_guarantee_lasts_until_the_works_or_this_year_end(
    until: str, amount: int | None, year: int | None, expected: date
) -> None:
    changes = {"/contract/works_until": until, "/contract/fiscal_year_amount": amount, "/contract/fiscal_year": year}

    assert guarantee_until(good(changes).application) == expected


def test_the_fiscal_year_left_out_is_filled_in_where_it_is_used() -> None:
    assert good({"/contract/fiscal_year_amount": 50_000_000}).application.contract.fiscal_year == 2025
    assert good({}).application.contract.fiscal_year is None


def test_amounts_are_exact_however_large() -> None:
    assert maximum(12_345_678, 40) == 4_938_271
    assert maximum(12_345_678, 40, 100_000) == 4_900_000
    assert minimum(49_999_999, 10) == 5_000_000
    assert maximum(9_007_199_254_740_991, 40) == 3_602_879_701_896_396
    assert minimum(9_007_199_254_740_991, 10) == 900_719_925_474_100


@pytest.mark.parametrize(
    ("amount", "base", "shown"),
    [
        (20_000_000, 50_000_000, "40.0%"),
        (20_020_000, 50_000_000, "40.0%"),
        (20_024_999, 50_000_000, "40.0%"),
        (20_025_000, 50_000_000, "40.1%"),
        (1, 50_000_000, "0.0%"),
        (5_000_000, 50_000_000, "10.0%"),
    ],
)
def test_a_ratio_is_shown_half_up_to_one_decimal(amount: int, base: int, shown: str) -> None:
    assert ratio_percent(amount, base) == shown
