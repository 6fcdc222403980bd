"""Faults of processes: services and servers that die, stop, or stand still."""

import os
import signal
from dataclasses import dataclass

from shared.topology import SERVICES
from tests.faults.kinds import NothingHit
from tests.faults.pauses import lapse
from tests.faults.world import World


@dataclass(frozen=True, slots=True)
class Killed:
    """SIGKILL, as a power cut would."""

    name: str
    down_s: float = 0.0

    @property
    def kind(self) -> str:
        """Services count as one kind, every other program as its own."""
        return "service killed" if self.name in SERVICES else f"{self.name} killed"

    async def strike(self, world: World) -> None:
        """Kill, leave it dead for a while, start it again."""
        async with world.turn(self.name):
            await world.kill(self.name)
            await lapse(self.down_s)
            await world.start(self.name)


@dataclass(frozen=True, slots=True)
class KilledWhileCutOff:
    """The broker is out of reach while work goes on, and then the process dies: only what was committed is left."""

    name: str
    cut_off_s: float

    kind = "service killed while cut off"

    async def strike(self, world: World) -> None:
        """Close the wire to the broker, let facts pile up, kill, open, start again."""
        wire = world.wires[f"{self.name}-rabbitmq"]
        async with world.turn(self.name):
            world.tally.note("close", wire.name)
            wire.closed = True
            world.tally.cuts += wire.cut()
            await lapse(self.cut_off_s)
            await world.kill(self.name)
            wire.mend()
            await world.start(self.name)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The orderly end (SIGTERM; PostgreSQL's fast shutdown), then a start: what a deployment does."""

    name: str
    down_s: float = 0.0

    @property
    def kind(self) -> str:
        """Servers count apart from services; a service that is away for long too."""
        if self.name in ("postgres", "rabbitmq"):
            return f"{self.name} restarted"
        return "ops away" if self.name == "ops" and self.down_s > 1 else "service stopped"

    async def strike(self, world: World) -> None:
        """End, leave it away for a while, start it again."""
        async with world.turn(self.name):
            await world.end(self.name)
            await lapse(self.down_s)
            await world.start(self.name)


@dataclass(frozen=True, slots=True)
class Paused:
    """SIGSTOP: the process stands still, its connections and locks stay, as on an overloaded host."""

    name: str
    lasts_s: float

    kind = "service paused"

    async def strike(self, world: World) -> None:
        """Stop it and let it go on. It may die while it stands still; then whoever killed it starts another."""
        pid = world.system.pid(self.name)
        world.tally.note("pause", self.name)
        try:
            os.kill(pid, signal.SIGSTOP)
            await lapse(self.lasts_s)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError as error:
            raise NothingHit(f"{self.name} is dead") from error
