"""The kinds of fault: each a frozen value that begins, lasts and mends itself in one `strike`."""

from typing import Protocol

from tests.faults.world import World


class NothingHit(Exception):
    """A fault was carried out and touched nothing: nobody was connected, nobody called, nobody waited.

    It is tried again a little later. What never hits anything is told as missed and counts nowhere.
    """


class Fault(Protocol):
    """One thing that is done to the system."""

    @property
    def kind(self) -> str:
        """What it is, without whom it hits."""

    async def strike(self, world: World) -> None:
        """Do it, let it last, mend it.

        Raises:
            NothingHit: if nothing in the system can have noticed.
        """
