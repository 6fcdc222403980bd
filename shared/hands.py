"""Into whose memory rows go right after their commit, so that nobody has to look for them in the table."""

from collections.abc import Sequence
from typing import Protocol

from shared.errands import Claimed
from shared.outbox import Leased


class Hands(Protocol):
    """Something that takes rows of this process into its memory: the relay, or the runner of one errand."""

    def reserve(self, rows: int) -> int:
        """How many of so many rows it can take at once; the others stay unleased for whoever comes."""

    def give_back(self, rows: int) -> None:
        """A reservation that the transaction did not use."""


class RelayHands(Hands, Protocol):
    """The relay's side of `Hands`."""

    async def roomy(self) -> None:
        """Wait a while for the relay to have room; whoever hears waits here, so that its rows spare the table."""

    def take(self, rows: Sequence[Leased]) -> None:
        """Rows that are committed and leased to this process."""


class ErrandHands(Hands, Protocol):
    """An errand runner's side of `Hands`."""

    lease_s: float

    def take(self, rows: Sequence[Claimed]) -> None:
        """Rows that are committed and leased to this process."""
