"""The whole system as its users meet it: every service and simulator as a process of its own, on the real servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.local.ports import reserved
from deploy.local.programs import Place, ready_url, simulator
from deploy.local.runner import asked, units
from deploy.local.stack import PROGRAM_PORTS
from deploy.local.supervisor import Supervisor
from simulators.portal.client import Access, Portal
from tests.conftest import Servers

PORTAL = "portal-c"
"""The portal the tests speak as; the simulator's own program is portal-a."""


@dataclass(frozen=True, slots=True)
class System:
    """A running system and its users' addresses."""

    place: Place
    supervisor: Supervisor
    servers: Servers
    http: aiohttp.ClientSession

    async def is_up(self, service: str) -> bool:
        """Whether a service says that it is ready."""
        status, _ = await asked(self.http, ready_url(self.place, service))
        return status == 200

    async def certificates(self) -> list[dict[str, Any]]:
        """Every certificate that the platform itself remembers."""
        token = self.place.stack.secrets.platform_token
        headers = {"Authorization": f"Bearer {token}"}
        return await self._pages("platform", "/admin/certificates", "certificates", headers)

    async def mails(self) -> list[dict[str, Any]]:
        """Every mail that the mailbox took."""
        return await self._pages("mailbox", "/messages", "messages", {})

    async def paper_orders(self) -> list[dict[str, Any]]:
        """Every paper order that the office read."""
        return await self._pages("core", "/paper-orders", "orders", {})

    async def _pages(self, name: str, path: str, key: str, headers: dict[str, str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query: dict[str, str] = {}
        while True:
            async with self.http.get(self.place.url(simulator(name)) + path, params=query, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                page = await answer.json()
            rows += page[key]
            if page.get("next_after") is None:
                return rows
            query = {"after": str(page["next_after"])}

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
    said: list[str] = []
    supervisor = Supervisor(said.append, folder / "children")
    with reserved(PROGRAM_PORTS, {}, str(folder)) as ports:
        place = Place(stack.local, ports, folder, database=stack.database, vhost=stack.vhost)
        try:
            await supervisor.start(units(place), heal=True)
            async with aiohttp.ClientSession() as http:
                yield System(place, supervisor, stack, http)
        finally:
            await supervisor.stop()


@pytest.fixture(scope="module")
async def portal(system: System) -> AsyncIterator[Portal]:
    """The portal that the tests of a file speak as, listening to its answers while they run and no longer."""
    async with system.portal() as connected:
        yield connected
