"""The rows of the registry: each with its source and the days from which and until which it holds, both included."""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

OBLIGEE_NAME_CHARS_MAX = 100
TEXT_CHARS_MAX = 500

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
        raise ValueError(f"the obligee code {code} is not six digits with the right check digit")
    return code


Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f]*\S")]
Percent = Annotated[int, Field(ge=0, le=100)]


class Basis(StrEnum):
    """Which date decides whether a contract may be secured electronically."""

    CONTRACT_DATE = "contract_date"
    TENDER_NOTICE_DATE = "tender_notice_date"


class WorksKind(StrEnum):
    """Works (工事), or what the lower advance-payment limit holds for: design (設計) and survey (測量・調査)."""

    CONSTRUCTION = "construction"
    DESIGN = "design"
    SURVEY = "survey"


class _Row(BaseModel):
    """A row of the registry: nothing in it is unknown, so that a typing mistake never becomes a missing rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(_Row):
    """A row that holds from `valid_from` to `valid_until`, both included; without the latter it still holds."""

    valid_from: date
    valid_until: date | None = None
    source: Text
    """Where it was published."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError(f"valid_until {self.valid_until} is before valid_from {self.valid_from}")
        return self

    def in_force_on(self, day: date) -> bool:
        """Whether the row holds on `day`."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Electronic(Dated):
    """A start rule: contracts whose deciding date lies in this row may be secured electronically."""

    basis: Basis
    works_kinds: Annotated[tuple[WorksKind, ...], Field(min_length=1)] = tuple(WorksKind)
    """The kinds of works it holds for; the others stay on paper."""
    changes_of_older_contracts_excluded: bool
    """Whether changes of contracts from before `valid_from` stay on paper."""


class Rates(Dated):
    """Limits in whole percent and their rounding in yen, for contracts whose contract date lies in this row."""

    advance_works_percent: Percent
    advance_design_percent: Percent
    """For design and survey; 0 where the obligee pays no advance on them."""
    interim_percent: Percent
    advance_together_percent: Percent
    performance_percent: Percent
    performance_low_bid_percent: Percent
    maximum_unit_yen: Annotated[int, Field(ge=1)]
    """Maxima are cut down to a multiple of this: 1, or 100,000 where the obligee cuts below it."""
    minimum_price_yen: Annotated[int, Field(ge=1)] | None = None
    """Contracts below this price get no advance payment; None where the obligee sets no such price."""

    @model_validator(mode="after")
    def _together_is_at_least_each(self) -> Self:
        if self.advance_together_percent < max(self.advance_works_percent, self.advance_design_percent):
            raise ValueError("advance_together_percent is less than an advance payment alone may be")
        if self.performance_low_bid_percent < self.performance_percent:
            raise ValueError("performance_low_bid_percent is less than performance_percent")
        return self

    def advance_percent(self, works_kind: WorksKind) -> int:
        """The limit of an advance payment for works, or for design and survey."""
        return self.advance_works_percent if works_kind is WorksKind.CONSTRUCTION else self.advance_design_percent


class KeyNotice(Dated):
    """How the obligee wants to be handed the 認証キー, for contracts whose contract date lies in this row."""

    submit_to: Text
    """Where to: a department or a mail address."""
    mail_subject: Text | None = None
    """The subject of the mail, ready to copy."""
    advice_ja: Text | None = None


class Obligee(_Row):
    """One obligee of the registry. One municipality has several (市長, 水道事業管理者 …): the key is code and name."""

    code: Annotated[str, AfterValidator(_with_check_digit)]
    name: Annotated[Text, Field(max_length=OBLIGEE_NAME_CHARS_MAX)]
    electronic: tuple[Electronic, ...] = ()
    """None: on paper only."""
    rates: tuple[Rates, ...] = ()
    """None: the general ones."""
    key_notices: tuple[KeyNotice, ...] = ()

    @property
    def dated_rows(self) -> Mapping[str, tuple[Dated, ...]]:
        """Its rows by the name under which they stand in the file; rows of one name must not overlap."""
        return {"electronic": self.electronic, "rates": self.rates, "key_notices": self.key_notices}
