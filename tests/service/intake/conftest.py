"""Intake brought to life as its own `build_app` describes it, a portal at its broker, and a caller at its web door."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import aiohttp
import pytest
import uvicorn
from yarl import URL

from services.intake.app import build_app
from shared import postgres, topology
from shared.service import Service
from shared.service.running import Running
from tests.conftest import Servers
from tests.eventually import eventually
from tests.unit.intake.samples import ROOT


@dataclass(frozen=True, slots=True)
class Told:
    """One answer as a portal finds it in its queue."""

    type: str
    id: str
    data: dict[str, Any]
    headers: Mapping[str, Any]
    correlation_id: str | None


@dataclass(slots=True)
class PortalQueue:
    """A portal at the broker, with its own user and nothing but its own rights."""

    name: str
    channel: aio_pika.abc.AbstractChannel
    answers: list[Told] = field(default_factory=list)

    async def send(self, body: bytes, message_id: str | None = None, word: str = "application.submitted") -> str:
        """Send one message as the contract says; gives back its id."""
        identity = message_id or str(uuid.uuid4())
        exchange = await self.channel.get_exchange(topology.APPLICATIONS, ensure=False)
        message = aio_pika.Message(
            body, message_id=identity, delivery_mode=2, content_type="application/json", user_id=self.name
        )
        await exchange.publish(message, routing_key=f"{word}.{self.name}", mandatory=True)
        return identity

    async def told(self, matches: Callable[[Told], bool], count: int = 1) -> list[Told]:
        """The answers that match, once there are as many as expected."""

        def found() -> list[Told]:
            return [told for told in self.answers if matches(told)]

        await eventually(lambda: len(found()) >= count)
        return found()

    async def answer_to(self, message_id: str) -> Told:
        """The answer that names this message."""
        return (await self.told(lambda told: told.data.get("message_id") == message_id))[0]

    async def note(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        """Take one answer from the queue."""
        told = Told(
            type=str(message.headers["cloudEvents_type"]),
            id=str(message.headers["cloudEvents_id"]),
            data=json.loads(message.body),
            headers=message.headers,
            correlation_id=message.correlation_id,
        )
        self.answers.append(told)
        await message.ack()


@dataclass(frozen=True, slots=True)
class Intake:
    """The living service with its web door."""

    service: Service
    running: Running
    url: str
    stack: Servers
    http: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, *, body: bytes | None = None, token: str | None = None, portal: str = "portal-a"
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """One request with a portal's token; gives back status, JSON and headers."""
        bearer = self.stack.token(portal) if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        url = f"{self.url}{path}"
        async with self.http.request(method, URL(url, encoded=True), data=body, headers=headers) as got:
            return got.status, await got.json(content_type=None), got.headers


@pytest.fixture(scope="module")
async def intake(stack: Servers) -> AsyncIterator[Intake]:
    """Intake, hearing at its queues and serving on a free port, until the module's tests are done."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "DATABASE_URL": stack.database_url("intake"),
            "BROKER_URL": stack.broker_url("intake"),
            "HTTP_PORT": "0",
            "PORTALS_FILE": str(stack.portals_file),
            "OBLIGEES_FILE": str(ROOT / "deploy" / "obligees.toml"),
        }.items():
            environment.setenv(f"INTAKE_{name}", value)
        service = build_app()
    pool = await postgres.open_pool(stack.database_url("intake"), "intake")
    running = service.running = Running(service, pool)
    running.subscribe()
    tasks = [asyncio.create_task(running.owner.run()), asyncio.create_task(running.relay.run())]
    try:
        await eventually(lambda: running.owner.alive)
        await running.publisher.connect()
        await running.broker.start()
        tasks += [asyncio.create_task(consumer.run()) for consumer in running.consumers]
        async with _served(service) as url, aiohttp.ClientSession() as http:
            yield Intake(service, running, url, stack, http)
        for task in tasks:
            assert not task.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await running.broker.stop()
        await running.publisher.close()
        await pool.close()


@asynccontextmanager
async def _served(service: Service) -> AsyncIterator[str]:
    assert service.web is not None
    server = uvicorn.Server(
        uvicorn.Config(service.web, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture(scope="module")
async def portal(stack: Servers, intake: Intake) -> AsyncIterator[PortalQueue]:
    """portal-a, sending to its own keys and reading its own answers."""
    connection = await aio_pika.connect(stack.broker_url("portal-a"))
    try:
        queue_side = PortalQueue("portal-a", await connection.channel(publisher_confirms=True))
        queue = await (await connection.channel()).get_queue(topology.answer_queue("portal-a"), ensure=False)
        await queue.consume(queue_side.note)
        yield queue_side
    finally:
        await connection.close()
