"""The contenders as the bench starts and asks them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiormq
from aiormq.abc import AbstractConnection

from bench.applications import PORTAL, applications
from bench.contenders import work
from bench.grounds import Grounds
from bench.load import Portal
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


async def _at_the_door(grounds: Grounds, portal: Portal, prefix: str, count: int) -> None:
    """Applications come as a portal sends them."""
    del grounds
    await portal.publish_all(list(applications(prefix, count)))


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    Attributes:
        units: its processes, by name, ready when they hear.
        per_s: about how fast it is on two cores, from which the length of its turns follows.
        load: hands it applications, each confirmed by the broker.
    """

    name: str
    units: Callable[[Grounds], Mapping[str, Server]]
    per_s: float
    load: Callable[[Grounds, Portal, str, int], Awaitable[None]] = _at_the_door


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
            while not await self._all_hear(connection):
                if not child.running:
                    raise children.ChildFailed(f"{self.program.name} ended:\n{children.tail(self.program.log)}")
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await connection.close()

    async def _all_hear(self, connection: AbstractConnection) -> bool:
        # A queue that is not there yet closes the channel that asked.
        channel = await connection.channel()
        try:
            declared = [await channel.queue_declare(queue, passive=True) for queue in self.queues]
        except aiormq.exceptions.ChannelNotFoundEntity:
            return False
        await channel.close()
        return all((one.consumer_count or 0) >= self.consumers for one in declared)


def _processes(name: str, module: str, processes: int, *arguments: str) -> Callable[[Grounds], Mapping[str, Server]]:
    """So many processes of one program, each of which does everything."""

    def units(grounds: Grounds) -> Mapping[str, Server]:
        names = [f"{name}-{number}" for number in range(processes)]
        programs = (grounds.program(name, each, "-m", module, *arguments) for each in names)
        return {program.name: Hearing(program, grounds.broker_url(name), HEARD, processes) for program in programs}

    return units


def _product(grounds: Grounds) -> Mapping[str, Server]:
    place = grounds.place(PRODUCT)
    return {name: ProgramServer(program, ready_url(place, name)) for name, program in service_programs(place).items()}


def _celery(grounds: Grounds) -> Mapping[str, Server]:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-O", "fair")
    app = ("-m", "celery", "-A", _CELERY_APP, "worker", "-c", str(CELERY_PROCESSES), "-l", "WARNING")
    program = grounds.program("celery", "celery", *app, *quiet)
    return {"celery": Hearing(program, grounds.broker_url("celery"), [CELERY_QUEUE], 1)}


async def _chains(grounds: Grounds, portal: Portal, prefix: str, count: int) -> None:
    """Applications come as the first task of a chain, which is Celery's own door."""
    del portal
    await children.run(
        grounds.program("celery", "celery-load", "-m", "bench.contenders.celery_chain", prefix, str(count))
    )


CELERY_QUEUE: Final = "bench"
_CELERY_APP: Final = "bench.contenders.celery_chain.app"

# How many processes each gets on two cores; other numbers have not been compared yet.
LIMIT_PROCESSES: Final = 2
FASTSTREAM_PROCESSES: Final = 2
CELERY_PROCESSES: Final = 4

_LIMIT: Final = "bench.contenders.limit"
CONTENDERS: Final = (
    Contender("limit", _processes("limit", _LIMIT, LIMIT_PROCESSES), 450),
    Contender(PRODUCT, _product, 280),
    Contender("limit_packed", _processes("limit_packed", _LIMIT, LIMIT_PROCESSES, "packed"), 600),
    Contender(
        "plain_faststream",
        _processes("plain_faststream", "bench.contenders.plain_faststream", FASTSTREAM_PROCESSES),
        60,
    ),
    Contender("celery", _celery, 40, _chains),
)
"""In the order of their turns."""
