"""The contenders as the bench starts and asks them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiormq

from bench.applications import PORTAL
from bench.contenders import work
from bench.grounds import Grounds
from deploy.local import children
from deploy.local.children import Child, Program
from deploy.local.programs import ready_url, service_programs
from deploy.local.runner import ProgramServer
from deploy.local.servers import Server
from shared import topology

READY_S_MAX: Final = 60.0
LOOK_EVERY_S: Final = 0.1

PRODUCT: Final = "product"

HEARD: Final = (
    topology.door_queue(PORTAL),
    topology.queue_of("issuer", work.ACCEPTED),
    topology.queue_of("platform_bridge", work.CREATED),
    topology.queue_of("issuer", work.ARRIVED),
    topology.queue_of("notifier", work.ISSUED),
    topology.queue_of("issuer", work.MAIL_SENT),
)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes:
        units: its processes, by name, ready when they hear.
        expected_per_s: about how fast it is here, from which the length of its turns follows.
    """

    name: str
    units: Callable[[Grounds], Mapping[str, Server]]
    expected_per_s: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """A process that is ready when each of these queues has so many consumers."""

    program: Program
    broker_url: str
    queues: Sequence[str]
    consumers: int

    async def start(self) -> list[Child]:
        """Start it and wait until it and its likes hear."""
        child = await children.start(self.program)
        try:
            async with asyncio.timeout(READY_S_MAX):
                await self._heard(child)
        except BaseException:
            await child.stop()
            raise
        return [child]

    async def _heard(self, child: Child) -> None:
        connection = await aiormq.connect(self.broker_url)
        try:
            channel = await connection.channel()
            while True:
                if not child.running:
                    raise children.ChildFailed(f"{self.program.name} ended:\n{children.tail(self.program.log)}")
                declared = [await channel.queue_declare(queue, passive=True) for queue in self.queues]
                if all((one.consumer_count or 0) >= self.consumers for one in declared):
                    return
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await connection.close()


def _limit(name: str, processes: int, *arguments: str) -> Callable[[Grounds], Mapping[str, Server]]:
    def units(grounds: Grounds) -> Mapping[str, Server]:
        names = [f"{name}-{number}" for number in range(processes)]
        programs = (grounds.program(name, each, "-m", "bench.contenders.limit", *arguments) for each in names)
        url = grounds.broker_url(name)
        return {program.name: Hearing(program, url, HEARD, processes) for program in programs}

    return units


def _product(grounds: Grounds) -> Mapping[str, Server]:
    place = grounds.place(PRODUCT)
    return {
        name: ProgramServer(program, ready_url(place, name)) for name, program in service_programs(place).items()
    }


LIMIT: Final = Contender("limit", _limit("limit", 2), 600)
LIMIT_PACKED: Final = Contender("limit_packed", _limit("limit_packed", 2, "packed"), 900)
THE_PRODUCT: Final = Contender(PRODUCT, _product, 300)

CONTENDERS: Final = (LIMIT, THE_PRODUCT, LIMIT_PACKED)
