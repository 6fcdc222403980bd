"""Planned closing hours of an outside: weekly ones, and those that are announced for once. All pure.

Weekly hours are Japan's, which knows no summer time: `Sun 02:00-05:00, Wed 23:00-01:30, daily 04:00-04:10`. Where the
end is not after the beginning, the hours end on the following day.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import TOKYO

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAILY: Final = "daily"

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_HOURS: Final = re.compile(rf"({'|'.join((*DAYS, DAILY))}) (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


class UnreadableHours(ValueError):
    """Give closing hours as `Sun 02:00-05:00, Wed 23:00-01:30, daily 04:00-04:10`, in Japan's time."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """Hours that come back every week.

    Attributes:
        after_monday: from Monday 00:00, Japan's time, to their beginning.
        lasts: up to one day.
    """

    after_monday: timedelta
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Announced:
    """Hours announced for once; both times aware, `opens_at` no longer part of them."""

    closes_at: datetime
    opens_at: datetime
    announced_by: str = ""
    reason: str = ""


def weekly_hours(text: str) -> tuple[Weekly, ...]:
    """Read weekly closing hours.

    Raises:
        UnreadableHours: naming the part; also when so much is closed that the outside would never be open.
    """
    hours = tuple(one for part in text.split(",") if part.strip() for one in _read(part.strip()))
    if _never_open(hours):
        raise UnreadableHours(f"{text!r} leaves no hour of the week open")
    return hours


def _read(part: str) -> list[Weekly]:
    found = _HOURS.fullmatch(part)
    times = [int(number) for number in found.groups()[1:]] if found is not None else []
    if found is None or not _is_time(*times[:2]) or not _is_time(*times[2:]):
        raise UnreadableHours(f"{part!r} cannot be read; give `Sun 02:00-05:00` or `daily 04:00-04:10`")
    begins, ends = timedelta(hours=times[0], minutes=times[1]), timedelta(hours=times[2], minutes=times[3])
    days = range(len(DAYS)) if found[1] == DAILY else [DAYS.index(found[1])]
    lasts = ends - begins if ends > begins else ends - begins + _DAY
    return [Weekly(day * _DAY + begins, lasts) for day in days]


def _is_time(hour: int, minute: int) -> bool:
    # 24:00 is how the end of a day is written.
    return minute <= 59 and (hour <= 23 or (hour, minute) == (24, 0))


def _never_open(hours: Sequence[Weekly]) -> bool:
    anywhere = datetime(2026, 1, 5, tzinfo=TOKYO)
    until = closed_until(hours, (), anywhere)
    return until is not None and until - anywhere >= _WEEK


def closed_until(weekly: Sequence[Weekly], announced: Sequence[Announced], at: datetime) -> datetime | None:
    """When an outside that is closed at this moment opens again, across hours that meet or overlap; None when open."""
    until = at
    # Weekly hours that left no hour of a week open would never end.
    horizon = max([at, *(one.opens_at for one in announced)]) + _WEEK
    while until < horizon:
        ends = [ends for begins, ends in _around(weekly, announced, until) if begins <= until < ends]
        if not ends:
            break
        until = max(ends)
    return until if until > at else None


def closes_next(weekly: Sequence[Weekly], announced: Sequence[Announced], at: datetime) -> datetime | None:
    """When the next closing hours after this moment begin; None when none are known."""
    return min((begins for begins, _ in _around(weekly, announced, at) if begins > at), default=None)


def reopened_at(
    weekly: Sequence[Weekly], announced: Sequence[Announced], at: datetime, within: timedelta
) -> datetime | None:
    """When closing hours ended, if that is no longer ago than `within` and none have begun since."""
    until = closed_until(weekly, announced, at - within)
    return until if until is not None and until <= at else None


def _around(
    weekly: Sequence[Weekly], announced: Sequence[Announced], at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Every announced beginning and end, and the weekly ones from the week before this moment to the week after."""
    local = at.astimezone(TOKYO)
    monday = local.replace(hour=0, minute=0, second=0, microsecond=0) - local.weekday() * _DAY
    for hours in weekly:
        for week in (-1, 0, 1):
            begins = monday + week * _WEEK + hours.after_monday
            yield begins, begins + hours.lasts
    for one in announced:
        yield one.closes_at, one.opens_at
