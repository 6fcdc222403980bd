"""The whole system as its users meet it: every service and simulator as a process of its own, on the real servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.local.ports import chosen
from deploy.local.programs import Place, simulator
from deploy.local.runner import units
from deploy.local.stack import PROGRAM_PORTS
from deploy.local.supervisor import Supervisor
from simulators.portal.client import Access, Portal
from tests.conftest import Servers

PORTAL = "portal-b"
"""The portal the tests speak as; the simulator's own program is portal-a."""


@dataclass(frozen=True, slots=True)
class System:
    """A running system and its users' addresses."""

    place: Place
    supervisor: Supervisor
    servers: Servers
    http: aiohttp.ClientSession

    async def platform(self, path: str) -> Any:
        """What the platform itself remembers, from its own administration."""
        token = self.place.stack.secrets.platform_token
        url = self.place.url(simulator("platform")) + path
        async with self.http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def mails(self) -> list[dict[str, Any]]:
        """Every mail that the mailbox took."""
        async with self.http.get(self.place.url(simulator("mailbox")) + "/messages") as answer:
            given = await answer.json()
            return list(given["messages"] if isinstance(given, dict) else given)

    async def paper_orders(self) -> list[dict[str, Any]]:
        """Every paper order that the office read."""
        async with self.http.get(self.place.url(simulator("core")) + "/paper-orders") as answer:
            given = await answer.json()
            return list(given["paper_orders"] if isinstance(given, dict) else given)

    def portal(self, name: str = PORTAL) -> Portal:
        """A portal's programs, for `async with`."""
        return Portal(
            Access(
                portal=name,
                broker_url=self.servers.broker_url(name),
                intake_url=self.place.url("intake"),
                issuer_url=self.place.url("issuer"),
                token=self.servers.token(name),
            )
        )


@pytest.fixture(scope="session")
async def system(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The whole system on this worker's virtual host and database; what ends by itself is started again."""
    folder: Path = tmp_path_factory.mktemp("system")
    (folder / "log").mkdir()
    ports = chosen(PROGRAM_PORTS, {}, str(folder))
    place = Place(stack._stack, ports, folder, database=stack.database, vhost=stack.vhost)
    said: list[str] = []
    supervisor = Supervisor(said.append, folder / "children")
    try:
        await supervisor.start(units(place), heal=True)
        async with aiohttp.ClientSession() as http:
            yield System(place, supervisor, stack, http)
    finally:
        await supervisor.stop()


@pytest.fixture(scope="session")
async def portal(system: System) -> AsyncIterator[Portal]:
    """The portal that the tests speak as, listening to its answers."""
    async with system.portal() as connected:
        yield connected
