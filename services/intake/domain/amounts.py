"""Limits on money, in whole yen and exact integers: no float ever decides about an amount (domain rules 4, 6 and 7)."""

from datetime import date

from services.intake.domain.dates import fiscal_year_at, last_day_of
from services.intake.domain.form import Application, Contract, Kind

_PERCENT = 100


def base_of(contract: Contract, kind: Kind) -> int:
    """The amount a ratio is taken of: the price, or for advances this year's amount if one is given (rule 7) [P]."""
    if kind is Kind.CONTRACT_PERFORMANCE or contract.fiscal_year_amount is None:
        return contract.price
    return contract.fiscal_year_amount


def maximum(base: int, percent: int, unit_yen: int = 1) -> int:
    """At most this many yen: rounded down, then cut to a multiple of `unit_yen` (rule 6) [P][D].

    40 % of 12,345,678 is at most 4,938,271, and 4,900,000 where the obligee cuts below 100,000.
    """
    exact = base * percent // _PERCENT
    return exact - exact % unit_yen


def minimum(price: int, percent: int) -> int:
    """At least this many yen: rounded up (rule 6) [P][D]. 10 % of 49,999,999 is at least 5,000,000."""
    return -(-price * percent // _PERCENT)


def ratio_percent(amount: int, base: int) -> str:
    """The ratio as the form shows it, half-up to one decimal: `40.0%` [F]. Nothing is judged by it."""
    tenths = (2 * amount * 1000 + base) // (2 * base)
    return f"{tenths // 10}.{tenths % 10}%"


def fiscal_year_of_amount(application: Application) -> int:
    """The fiscal year that this year's amount belongs to: as sent, or that of `submitted_at` [D]."""
    given = application.contract.fiscal_year
    return fiscal_year_at(application.submitted_at) if given is None else given


def guarantee_until(application: Application) -> date:
    """保証期限: the end of works, or 31 March if this year's amount is set and works go on after it (rule 7) [P]."""
    contract = application.contract
    if contract.fiscal_year_amount is None:
        return contract.works_until
    return min(contract.works_until, last_day_of(fiscal_year_of_amount(application)))
