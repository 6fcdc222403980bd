"""What stands around the office's pages in tests: intake, issuer and broker, played by the test."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from simulators.core.desk import SCHEMA, Desk
from simulators.core.doors import OfficeDoors
from simulators.core.office import Office
from simulators.core.pages import OfficeDoor
from simulators.ledger import Ledger, Survives
from simulators.wire import CORE_EXCHANGE, NotConfirmed, Sender
from tests.unit.simulators.folders import NUMBER, example, guarantee, row
from tests.unit.simulators.reading_pages import Page

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Outside:
    """Intake and issuer as one server: it answers what the test says and keeps what it was sent."""

    guarantee: dict[str, Any] = field(default_factory=lambda: guarantee(row(1)))
    application: dict[str, Any] = field(default_factory=lambda: example("application"))
    requests: list[dict[str, Any]] = field(default_factory=list)
    looks: dict[str, Any] = field(default_factory=lambda: {"items": [], "has_more": False})
    change_answer: tuple[int, Any] = (202, {})
    pages: int = 1
    sent: list[dict[str, Any]] = field(default_factory=list)
    listed: int = 0
    cursors: list[str | None] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        one = f"/v1/guarantees/{NUMBER}"
        return [
            web.get("/v1/guarantees", self._list),
            web.get(one, self._telling(lambda: self.guarantee)),
            web.get(one + "/certificates/{version}", self._telling(lambda: example("certificate"))),
            web.get(one + "/key-reveals", self._telling(lambda: self.looks)),
            web.get("/v1/applications/{id}", self._telling(lambda: {"application": self.application})),
            web.get("/v1/changes", self._telling(lambda: {"items": self.requests, "next_cursor": None})),
            web.post("/v1/changes", self._change),
        ]

    def _telling(self, value: Callable[[], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def tell(_: web.Request) -> web.Response:
            return web.json_response(value())

        return tell

    async def _list(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer office-token"
        self.listed += 1
        self.cursors.append(request.query.get("cursor"))
        self.numbers += request.query.getall("number", [])
        more = NUMBER if self.listed < self.pages else None
        return web.json_response({"items": [self.guarantee], "next_cursor": more})

    async def _change(self, request: web.Request) -> web.Response:
        self.sent.append(await request.json())
        status, value = self.change_answer
        return web.json_response(value, status=status)


@dataclass
class Broker(Sender):
    """A sender that keeps what it would publish; the real one is told apart in tests/unit/simulators/test_wire.py."""

    published: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    is_away: bool = False

    def __post_init__(self) -> None:
        super().__init__("amqp://nobody@127.0.0.1:1", CORE_EXCHANGE)

    async def send(self, message: aio_pika.Message, routing_key: str) -> None:
        if self.is_away:
            raise NotConfirmed("away")
        self.published.append((routing_key, json.loads(message.body), message.message_id))


@dataclass
class Bench:
    """The office's pages, their outside and their broker."""

    client: TestClient[web.Request, web.Application]
    outside: Outside
    broker: Broker

    async def get(self, path: str) -> tuple[int, Page]:
        async with self.client.get(path) as answer:
            page = Page(await answer.text())
            page.assert_in_order()
            return answer.status, page

    async def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, str, str]:
        given = headers or OWN_PAGE
        async with self.client.post(path, data=form, headers=given, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", ""), Page(await answer.text()).words


@asynccontextmanager
async def office_pages() -> AsyncIterator[Bench]:
    """The office's pages with a fresh desk, until the block ends."""
    async with AsyncExitStack() as closing:
        outside, broker = Outside(), Broker()
        behind = web.Application()
        behind.add_routes(outside.routes())
        server = await closing.enter_async_context(TestServer(behind))
        ledger = Ledger(":memory:", SCHEMA, Survives.KILL)
        await ledger.open()
        closing.push_async_callback(ledger.close)
        address = str(server.make_url("")).rstrip("/")
        doors = await closing.enter_async_context(OfficeDoors(address, address, "office-token"))
        desk = Desk(ledger)
        application = web.Application()
        application.add_routes(OfficeDoor(Office(doors, desk), desk, broker).routes())
        client = await closing.enter_async_context(TestClient(TestServer(application)))
        yield Bench(client, outside, broker)
