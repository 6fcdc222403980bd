"""How a world is built: wires between every service and what it reaches, on given servers or on servers of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from deploy.local.children import Program
from deploy.local.ports import LOOPBACK
from deploy.local.programs import Place, ready_url, service_programs, simulator
from deploy.local.runner import ProgramServer, running
from deploy.local.stack import Stack
from deploy.local.supervisor import Supervisor
from shared.topology import SERVICES
from tests.faults.proxy import Wire, wires
from tests.faults.world import Environments, World
from tests.system import System, whole_system

PORTAL_PROGRAM = simulator("portal")
"""Left out everywhere: the workload itself speaks for the portals."""


@asynccontextmanager
async def world_on(
    stack: Stack, database: str, vhost: str, *, conclusion: str = "automatic", given: Environments | None = None
) -> AsyncIterator[World]:
    """A world on a prepared database and virtual host of servers that others use too; `given` as for services."""
    without = (*SERVICES, PORTAL_PROGRAM)
    async with (
        whole_system(stack, database, vhost, conclusion=conclusion, without=without) as system,
        _living(system.place, system.supervisor, owns_servers=False, given=given) as world,
    ):
        yield world


@asynccontextmanager
async def world_of_its_own(
    name: str, *, conclusion: str = "automatic", given: Environments | None = None
) -> AsyncIterator[World]:
    """A world with a PostgreSQL and a RabbitMQ that belong to it; its data is forgotten afterwards, its logs stay."""
    async with AsyncExitStack() as held:
        without = (*SERVICES, PORTAL_PROGRAM)
        up = running(Stack(name), fresh=True, heal=False, without=without)
        place, supervisor = await held.enter_async_context(up)
        place = replace(place, conclusion=conclusion)
        yield await held.enter_async_context(_living(place, supervisor, owns_servers=True, given=given))


@asynccontextmanager
async def _living(
    place: Place, supervisor: Supervisor, *, owns_servers: bool, given: Environments | None
) -> AsyncIterator[World]:
    async with wires(_wired(place)) as led:

        def program_of(name: str, environment: Mapping[str, str]) -> ProgramServer:
            program = _through(service_programs(place)[name], place, led, environment)
            return ProgramServer(program, ready_url(place, name))

        world = World(System(place, supervisor), led, program_of, owns_servers=owns_servers)
        async with world.living(given or {}):
            yield world


def _through(program: Program, place: Place, led: Mapping[str, Wire], more: Mapping[str, str]) -> Program:
    """The program with every address in its environment that a wire leads to replaced by the wire's."""
    environment = dict(program.env)
    for what, port in _targets(place).items():
        wire = led.get(f"{program.name}-{what}")
        if wire is None:
            continue
        for key, value in environment.items():
            if key.endswith(f"_{what.upper()}_PORT"):
                environment[key] = str(wire.port)
            elif not key.endswith("_PORT"):
                environment[key] = value.replace(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{wire.port}")
    prefixed = {f"{program.name.upper()}_{key}": value for key, value in more.items()}
    return replace(program, env={**environment, **prefixed})


def _targets(place: Place) -> dict[str, int]:
    """What a wire can lead to, by name."""
    addresses = place.stack.addresses
    return {
        "postgres": _port(addresses.superuser_url),
        "rabbitmq": _port(addresses.broker_url),
        "platform": place.ports[simulator("platform")],
        "smtp": place.ports["smtp"],
    }


def _port(url: str) -> int:
    return int(url.rpartition("@")[2].partition("/")[0].rpartition(":")[2])


def _wired(place: Place) -> dict[str, int]:
    targets = _targets(place)
    pairs = [(service, what) for service in SERVICES for what in ("postgres", "rabbitmq")]
    pairs += [("platform_bridge", "platform"), ("notifier", "smtp")]
    return {f"{service}-{what}": targets[what] for service, what in pairs}
