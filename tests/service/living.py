"""A service brought to life inside a test: the real relay, errands and consumers, on the worker's real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from pydantic import SecretStr

from shared import clock, postgres
from shared.delivery import Hearing
from shared.envelope import Fact
from shared.errands import Errand
from shared.lives import ended
from shared.publisher import Publisher
from shared.service import Hears, Service, ServiceSettings
from shared.service.running import Running
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
    async with AsyncExitStack() as ending:
        pool = await postgres.open_pool(service.settings.database_url.get_secret_value(), name)
        ending.push_async_callback(pool.close)
        running = service.running = Running(service, pool)
        if publish_url is not None:
            running.publisher._url = Publisher(publish_url, f"{name}.publish")._url
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


async def _cut_off(tasks: Sequence[asyncio.Task[None]]) -> None:
    await ended(tasks)
