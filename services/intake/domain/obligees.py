"""発注者: who takes electronic guarantees, since when and on which basis, and at which rates (domain rules 2, 4–7).

What belongs to one obligee is data with its source and its dates, never a constant. The key is code *and* name,
because one municipality has several obligees (市長, 水道事業管理者 …).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

OBLIGEE_NAME_CHARS_MAX = 100

_CODE: Final = re.compile(r"[0-9]{6}")
_CHECK_WEIGHTS: Final = (6, 5, 4, 3, 2)
_CHECK_MODULUS: Final = 11


def has_check_digit(code: str) -> bool:
    """Whether a 全国地方公共団体コード of six digits ends in its right check digit.

    The first five digits are weighted 6 to 2 and summed; the check digit is the last digit of 11 − (sum mod 11).
    Source: 総務省「全国地方公共団体コード仕様」. 三島市 22206: 42 mod 11 = 9, so 222062.
    """
    if _CODE.fullmatch(code) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code, _CHECK_WEIGHTS, strict=False))
    return int(code[-1]) == (_CHECK_MODULUS - total % _CHECK_MODULUS) % 10


def _with_check_digit(code: str) -> str:
    if not has_check_digit(code):
        raise ValueError(f"the obligee code {code} has a wrong check digit")
    return code


class Basis(StrEnum):
    """Which date decides whether a contract may be secured electronically."""

    CONTRACT_DATE = "contract_date"
    TENDER_NOTICE_DATE = "tender_notice_date"


class _Row(BaseModel):
    """A row of the registry: nothing in it is unknown, so that a typing mistake never becomes a missing rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Electronic(_Row):
    """The start rule of an obligee that takes electronic guarantees."""

    since: date
    until: date | None = None
    """The last day, if the obligee stopped."""
    basis: Basis
    changes_of_older_contracts_excluded: bool
    """Whether changes of contracts from before `since` stay on paper."""
    source: Annotated[str, Field(min_length=1)]

    def starts_with(self, day: date) -> bool:
        """Whether a contract whose deciding date is `day` may be secured electronically."""
        return self.since <= day and (self.until is None or day <= self.until)


class Rates(_Row):
    """Limits in whole percent and their rounding in yen, in force from `valid_from` to `valid_until`, both included."""

    valid_from: date
    valid_until: date | None = None
    advance_works_percent: Annotated[int, Field(ge=0, le=100)]
    advance_design_percent: Annotated[int, Field(ge=0, le=100)]
    interim_percent: Annotated[int, Field(ge=0, le=100)]
    advance_together_percent: Annotated[int, Field(ge=0, le=100)]
    performance_percent: Annotated[int, Field(ge=0, le=100)]
    performance_low_bid_percent: Annotated[int, Field(ge=0, le=100)]
    maximum_unit_yen: Annotated[int, Field(ge=1)]
    """Maxima are cut down to a multiple of this: 1, or 100,000 where the obligee cuts below it."""
    source: Annotated[str, Field(min_length=1)]

    def in_force_on(self, day: date) -> bool:
        """Whether these rates hold for a contract of `day`."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Obligee(_Row):
    """One obligee of the registry."""

    code: Annotated[str, AfterValidator(_with_check_digit)]
    name: Annotated[str, Field(min_length=1, max_length=OBLIGEE_NAME_CHARS_MAX)]
    electronic: Electronic | None = None
    rates: tuple[Rates, ...] = ()


class Registry(_Row):
    """All obligees known, and the rates that hold wherever an obligee has none of its own."""

    general_rates: Annotated[tuple[Rates, ...], Field(min_length=1)]
    obligees: tuple[Obligee, ...]

    @model_validator(mode="after")
    def _stands_once_and_never_overlaps(self) -> Self:
        keys = [(obligee.code, obligee.name) for obligee in self.obligees]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"an obligee stands twice: {sorted(twice)}")
        for rows in (self.general_rates, *(obligee.rates for obligee in self.obligees)):
            _refuse_overlap(rows)
        return self

    def find(self, code: str, name: str) -> Obligee | None:
        """The obligee of this code and name, or None if it is not registered."""
        return self._by_key.get((code, name))

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Obligee]:
        return {(obligee.code, obligee.name): obligee for obligee in self.obligees}

    def rates_for(self, code: str, name: str, day: date) -> Rates:
        """The rates for a contract of `day`: the obligee's own where it has some for that day, else the general."""
        obligee = self.find(code, name)
        own: Sequence[Rates] = obligee.rates if obligee else ()
        in_force = [rates for rates in (*own, *self.general_rates) if rates.in_force_on(day)]
        return in_force[0] if in_force else self.general_rates[0]


def _refuse_overlap(rows: Sequence[Rates]) -> None:
    ordered = sorted(rows, key=lambda rates: rates.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_until is None or earlier.valid_until >= later.valid_from:
            raise ValueError(f"two rows of rates are in force on {later.valid_from}: end the earlier one before")


def registry_from(table: Mapping[str, object]) -> Registry:
    """The registry that a parsed table describes.

    Raises:
        pydantic.ValidationError: naming every field that is missing, unknown or wrong.
    """
    return Registry.model_validate(table)
