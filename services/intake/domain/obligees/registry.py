"""All obligees, and which of their rows are in force for a contract: last year's contract has last year's rows."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.obligees.rows import Basis, Dated, Electronic, KeyNotice, Obligee, Rates

RowT = TypeVar("RowT", bound=Dated)


class Registry(BaseModel):
    """All obligees known, and the rates that hold wherever an obligee has none of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    general_rates: Annotated[tuple[Rates, ...], Field(min_length=1)]
    obligees: tuple[Obligee, ...] = ()

    def find(self, code: str, name: str) -> Obligee | None:
        """The obligee of this code and name, or None if it is not registered."""
        return self._by_key.get((code, name))

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Obligee]:
        return {(obligee.code, obligee.name): obligee for obligee in self.obligees}

    def rates_for(self, code: str, name: str, day: date) -> Rates:
        """The rates for a contract of `day`: the obligee's own where it has some for that day, else the general."""
        obligee = self.find(code, name)
        own = in_force(obligee.rates, day) if obligee else None
        # The general rates leave no day of the calendar open; reading a file makes sure of that.
        return own or next(rates for rates in self.general_rates if rates.in_force_on(day))

    def key_notice_for(self, code: str, name: str, day: date) -> KeyNotice | None:
        """How the key notice of a contract of `day` is to be handed in, if that was published."""
        obligee = self.find(code, name)
        return in_force(obligee.key_notices, day) if obligee else None


def in_force(rows: Sequence[RowT], day: date) -> RowT | None:
    """The row that holds on `day`."""
    return next((row for row in rows if row.in_force_on(day)), None)


def deciding(rows: Sequence[Electronic], contract_date: date, tender_notice_date: date | None) -> Electronic | None:
    """The start rule to judge a contract by, whether or not it holds for it; None if there is none at all.

    Each row looks at the date of its own basis. The first one that holds decides; else one that might hold if the
    date it asks for were given; else the nearest that begins later, for that tells since when; else the last one, for
    that tells until when.
    """
    days = {Basis.CONTRACT_DATE: contract_date, Basis.TENDER_NOTICE_DATE: tender_notice_date}
    ordered = sorted(rows, key=lambda row: row.valid_from)
    with_days = [(row, days[row.basis]) for row in ordered]
    holding = [row for row, day in with_days if day is not None and row.in_force_on(day)]
    later = [row for row, day in with_days if day is not None and day < row.valid_from]
    unsaid = [row for row, day in with_days if day is None]
    # A tender notice comes before its contract, so a row that begins after the contract cannot hold for it.
    possible = [row for row in unsaid if row.valid_from <= contract_date]
    return next(iter((*holding, *possible, *later, *unsaid, *reversed(ordered))), None)
