"""Where a bench runs: the servers, the sinks, and for each contender a virtual host and a database of its own."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.contenders.surroundings import Surroundings
from deploy import database
from deploy.broker.management import management
from deploy.database import with_database
from deploy.local import children
from deploy.local.children import Child, Program
from deploy.local.ports import LOOPBACK, listens, reserved
from deploy.local.prepare import prepare_broker, prepare_database
from deploy.local.programs import Place, simulator
from deploy.local.stack import PROGRAM_PORTS, Stack
from deploy.places import CHECKOUT
from deploy.settings import passed_on

ROWS: Final = CHECKOUT / "bench" / "contenders" / "rows.sql"
PLATFORM: Final = simulator("platform")
LISTENING_S_MAX: Final = 20.0
LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Grounds:
    """Servers and sinks, up and ready.

    Attributes:
        mark: in the names of virtual hosts and databases, so that runs that overlap do not meet.
        folder: for logs.
        pids: the processes that serve every contender, by name.
    """

    stack: Stack
    ports: dict[str, int]
    folder: Path
    mark: str
    http: aiohttp.ClientSession
    pids: dict[str, int]

    def database(self, contender: str) -> str:
        """The name of a contender's database."""
        return f"{self.mark}_{contender}"

    def vhost(self, contender: str) -> str:
        """The name of a contender's virtual host."""
        return f"{self.mark}-{contender}"

    def database_url(self, contender: str) -> str:
        """A contender's database as the superuser."""
        return with_database(self.stack.addresses.superuser_url, self.database(contender))

    def broker_url(self, contender: str) -> str:
        """A contender's virtual host as the administrator."""
        return with_database(self.stack.addresses.broker_url, self.vhost(contender))

    def portal_url(self, contender: str, portal: str) -> str:
        """A contender's virtual host as a portal."""
        return self.stack.addresses.vhost_url(portal, self.vhost(contender), self.stack.secrets)

    def surroundings(self, contender: str) -> Surroundings:
        """What the processes of a contender are told; the product's are told as a deployment tells them."""
        return Surroundings(
            self.broker_url(contender), self.database_url(contender), self.ports[PLATFORM], self.ports["smtp"]
        )

    def place(self, contender: str) -> Place:
        """The same for the product's own runner: the sinks stand where the simulators would."""
        return Place(self.stack, self.ports, self.folder, self.database(contender), self.vhost(contender))

    def program(self, contender: str, name: str, *arguments: str) -> Program:
        """A process of a contender."""
        return Program(
            name=name,
            argv=[sys.executable, *arguments],
            env={**passed_on(), "PYTHONUNBUFFERED": "1", **self.surroundings(contender).environment()},
            log=self.folder / "log" / f"{name}.log",
            cwd=CHECKOUT,
        )

    async def sink(self, method: str, path: str) -> dict[str, Any]:
        """Ask the sinks."""
        async with self.http.request(method, f"http://{LOOPBACK}:{self.ports[PLATFORM]}{path}") as answer:
            told: dict[str, Any] = await answer.json(content_type=None)
            return told

    async def prepare(self, contender: str, *, is_product: bool) -> None:
        """Make a contender's virtual host by the product's plan, and its database, both empty."""
        addresses = self.stack.addresses
        await self.forget(contender)
        await prepare_broker(self.stack, self.vhost(contender))
        if is_product:
            await prepare_database(self.stack, self.database(contender))
            return
        async with database.connected(addresses.superuser_url) as connection:
            await connection.execute(f'create database "{self.database(contender)}"')
        async with database.connected(self.database_url(contender)) as connection:
            await connection.execute(ROWS.read_text())

    async def forget(self, contender: str) -> None:
        """Drop a contender's virtual host and database."""
        await database.drop(self.stack.addresses.superuser_url, self.database(contender))
        async with management(self.stack.addresses.management_url, self.vhost(contender)) as api:
            await api.delete(api.path("vhosts"))


@asynccontextmanager
async def grounds(
    stack: Stack, folder: Path, mark: str, server_pids: Mapping[str, int] | None = None
) -> AsyncIterator[Grounds]:
    """Sinks beside servers that run already, for the length of a block."""
    with ExitStack() as held:
        ports = held.enter_context(reserved(PROGRAM_PORTS, {}, str(folder)))
        async with aiohttp.ClientSession() as http:
            arguments = ("-m", "bench.sinks", str(ports[PLATFORM]), str(ports["smtp"]))
            sinks = await children.start(
                Program(
                    name="sinks",
                    argv=[sys.executable, *arguments],
                    env=passed_on(),
                    log=folder / "log" / "sinks.log",
                    cwd=CHECKOUT,
                )
            )
            try:
                await _listening(sinks, ports["smtp"])
                yield Grounds(stack, ports, folder, mark, http, {**(server_pids or {}), "sinks": sinks.pid})
            finally:
                await sinks.stop()


async def _listening(sinks: Child, port: int) -> None:
    deadline_s = time.monotonic() + LISTENING_S_MAX
    while not listens(port):
        if not sinks.running or time.monotonic() > deadline_s:
            raise children.ChildFailed(f"the sinks did not start:\n{children.tail(sinks.program.log)}")
        await asyncio.sleep(LOOK_EVERY_S)
