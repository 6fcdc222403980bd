"""ops with its pages, beside an issuer that hears what a test tells it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from services.ops.app import build_app
from shared.lives import ended
from shared.operator_door.operators import Operators
from shared.service.running import Running
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import alive, living, operator_door, served
from tests.service.shared.hearers import Hearer
from tests.service.shared.outside import Outside


@dataclass
class Desk:
    """ops, the issuer beside it, and whoever asks over HTTP.

    Attributes:
        hearer: what the issuer does with `mail_sent`.
        outside: what the issuer calls, where the desk is `watched`.
    """

    servers: Servers
    ops: Running
    issuer: Running
    hearer: Hearer
    url: str
    http: aiohttp.ClientSession
    outside: Outside

    async def get(self, path: str, **params: str) -> Any:
        """What a viewer reads, which must be there."""
        status, body = await self.ask("GET", path, who="viewer", params=params)
        assert status == 200, body
        return body

    async def post(self, path: str, body: Mapping[str, Any], *, who: str = "operator") -> Any:
        """What an operator does, which must succeed."""
        status, answer = await self.ask("POST", path, who=who, body=body)
        assert status == 200, answer
        return answer

    async def ask(
        self, method: str, path: str, *, who: str, body: Any = None, params: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of whatever is answered."""
        headers = {"Authorization": f"Bearer {self.servers.operator_token(who)}"}
        async with self.http.request(method, self.url + path, json=body, params=params, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def parked(self, facts: int) -> None:
        """Wait until so many facts lie open on the desk."""

        async def is_so() -> bool:
            groups = (await self.get("/v1/parked"))["groups"]
            assert sum(group["facts"] for group in groups) == facts, groups
            return True

        await eventually(is_so, within_s=60)

    async def journalled(self, entries: int) -> None:
        """Wait until so many announcements are in the journal."""

        async def is_so() -> bool:
            assert (await self.get("/v1/journal/head"))["entries"] == entries
            return True

        await eventually(is_so)


@pytest.fixture
async def desk(emptied: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """ops and an issuer, both living, with their operator doors; every queue and table is empty before."""
    async with opened_desk(emptied, monkeypatch) as opened:
        yield opened


@pytest.fixture
async def watched(emptied: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """The same with an outside that the issuer calls; and ops looks around by itself, as it does when it runs."""
    outside = Outside()
    async with opened_desk(emptied, monkeypatch, outside) as opened:
        lives = [asyncio.create_task(life()) for life in opened.ops.service.lives]
        try:
            yield opened
        finally:
            await ended(lives)


@asynccontextmanager
async def opened_desk(
    emptied: Servers, monkeypatch: pytest.MonkeyPatch, outside: Outside | None = None
) -> AsyncIterator[Desk]:
    """ops and an issuer, both living, with their operator doors."""
    hearer = Hearer()
    operators = Operators.load(emptied.operators_file)
    async with (
        living(emptied, "issuer", hears=hearer.hears, errands=[] if outside is None else [outside.errand()]) as issuer,
        operator_door(issuer, operators) as door,
        aiohttp.ClientSession() as http,
    ):
        given = {
            "DATABASE_URL": emptied.database_url("ops"),
            "BROKER_URL": emptied.broker_url("ops"),
            "HTTP_PORT": "0",
            "PORTALS_FILE": str(emptied.portals_file),
            "OPERATORS_FILE": str(emptied.operators_file),
            "DOORS": json.dumps({"issuer": door}),
            "DOOR_TOKEN": emptied.operator_token("ops"),
        }
        for name, value in given.items():
            monkeypatch.setenv(f"OPS_{name}", value)
        service = build_app()
        assert service.web is not None
        for started in service.on_start:
            await started()
        try:
            async with alive(service) as ops, served(service.web) as url:
                yield Desk(emptied, ops, issuer, hearer, url, http, outside or Outside())
        finally:
            for stopped in service.on_stop:
                await stopped()
