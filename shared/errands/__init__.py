"""Errands: calls to the outside, made from rows that are due, never inside a delivery.

Hearing a fact only makes work due. An errand has slots: as many calls in flight as slots are free, each ending by
itself, with no transaction open; a recorder commits whatever has ended. So an outside that is away for a day costs
rows that wait, not messages that die.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. `after_s` is the outside's own wish (Retry-After, in seconds), or None for our back-off.

    `unknown` says that the outside may have done the work all the same.
    """

    reason: str
    after_s: float | None = None
    unknown: bool = False


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
class Errand:
    """One kind of call to the outside.

    Attributes:
        call: makes one call, with no transaction open; what it raises counts as an outcome unknown.
        record: saves what settled calls brought, and announces it, in one transaction with their settling.
        slots: calls in flight at most.
        lease_s: longer than `call_timeout_s`, so that a call cannot outlive its lease.
    """

    name: str
    call: Callable[[Claimed], Awaitable[Outcome]]
    record: Callable[[Sequence[Ended], "Work"], Awaitable[None]]
    slots: int
    call_timeout_s: float = 30.0
    lease_s: float = 60.0
