"""How a world is built: wires between every service and what it reaches, on given servers or on servers of its own."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy import database as databases
from deploy.broker.management import management
from deploy.local.children import Program
from deploy.local.ports import LOOPBACK
from deploy.local.prepare import prepare_broker, prepare_database
from deploy.local.programs import Place, ready_url, service_programs, simulator
from deploy.local.runner import ProgramServer, running, units
from deploy.local.screen import say
from deploy.local.stack import DATABASE, PROGRAM_PORTS, SERVER_PORTS, VHOST, Stack
from deploy.local.supervisor import Supervisor
from shared.errors import Misconfigured
from shared.topology import SERVICES
from tests.faults.proxy import Target, Wire, wires
from tests.faults.world import Environments, World
from tests.system import System, whole_system

LEFT_OUT: Final = (*SERVICES, simulator("portal"))
"""The services are started by the world, led over wires; the workload itself speaks for the portals."""

DEFAULT_PORTS: Final = {"amqp": 5672, "postgres": 5432, "postgresql": 5432}


@asynccontextmanager
async def world_on(
    stack: Stack, database: str, vhost: str, *, conclusion: str = "automatic", given: Environments | None = None
) -> AsyncIterator[World]:
    """A world on a prepared database and virtual host of servers that others use too; `given` as for services."""
    async with (
        whole_system(stack, database, vhost, conclusion=conclusion, without=LEFT_OUT) as system,
        _living(system.place, system.supervisor, owns_servers=False, given=given) as world,
    ):
        yield world


@asynccontextmanager
async def world_of_its_own(
    name: str, *, conclusion: str = "automatic", given: Environments | None = None
) -> AsyncIterator[World]:
    """A world with a PostgreSQL and a RabbitMQ that belong to it; its data is forgotten afterwards, its logs stay.

    Where the environment gives both servers, it gets a database and a virtual host of its own on these.

    Raises:
        Misconfigured: if only one of the servers is given, or another installation lives on them.
    """
    stack = Stack(name)
    async with AsyncExitStack() as held:
        if stack.postgres_is_given or stack.rabbitmq_is_given:
            place, supervisor = await held.enter_async_context(_on_given_servers(stack, conclusion))
            owns_servers = False
        else:
            up = running(stack, fresh=True, heal=False, without=LEFT_OUT)
            place, supervisor = await held.enter_async_context(up)
            place, owns_servers = replace(place, conclusion=conclusion), True
        yield await held.enter_async_context(_living(place, supervisor, owns_servers=owns_servers, given=given))


@asynccontextmanager
async def _on_given_servers(stack: Stack, conclusion: str) -> AsyncIterator[tuple[Place, Supervisor]]:
    """The simulators, on servers of somebody else, with a database and a virtual host that are gone afterwards."""
    if not (stack.postgres_is_given and stack.rabbitmq_is_given):
        raise Misconfigured("Give HOSHO_POSTGRES_URL and HOSHO_RABBITMQ_URL together, or neither of them.")
    mark = uuid.uuid4().hex[:8]
    database, vhost = f"hosho_faults_{mark}", f"hosho-faults-{mark}"
    with stack.taken((*SERVER_PORTS, *PROGRAM_PORTS)):
        place = Place(stack, stack.ports, stack.folder, database, vhost, conclusion)
        supervisor = Supervisor(say, stack.folder / "children")
        await _refuse_to_harm(stack)
        for storage in stack.folder.glob("*.sqlite*"):
            storage.unlink()
        try:
            stack.write_portals({})
            await prepare_broker(stack, vhost)
            await prepare_database(stack, database)
            wanted = {name: unit for name, unit in units(place).items() if name not in LEFT_OUT}
            await supervisor.start(wanted, heal=False)
            yield place, supervisor
        finally:
            await supervisor.stop(at_once=True)
            await databases.drop(stack.addresses.superuser_url, database)
            async with management(stack.addresses.management_url, vhost) as api:
                await api.delete(api.path("vhosts"))


async def _refuse_to_harm(stack: Stack) -> None:
    """Users and roles belong to a whole server, so preparing a place would give a living system's other passwords."""
    async with management(stack.addresses.management_url, VHOST) as api:
        lives_there = await api.get(api.path("vhosts")) is not None
    async with databases.connected(stack.addresses.superuser_url) as connection:
        lives_there |= bool(await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE))
    if lives_there:
        raise Misconfigured(
            f"A system lives on these servers (virtual host {VHOST} or database {DATABASE}), and its users would get"
            " other passwords. Give servers that nothing depends on."
        )


@asynccontextmanager
async def _living(
    place: Place, supervisor: Supervisor, *, owns_servers: bool, given: Environments | None
) -> AsyncIterator[World]:
    async with wires(_wired(place)) as led:

        def program_of(name: str, environment: Mapping[str, str]) -> ProgramServer:
            program = _through(service_programs(place)[name], place, led, environment)
            return ProgramServer(program, ready_url(place, name))

        with tempfile.TemporaryDirectory(prefix="hosho-clocks-") as clocks:
            world = World(System(place, supervisor), led, program_of, Path(clocks), owns_servers=owns_servers)
            async with world.living(given or {}):
                yield world


def _through(program: Program, place: Place, led: Mapping[str, Wire], more: Mapping[str, str]) -> Program:
    """The program with every address in its environment that a wire leads to replaced by the wire's."""
    environment = dict(program.env)
    for what, (host, port) in _targets(place).items():
        wire = led.get(f"{program.name}-{what}")
        if wire is None:
            continue
        before = dict(environment)
        for key, value in environment.items():
            if key.endswith(f"_{what.upper()}_PORT"):
                environment[key] = str(wire.port)
            elif not key.endswith("_PORT"):
                environment[key] = value.replace(f"{host}:{port}", f"{LOOPBACK}:{wire.port}")
        if environment == before:
            raise Misconfigured(f"{program.name} cannot be led over a wire to {what}: name the port in its URL.")
    prefixed = {f"{program.name.upper()}_{key}": value for key, value in more.items()}
    return replace(program, env={**environment, **prefixed})


def _targets(place: Place) -> dict[str, Target]:
    """What a wire can lead to, by name."""
    addresses = place.stack.addresses
    return {
        "postgres": _host_and_port(addresses.superuser_url),
        "rabbitmq": _host_and_port(addresses.broker_url),
        "platform": (LOOPBACK, place.ports[simulator("platform")]),
        "smtp": (LOOPBACK, place.ports["smtp"]),
    }


def _host_and_port(url: str) -> Target:
    parts = urlsplit(url)
    return parts.hostname or LOOPBACK, parts.port or DEFAULT_PORTS[parts.scheme]


def _wired(place: Place) -> dict[str, Target]:
    targets = _targets(place)
    pairs = [(service, what) for service in SERVICES for what in ("postgres", "rabbitmq")]
    pairs += [("platform_bridge", "platform"), ("notifier", "smtp")]
    return {f"{service}-{what}": targets[what] for service, what in pairs}
