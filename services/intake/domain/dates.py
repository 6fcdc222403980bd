"""Dates and times as people and programs write them, always kept as ISO (domain rule 10), and the fiscal year."""

import re
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_TOKYO: Final = ZoneInfo("Asia/Tokyo")

YEAR_MIN = 1900
YEAR_MAX = 2199
"""Years outside are typing mistakes, and far ones have no time of day in every zone."""

FISCAL_YEAR_FIRST_MONTH = 4


class NotADate(ValueError):
    """Neither ISO nor 和暦: write 2026-01-05, 令和8年1月5日 or R8.1.5."""


class ImpossibleDate(ValueError):
    """Of the right shape, but no such day exists (February 30, or a day before the era began)."""


class YearOutOfRange(ValueError):
    """The year is before `YEAR_MIN` or after `YEAR_MAX`."""


class Era(NamedTuple):
    """A Japanese era from its first to its last day."""

    name: str
    letter: str
    first: date
    last: date


# Source: 元号法 (昭和54年法律第43号) and its cabinet orders; 平成 began the day after, 令和 on the day of the change.
ERAS: Final = (
    Era("令和", "R", date(2019, 5, 1), date.max),
    Era("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    Era("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
)

_FULL_WIDTH: Final = str.maketrans(
    "０１２３４５６７８９．－−ＲＨＳｒｈｓ㋿㍻㍼　",
    "0123456789.--RHSRHSRHS ",
)
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_WAREKI: Final = re.compile(
    r"(?:(令和|平成|昭和|[RHS]) ?([0-9]{1,2}|元)年 ?([0-9]{1,2})月 ?([0-9]{1,2})日"
    r"|([RHS])([0-9]{1,2}|元)\.([0-9]{1,2})\.([0-9]{1,2}))"
)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def read_date(text: str) -> date:
    """The day that `text` names, in ISO or 和暦, with half- or full-width digits, 元年 for the first year.

    Raises:
        NotADate, ImpossibleDate, YearOutOfRange: told to the portal as they are.
    """
    plain = text.translate(_FULL_WIDTH).strip(" ").replace("r", "R").replace("h", "H").replace("s", "S")
    iso = _ISO.fullmatch(plain)
    if iso:
        return _day(*map(int, iso.groups()))
    wareki = _WAREKI.fullmatch(plain)
    if wareki is None:
        raise NotADate
    name, year, month, day = (part for part in wareki.groups() if part is not None)
    era = next(era for era in ERAS if name in (era.name, era.letter))
    found = _day(era.first.year - 1 + (1 if year == "元" else int(year)), int(month), int(day))
    if not era.first <= found <= era.last:
        raise ImpossibleDate
    return found


def read_moment(text: str) -> datetime:
    """The aware instant that an RFC 3339 text names.

    Raises:
        NotADate, ImpossibleDate, YearOutOfRange: told to the portal as they are.
    """
    if _MOMENT.fullmatch(text) is None:
        raise NotADate
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ImpossibleDate from None
    _day(moment.year, moment.month, moment.day)
    return moment


def _day(year: int, month: int, day: int) -> date:
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise YearOutOfRange
    try:
        return date(year, month, day)
    except ValueError:
        raise ImpossibleDate from None


def wareki(day: date) -> str:
    """The day as an official writes it: 令和8年1月1日. Days before 昭和 stay ISO."""
    for era in ERAS:
        if era.first <= day <= era.last:
            year = day.year - era.first.year + 1
            return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return day.isoformat()


def fiscal_year_of(day: date) -> int:
    """The fiscal year of a day, April to March (地方自治法 第208条), by the year in which it begins."""
    return day.year if day.month >= FISCAL_YEAR_FIRST_MONTH else day.year - 1


def day_in_japan(moment: datetime) -> date:
    """The day of an instant by the calendar of Japan."""
    return moment.astimezone(_TOKYO).date()


def fiscal_year_at(moment: datetime) -> int:
    """The fiscal year of an instant, by the calendar of Japan."""
    return fiscal_year_of(day_in_japan(moment))


def last_day_of(fiscal_year: int) -> date:
    """31 March, with which the fiscal year ends."""
    return date(fiscal_year + 1, FISCAL_YEAR_FIRST_MONTH - 1, 31)
