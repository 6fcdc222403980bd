"""Planned closing hours: over midnight, over the year's end, overlapping; Japan's time."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import TOKYO
from shared.errands.closing import Announced, UnreadableHours, closed_until, closes_next, reopened_at, weekly_hours

HOUR: Final = timedelta(hours=1)


def tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def announced(closes: str, opens: str) -> Announced:
    return Announced(tokyo(closes), tokyo(opens))


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-01-04 01:59:59", None),
        ("2026-01-04 02:00", "2026-01-04 05:00"),
        ("2026-01-04 04:59:59", "2026-01-04 05:00"),
        ("2026-01-04 05:00", None),
        ("2026-01-07 23:30", "2026-01-08 01:30"),
        ("2026-01-08 01:29", "2026-01-08 01:30"),
        ("2026-01-08 23:30", None),
    ],
)
def test_weekly_hours_hold_on_their_day_and_over_midnight(at: str, until: str | None) -> None:
    weekly = weekly_hours("Sun 02:00-05:00, Wed 23:00-01:30")

    assert closed_until(weekly, (), tokyo(at)) == (None if until is None else tokyo(until))


def test_hours_are_japans_wherever_the_clock_stands() -> None:
    weekly = weekly_hours("Sun 02:00-05:00")

    assert closed_until(weekly, (), datetime(2026, 1, 3, 17, 30, tzinfo=UTC)) == tokyo("2026-01-04 05:00")
    assert closed_until(weekly, (), datetime(2026, 1, 4, 3, 0, tzinfo=UTC)) is None


def test_hours_at_the_ends_of_week_and_year_are_whole() -> None:
    over_the_week = weekly_hours("Sun 22:00-03:00")
    daily = weekly_hours("daily 23:30-00:30")
    to_midnight = weekly_hours("Thu 23:00-24:00")

    assert closed_until(over_the_week, (), tokyo("2026-01-05 02:59")) == tokyo("2026-01-05 03:00")
    assert closed_until(daily, (), tokyo("2025-12-31 23:45")) == tokyo("2026-01-01 00:30")
    assert closed_until(daily, (), tokyo("2026-01-01 00:15")) == tokyo("2026-01-01 00:30")
    assert closed_until(to_midnight, (), tokyo("2025-12-31 23:59")) is None
    assert closed_until(to_midnight, (), tokyo("2026-01-01 23:59")) == tokyo("2026-01-02 00:00")


def test_hours_that_meet_or_overlap_are_one_closing() -> None:
    weekly = weekly_hours("Wed 20:00-23:00, Thu 00:00-02:00")
    once = (announced("2025-12-31 22:30", "2026-01-01 00:00"), announced("2026-01-01 01:00", "2026-01-03 09:00"))

    assert closed_until(weekly, once, tokyo("2025-12-31 20:00")) == tokyo("2026-01-03 09:00")
    assert closed_until(weekly, once[:1], tokyo("2025-12-31 20:00")) == tokyo("2026-01-01 02:00")
    assert closed_until((), once, tokyo("2026-01-01 00:30")) is None


def test_the_next_closing_is_known_beforehand() -> None:
    weekly = weekly_hours("Sun 02:00-05:00")
    once = (announced("2026-01-02 10:00", "2026-01-02 11:00"),)

    assert closes_next(weekly, once, tokyo("2026-01-01 09:00")) == tokyo("2026-01-02 10:00")
    assert closes_next(weekly, once, tokyo("2026-01-02 10:30")) == tokyo("2026-01-04 02:00")
    assert closes_next(weekly, (), tokyo("2026-01-04 02:00")) == tokyo("2026-01-11 02:00")
    assert closes_next((), (), tokyo("2026-01-04 02:00")) is None


def test_the_moment_of_reopening_is_remembered_for_a_while() -> None:
    once = (announced("2026-01-02 10:00", "2026-01-02 11:00"),)

    assert reopened_at((), once, tokyo("2026-01-02 11:00:03"), 5 * timedelta(seconds=1)) == tokyo("2026-01-02 11:00")
    assert reopened_at((), once, tokyo("2026-01-02 11:00:06"), 5 * timedelta(seconds=1)) is None
    assert reopened_at((), once, tokyo("2026-01-02 10:59"), 5 * timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Sun 2:00-05:00",
        "So 02:00-05:00",
        "Sun 02:00",
        "Sun 24:30-25:00",
        "Sun 02:60-03:00",
        "always",
        "Sun 02:00-05:00;",
    ],
)
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(UnreadableHours, match="cannot be read"):
        weekly_hours(text)


def test_hours_that_leave_nothing_open_are_refused() -> None:
    with pytest.raises(UnreadableHours, match="no hour"):
        weekly_hours("daily 00:00-12:00, daily 12:00-24:00")
    assert weekly_hours("") == ()


MOMENTS: Final = st.integers(0, 400 * 24).map(lambda hours: tokyo("2025-06-01 00:00") + hours * HOUR)
WINDOWS: Final = st.lists(st.tuples(MOMENTS, st.integers(1, 72)).map(lambda w: Announced(w[0], w[0] + w[1] * HOUR)))


@given(
    windows=WINDOWS, at=MOMENTS, weekly=st.sampled_from(["", "Sun 02:00-05:00", "daily 23:00-02:00, Wed 01:00-13:00"])
)
def test_closed_until_is_the_first_moment_that_no_hours_cover(
    windows: list[Announced], at: datetime, weekly: str
) -> None:
    hours = weekly_hours(weekly)
    until = closed_until(hours, windows, at)
    covered = any(one.closes_at <= at < one.opens_at for one in windows)

    assert until is not None or not covered
    if until is not None:
        assert until > at
        assert closed_until(hours, windows, until) is None
        passed = [at + number * HOUR for number in range(int((until - at) / HOUR))]
        assert all(closed_until(hours, windows, moment) == until for moment in passed)
    following = closes_next(hours, windows, at)
    assert following is None or (following > at and closed_until(hours, windows, following) is not None)
