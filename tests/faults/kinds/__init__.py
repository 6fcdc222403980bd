"""The kinds of fault: each a frozen value that begins, lasts and mends itself in one `strike`."""

from typing import Protocol

from tests.faults.world import World


class Fault(Protocol):
    """One thing that is done to the system."""

    @property
    def kind(self) -> str:
        """What it is, without whom it hits."""

    async def strike(self, world: World) -> None:
        """Do it, let it last, and mend it. May find nothing to hit, which is no error."""
