"""Whole systems for tests: every service and simulator as a process of its own, to be asked, killed and restarted."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.children import tail
from deploy.local.ports import reserved
from deploy.local.programs import Place, simulator
from deploy.local.runner import units
from deploy.local.screen import say
from deploy.local.stack import PROGRAM_PORTS, Stack
from deploy.local.supervisor import Supervisor

LEFT_OUT: Final = (simulator("portal"),)
"""Tests speak for the portals themselves, and two readers of one answer queue would each get half."""


@dataclass(frozen=True, slots=True)
class System:
    """Processes by name: the services as in the topology, `platform-simulator` and so on, `postgres`, `rabbitmq`.

    The two servers can only be killed and restarted in a system that has its own.
    """

    place: Place
    supervisor: Supervisor

    def url(self, name: str) -> str:
        """A program's HTTP address."""
        return self.place.url(name)

    def database_url(self, service: str) -> str:
        """The system's database as a service's role."""
        return self.place.stack.addresses.database_url(service, self.place.database, self.place.stack.secrets)

    def owner_url(self) -> str:
        """The system's database as the owner role."""
        return self.place.stack.addresses.owner_url(self.place.database, self.place.stack.secrets)

    def broker_url(self, user: str) -> str:
        """The system's virtual host as a broker user."""
        return self.place.stack.addresses.vhost_url(user, self.place.vhost, self.place.stack.secrets)

    def token(self, portal: str) -> str:
        """The bearer token of a portal or of the office."""
        return self.place.stack.secrets.portal_tokens[portal]

    @property
    def platform_token(self) -> str:
        """The bearer token for the platform simulator, its /admin routes too."""
        return self.place.stack.secrets.platform_token

    def log(self, name: str, lines: int = 40) -> str:
        """The end of a process's log."""
        return tail(self.place.folder / "log" / f"{name}.log", lines)

    def pid(self, name: str) -> int:
        """The process id."""
        return self.supervisor.child(name).pid

    def kill(self, *names: str) -> None:
        """End processes as a crash would (`kill -9`); nothing starts them again but `restart`."""
        self.supervisor.kill(*names)

    async def stop(self, name: str) -> None:
        """Ask a process to end (SIGTERM) and wait until it has."""
        await self.supervisor.end(name)

    async def restart(self, name: str) -> None:
        """Start a process, ending it first if it runs, and wait until it is ready."""
        await self.supervisor.restart(name)


@asynccontextmanager
async def whole_system(
    stack: Stack, database: str, vhost: str, *, conclusion: str = "automatic", without: Collection[str] = LEFT_OUT
) -> AsyncIterator[System]:
    """All services and simulators on a prepared database and virtual host; `without` names those not wanted."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="hosho-test-"))
        ports = held.enter_context(reserved(PROGRAM_PORTS, {}, uuid.uuid4().hex))
        place = Place(stack, ports, Path(folder), database, vhost, conclusion)
        supervisor = Supervisor(say, Path(folder) / "children")
        try:
            wanted = {name: unit for name, unit in units(place).items() if name not in without}
            await supervisor.start(wanted, heal=False)
            yield System(place, supervisor)
        finally:
            await supervisor.stop()
