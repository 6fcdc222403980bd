"""Brings a whole stack up and takes it down again, whatever happens in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from deploy.local import leftovers
from deploy.local.children import Child, ChildFailed, Program, start, tail
from deploy.local.prepare import prepare_broker, prepare_database
from deploy.local.programs import SIMULATED_PORTAL, Place, ready_url, service_programs, simulator, simulator_programs
from deploy.local.screen import say
from deploy.local.servers import Server, servers_of
from deploy.local.stack import PROGRAM_PORTS, SERVER_PORTS, Stack
from deploy.local.supervisor import Supervisor

READY_S_MAX: Final = 180.0
"""Many programs that start at once on a busy machine wait for each other; one that ends is told of at once."""
POLL_S: Final = 0.1
ASK_S_MAX: Final = 2.0


@dataclass(frozen=True, slots=True)
class ProgramServer:
    """A service or simulator as a unit that can be started again."""

    program: Program
    ready: str

    async def start(self) -> list[Child]:
        """Start the program and wait until it says that it is ready.

        Raises:
            ChildFailed: with the last reasons it gave and the end of its log.
        """
        child = await start(self.program)
        try:
            await self._ready(child)
        except BaseException:
            await child.stop()
            raise
        return [child]

    async def _ready(self, child: Child) -> None:
        answered = "no answer"
        try:
            async with asyncio.timeout(READY_S_MAX), aiohttp.ClientSession() as session:
                while child.running:
                    status, answered = await asked(session, self.ready)
                    if status == 200:
                        return
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            pass
        log = self.program.log
        raise ChildFailed(
            f"{self.program.name} did not become ready ({answered.strip()}); {log} ends with:\n{tail(log)}"
        )


async def asked(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    """Ask a program a question; status 0 when it does not answer."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=ASK_S_MAX)) as answer:
            return answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        return 0, type(error).__name__


def units(place: Place) -> dict[str, Server]:
    """The services and simulators of a place, as units."""
    programs = {**simulator_programs(place), **service_programs(place)}
    return {name: ProgramServer(program, ready_url(place, name)) for name, program in programs.items()}


@asynccontextmanager
async def running(
    stack: Stack,
    *,
    fresh: bool = False,
    heal: bool = True,
    without: Collection[str] = (),
    conclusion: str = "automatic",
) -> AsyncIterator[tuple[Place, Supervisor]]:
    """A whole stack, up and ready, for the length of a block.

    `fresh` forgets what an earlier run left, and at the end what this one leaves. `heal` starts again what ends by
    itself. `without` names programs that are not wanted. `conclusion` is `core` when guarantees wait for the office.

    Raises:
        AlreadyRunning: if another process runs it.
        ExceptionGroup: of `ChildFailed`, if something does not start.
    """
    began_s = time.monotonic()
    with stack.taken((*SERVER_PORTS, *PROGRAM_PORTS)):
        if leftovers.end(stack.folder / "children"):
            say("ended what an earlier run had left behind")
        place = Place(stack, stack.ports, stack.folder, conclusion=conclusion)
        if fresh:
            stack.forget_data()
            for storage in stack.folder.glob("*.sqlite*"):
                storage.unlink()
        supervisor = Supervisor(say, stack.folder / "children")
        try:
            await _servers(stack, supervisor, heal=heal)
            await _prepared(stack, place)
            say("services and simulators: starting")
            wanted = {name: unit for name, unit in units(place).items() if name not in without}
            await supervisor.start(wanted, heal=heal)
            say(f"everything is ready after {time.monotonic() - began_s:.1f} s")
            yield place, supervisor
        finally:
            say("ending everything")
            await supervisor.stop(at_once=fresh)
            if fresh:
                stack.forget_data()
            (stack.folder / "children").unlink(missing_ok=True)


async def _servers(stack: Stack, supervisor: Supervisor, *, heal: bool) -> None:
    servers = servers_of(stack, say)
    given = [name for name in ("postgres", "rabbitmq") if name not in servers]
    for name in given:
        say(f"{name}: the one given by the environment is used")
    if servers:
        say(f"{' and '.join(servers)}: starting")
        await supervisor.start(servers, heal=heal)


async def _prepared(stack: Stack, place: Place) -> None:
    say("topology and migrations: applying")
    stack.write_portals({SIMULATED_PORTAL: place.url(simulator("portal"))})
    async with asyncio.TaskGroup() as group:
        group.create_task(prepare_broker(stack, place.vhost))
        migrated = group.create_task(prepare_database(stack, place.database))
    if migrated.result():
        say(f"migrations: {len(migrated.result())} applied")
