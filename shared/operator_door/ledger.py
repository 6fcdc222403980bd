"""What a service tells for the ledger: how many of its own things are in which state, and which they are.

The ledger of ops compares this with the journal. What was committed and never left its relay is missing in the journal,
and only the service itself can tell of it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Line:
    """One of the things counted: `correlation` is the application, `kind` the guarantee's (empty where it has none)."""

    cursor: str
    correlation: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A service's side of the ledger.

    Attributes:
        counts: by state, how many there are.
        lines: them one by one, after a cursor (None is the beginning), at most so many, in the cursor's order.
    """

    counts: "Callable[[Connection], Awaitable[Mapping[str, int]]]"
    lines: "Callable[[Connection, str | None, int], Awaitable[Sequence[Line]]]"
