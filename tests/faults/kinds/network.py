"""Faults of the network, on the wire between a service and what it reaches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.kinds import NothingHit
from tests.faults.pauses import lapse
from tests.faults.world import World


def hit(world: World, what: str) -> list[str]:
    """The wires of this name, or all that lead to a server (`*-postgres`)."""
    if what.startswith("*"):
        return [name for name in world.wires if name.endswith(what[1:])]
    return [what]


@contextmanager
def _felt(world: World, names: Sequence[str]) -> Iterator[None]:
    """Mend the wires at the end of the block. Raises NothingHit if nobody felt anything on them meanwhile."""
    led = [world.wires[name] for name in names]
    before = sum(wire.touched for wire in led)
    try:
        yield
    finally:
        for wire in led:
            wire.mend()
    if sum(wire.touched for wire in led) == before:
        raise NothingHit(f"nothing passed on {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class Cut:
    """Every connection is reset; new ones are let in at once."""

    wire: str

    kind = "connections cut"

    async def strike(self, world: World) -> None:
        """Cut."""
        names = hit(world, self.wire)
        with _felt(world, names):
            for name in names:
                world.tally.note("cut", name)
                world.tally.cuts += world.wires[name].cut()


@dataclass(frozen=True, slots=True)
class Closed:
    """Every connection is reset, and nobody gets through for a while."""

    wire: str
    lasts_s: float

    kind = "network closed"

    async def strike(self, world: World) -> None:
        """Close and open."""
        names = hit(world, self.wire)
        with _felt(world, names):
            for name in names:
                world.tally.note("close", name)
                world.wires[name].closed = True
                world.tally.cuts += world.wires[name].cut()
            await lapse(self.lasts_s)


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Nothing passes and nothing is closed; at the end the connections are cut, or what was held passes on."""

    wire: str
    lasts_s: float
    cut_at_the_end: bool

    kind = "network half open"

    async def strike(self, world: World) -> None:
        """Hold, then cut or release."""
        names = hit(world, self.wire)
        with _felt(world, names):
            for name in names:
                world.tally.note("hold", name)
                world.wires[name].hold()
            await lapse(self.lasts_s)
            for name in names if self.cut_at_the_end else ():
                world.tally.note("cut", name)
                world.tally.cuts += world.wires[name].cut()


@dataclass(frozen=True, slots=True)
class Delayed:
    """Everything arrives late."""

    wire: str
    lasts_s: float
    delay_s: float

    @property
    def kind(self) -> str:
        """A slow database is a kind of its own."""
        return "postgres slow" if self.wire.endswith("postgres") else "network delayed"

    async def strike(self, world: World) -> None:
        """Slow down and mend."""
        names = hit(world, self.wire)
        with _felt(world, names):
            for name in names:
                world.tally.note("delay", name)
                world.wires[name].delay_s = self.delay_s
            await lapse(self.lasts_s)


@dataclass(frozen=True, slots=True)
class Throttled:
    """Few bytes pass in a second."""

    wire: str
    lasts_s: float
    bytes_per_s: float

    kind = "network throttled"

    async def strike(self, world: World) -> None:
        """Throttle and mend."""
        names = hit(world, self.wire)
        with _felt(world, names):
            for name in names:
                world.tally.note("throttle", name)
                world.wires[name].bytes_per_s = self.bytes_per_s
            await lapse(self.lasts_s)
