"""Errands: calls to the outside, made from rows that are due, never inside a delivery.

Hearing a fact only makes work due. An errand has slots: as many calls in flight as slots are free, each ending by
itself, with no transaction open; a recorder commits whatever has ended. So an outside that is away for a day costs
rows that wait, not messages that die.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.errands.closing import Weekly
    from shared.work import Work


@dataclass(frozen=True, slots=True)
class Due:
    """Work to be done outside.

    Attributes:
        key: the work's identity within its errand; making it due again changes nothing.
        turn_of: whose turn it takes (the portal); a flood of one delays only its own rows.
        order_key: rows of one order key run one after another by `order_no`, n never before n-1 is settled.
        payload: what the call needs, as bytes that are the same in every try.
    """

    key: str
    turn_of: str
    payload: bytes
    correlation: str
    traceparent: str | None = None
    order_key: str | None = None
    order_no: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Work that this process holds. `attempts` counts this try too.

    Attributes:
        unknown_before: an earlier try ended without our knowing what the outside did with it.
        token: changes with every claim; a failure under a stale token changes nothing.
    """

    errand: str
    key: str
    payload: bytes
    attempts: int
    unknown_before: bool
    token: int
    correlation: str
    traceparent: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """The outside said its last word. The recorder gets `result` in the transaction that settles the row."""

    result: object


class Sign(StrEnum):
    """What a call that brought nothing says about the outside as a whole."""

    NOTHING = "nothing"
    """It is about this row, or about ourselves."""
    FAILING = "failing"
    """The outside fails: no connection, a reset, a time-out, an answer that settles nothing. Many of them stop all."""
    WAIT = "wait"
    """The outside asks that nobody comes for a while; one such answer lets the whole stage wait."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. `after_s` is the outside's own wish (Retry-After, in seconds), or None for our back-off.

    `unknown` says that the outside may have done the work all the same.
    """

    reason: str
    after_s: float | None = None
    unknown: bool = False
    sign: Sign = Sign.NOTHING


@dataclass(frozen=True, slots=True)
class OurFault:
    """Our credentials or our set-up are wrong: stop the errand, shout, probe with one row, burn no attempts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing more may be tried until a person has looked."""

    reason: str


Outcome = Settled | Later | OurFault | Hold

Ended = tuple[Claimed, object]
"""A settled row with the result its call gave."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row that was put aside for a person, or taken up again by one.

    Attributes:
        hold_no: counts the holds of this row, so that a second hold is another fact than the first.
        reason: why it was put aside; for a release, why it may go on.
    """

    errand: str
    key: str
    hold_no: int
    reason: str
    correlation: str
    traceparent: str | None


Telling = Callable[[Sequence[Held], "Work"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Errand:
    """One kind of call to the outside.

    Attributes:
        call: makes one call, with no transaction open; what it raises counts as an outcome unknown.
        record: saves what settled calls brought, and announces it, in one transaction with their settling.
        slots: calls in flight at most, in each process.
        lease_s: longer than `call_timeout_s`, so that a call cannot outlive its lease.
        calls_per_s_max: calls in a second, of all processes together; None for no limit.
        closing_hours: the weekly hours in which the outside is not called.
        held: tells of rows that are put aside, in the transaction that does so.
        released: tells of rows that a person lets go on, in the transaction that does so.
    """

    name: str
    call: Callable[[Claimed], Awaitable[Outcome]]
    record: Callable[[Sequence[Ended], "Work"], Awaitable[None]]
    slots: int
    call_timeout_s: float = 30.0
    lease_s: float = 60.0
    calls_per_s_max: float | None = None
    closing_hours: Sequence["Weekly"] = ()
    held: Telling | None = None
    released: Telling | None = None
