"""A service brought to life inside a test: the real relay, errands and consumers, on the worker's real servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from shared import clock, postgres
from shared.delivery import Hearing
from shared.envelope import Fact
from shared.errands import Errand
from shared.lives import ended
from shared.operator_door.operators import Operators
from shared.operator_door.routes import operator_routes
from shared.publisher import Publisher
from shared.service import Hears, Service, ServiceSettings
from shared.service.running import Running
from shared.web import web_app
from tests.conftest import Servers
from tests.eventually import eventually

TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""A trace that a fact begins, in the form of W3C Trace Context."""


def traced() -> Fact:
    """A fact to be the cause of others, with a trace that goes on in them."""
    return Fact(clock.new_uuid(), "test.cause.v1", "/test", "cause", clock.now().isoformat(), "cause", TRACE, b"{}")


def described(
    stack: Servers, name: str, *, database_url: str | None = None, broker_url: str | None = None, **more: Any
) -> Service:
    """A service of this name with its real broker user and database role."""
    settings = ServiceSettings(
        database_url=SecretStr(database_url or stack.database_url(name)),
        broker_url=SecretStr(broker_url or stack.broker_url(name)),
        http_port=0,
    )
    return Service(name=name, settings=settings, **more)


@asynccontextmanager
async def living(
    stack: Servers,
    name: str,
    *,
    hears: Sequence[Hears] = (),
    errands: Sequence[Errand] = (),
    doors: Sequence[Hearing] = (),
    answered: Callable[[str], bool] = lambda _portal: False,
    database_url: str | None = None,
    broker_url: str | None = None,
    publish_url: str | None = None,
) -> AsyncIterator[Running]:
    """The service, hearing and announcing, until the block ends; then it is cut off without draining.

    The URLs may lead through a `Wire`; `publish_url` is the publishing connection's only.
    """
    service = described(
        stack,
        name,
        database_url=database_url,
        broker_url=broker_url,
        hears=hears,
        errands=errands,
        doors=doors,
        answered=answered,
    )
    async with alive(service, publish_url=publish_url) as running:
        yield running


@asynccontextmanager
async def alive(service: Service, *, publish_url: str | None = None) -> AsyncIterator[Running]:
    """A service as its `build_app()` describes it, hearing and announcing, until the block ends."""
    async with AsyncExitStack() as ending:
        pool = await postgres.open_pool(service.settings.database_url.get_secret_value(), service.name)
        ending.push_async_callback(pool.close)
        running = service.running = Running(service, pool)
        if publish_url is not None:
            running.publisher._url = Publisher(publish_url, f"{service.name}.publish")._url
        running.subscribe()
        ending.push_async_callback(running.publisher.close)
        ending.push_async_callback(running.broker.stop)
        tasks = [asyncio.create_task(part) for part in (running.owner.run(), running.relay.run())]
        tasks += [asyncio.create_task(runner.run()) for runner in running.runners.values()]
        ending.push_async_callback(_cut_off, tasks)
        await eventually(lambda: running.owner.alive)
        await running.publisher.connect()
        await running.broker.start()
        tasks += [asyncio.create_task(consumer.run()) for consumer in running.consumers]
        yield running
        for task in tasks:
            if task.done():
                task.result()


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """A web application on a port of its own; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def operator_door(running: Running, operators: Operators) -> AsyncIterator[str]:
    """The operator door of a living service."""
    app = web_app(running.service.name)
    app.include_router(operator_routes(running.service, operators))
    async with served(app) as url:
        yield url


async def _cut_off(tasks: Sequence[asyncio.Task[None]]) -> None:
    await ended(tasks)
