"""The issuer's parts for tests: its handlers on a database, and its web door beside them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI

from services.issuer.papers.press import Press
from services.issuer.web import Printer, build_web
from shared import postgres
from shared.portals import Portals
from shared.service import Service
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.issuer.bench import Bench

if TYPE_CHECKING:
    from shared.postgres import Pool

PLATFORM_PAGE: Final = "https://platform.example/"


@dataclass(frozen=True, slots=True)
class Door:
    """The issuer's web door, asked as a portal or as the office."""

    url: str
    stack: Servers
    http: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        *,
        caller: str = "portal-a",
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """One request; gives status, JSON (or bytes) and headers. An empty caller sends no token."""
        given = {"Authorization": f"Bearer {self.stack.token(caller)}"} if caller else {}
        data = body if isinstance(body, bytes) or body is None else aiohttp.JsonPayload(body)
        async with self.http.request(
            method, f"{self.url}{path}", data=data, params=query, headers={**given, **(headers or {})}
        ) as answer:
            is_json = answer.content_type.endswith("json")
            return answer.status, await (answer.json(content_type=None) if is_json else answer.read()), answer.headers


@pytest.fixture(scope="module")
async def pool(stack: Servers) -> AsyncIterator["Pool"]:
    """A pool as the issuer's role, in its schema."""
    opened = await postgres.open_pool(stack.database_url("issuer"), "issuer", connections_max=6)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def bench(stack: Servers, pool: "Pool") -> Bench:
    """The issuer's handlers."""
    return Bench(pool, stack.sealing_keys, stack.signing_key)


@pytest.fixture(scope="module")
async def door(stack: Servers, bench: Bench) -> AsyncIterator[Door]:
    """The issuer's web door on the same database, announcing into the same outbox."""
    described = SimpleNamespace(pool=bench.pool, unit_of_work=lambda: unit_of_work(bench.desk, "issuer.web"))
    means = bench.means()
    press = Press()
    app = build_web(
        cast(Service, described),
        Portals.load(stack.portals_file),
        means.ring,
        means.signing.jwks(),
        Printer(press, PLATFORM_PAGE),
    )
    async with served(app) as url, aiohttp.ClientSession() as http:
        yield Door(url, stack, http)
    await press.close()


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The URL at which an application is served until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving
