"""How a service starts and stops.

Start: the schema is checked, then the owner's lock, relay, errands, the web door and last the consumers. Stop burns
nothing: readiness goes off, the consumers are cancelled at the broker, what is in hand is finished, and only then are
connections closed.
"""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from aiormq.exceptions import ChannelNotFoundEntity
from pydantic import ValidationError

from shared import clock, crashpoints, inbox, logs, postgres, tracing
from shared.errands import store as errand_store
from shared.errors import Misconfigured
from shared.health import health_routes
from shared.lives import ended
from shared.operator_door.operators import Operators
from shared.operator_door.routes import operator_routes
from shared.service.connection import HEAD_BYTES_MAX, BoundedConnection
from shared.service.description import Service
from shared.service.running import Running
from shared.service.scrape import metrics_routes, watched_loop
from shared.web import web_app
from shared.web_limits import Limits

START_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 25.0
PRUNE_EVERY_S = 600.0
PRUNE_PAUSE_S = 0.2
COLLECTED_AFTER_OBJECTS = 10_000

SHARED = Path(__file__).parent.parent

logger = logs.get_logger()


def run(build_app: Callable[[], Service]) -> None:
    """Run a service until SIGTERM or SIGINT. Exit status 2 when a person must mend its surroundings first."""
    logs.configure(build_app.__module__.split(".")[-2])
    try:
        service = _described(build_app)
        if service.settings.crash_at:
            crashpoints.install(crashpoints.hook_of(service.settings.crash_at))
        if service.settings.traces_url:
            tracing.switch_on(service.name, service.settings.traces_url)
        if service.settings.clock_file is not None:
            clock.jump_by(clock.told_by(service.settings.clock_file))
        uvloop.run(_live(service))
    except* Misconfigured as errors:
        for error in errors.exceptions:
            logger.error("service.refused_to_start", reason=str(error))
        raise SystemExit(2) from None
    finally:
        tracing.switch_off()


def _described(build_app: Callable[[], Service]) -> Service:
    try:
        return build_app()
    except ValidationError as error:
        # The names of the settings are told, their values are not: some of them are secret.
        places = ", ".join(
            ".".join(map(str, one["loc"])) + f": {one['msg']}" for one in error.errors(include_input=False)
        )
        raise Misconfigured(f"The settings are incomplete or wrong: {places}") from None


async def _live(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    pool = await _pool_when_there(service, stop)
    if pool is None:
        return
    running = service.running = Running(service, pool)
    await _check_schema(service, pool)
    running.subscribe()
    tasks: set[asyncio.Task[None]] = set()
    web = _web_server(service)
    try:
        _start(tasks, running.owner.run(), running.relay.run(), web.serve(), _pruning(service, pool), watched_loop())
        _start(tasks, *(runner.run() for runner in running.runners.values()))
        _start(tasks, *(life() for life in service.lives))
        logger.info("service.opening")
        opening = asyncio.create_task(_open(running))
        try:
            await _first_of(stop, {*tasks, opening})
            if stop.is_set():
                return
        finally:
            await ended([opening])
        _spare_the_collector()
        _start(tasks, *(consumer.run() for consumer in running.consumers))
        logger.info("service.started", queues=[consumer.hearing.queue for consumer in running.consumers])
        await _first_of(stop, tasks)
        await _drain(running)
    finally:
        await _close(running, web, tasks)
    logger.info("service.stopped")


def _spare_the_collector() -> None:
    """Modules, models and routes live as long as the process: looking through them again and again finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER_OBJECTS)


async def _open(running: Running) -> None:
    """Connect whatever is needed; with the broker away this waits, and a stop must not have to wait with it."""
    for started in running.service.on_start:
        await started()
    await running.publisher.connect()
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            await running.broker.start()
    except ChannelNotFoundEntity as error:
        raise Misconfigured(f"The broker is not as planned ({error}): run `hosho topology apply` first.") from None


def _start(tasks: set[asyncio.Task[None]], *lives: Coroutine[Any, Any, None]) -> None:
    tasks.update(asyncio.create_task(life) for life in lives)


async def _first_of(stop: asyncio.Event, tasks: set[asyncio.Task[None]]) -> None:
    """Wait for the stop; a part that ends by itself ends the process, which its keeper starts again."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in done - {stopping}:
        task.result()


async def _drain(running: Running) -> None:
    running.stopping = True
    consumers = running.consumers
    await asyncio.gather(*(consumer.subscription.cancel() for consumer in consumers))
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            await asyncio.gather(*(consumer.drained() for consumer in consumers))
            await asyncio.gather(*(runner.drained(DRAIN_TIMEOUT_S) for runner in running.runners.values()))
            running.relay.stopping = True
            await running.relay.drained(DRAIN_TIMEOUT_S)
    except TimeoutError:
        logger.warning("service.drained_in_part", seconds=DRAIN_TIMEOUT_S, held=running.relay.held)


async def _close(running: Running, web: uvicorn.Server, tasks: set[asyncio.Task[None]]) -> None:
    running.stopping = True
    web.should_exit = True
    await ended(tasks)
    for stopped in running.service.on_stop:
        await stopped()
    with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
        await asyncio.wait_for(running.broker.stop(), 5)
    await running.publisher.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running.pool.close(), 5)


async def _pool_when_there(service: Service, stop: asyncio.Event) -> "postgres.Pool | None":
    url = service.settings.database_url.get_secret_value()
    while not stop.is_set():
        try:
            return await postgres.open_pool(url, service.name, plans_anew=service.plans_anew)
        except postgres.FAILURES as error:
            logger.warning("service.waits_for_database", kind=type(error).__qualname__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    return None


async def _check_schema(service: Service, pool: "postgres.Pool") -> None:
    """Refuse to start on a database that lacks a migration this code was written for."""
    folders = (SHARED, SHARED.parent / "services" / service.name)
    wanted = {path.name for folder in folders for path in (folder / "migrations").glob("*.sql")}
    applied = await postgres.applied_migrations(pool)
    missing = sorted(wanted - {Path(name).name for name in applied})
    if missing:
        raise Misconfigured(f"The schema lacks {', '.join(missing)}: run `hosho migrate` first.")


def _web_server(service: Service) -> uvicorn.Server:
    app = service.web or web_app(service.name)
    app.include_router(health_routes(service.reasons_not_ready, service.stages))
    settings = service.settings
    app.state.limits = Limits(settings.http_wrong_tokens_per_minute, settings.http_requests_per_second)
    operators = Operators.load(settings.operators_file)
    app.include_router(operator_routes(service, operators))
    app.include_router(metrics_routes(service, service.gauges))
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        # Unset, uvicorn would believe whoever comes from this machine, or what another variable says.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or [],
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        http=BoundedConnection,
    )
    server = uvicorn.Server(config)
    # Signals belong to the service, which drains before the web door closes.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return server


async def _pruning(service: Service, pool: "postgres.Pool") -> None:
    while True:
        await asyncio.sleep(PRUNE_EVERY_S)
        with contextlib.suppress(*postgres.FAILURES):
            for prune in (inbox.prune, errand_store.prune, *service.prunes):
                await _prune(pool, prune)


async def _prune(pool: "postgres.Pool", prune: "Callable[[postgres.Connection], Awaitable[int]]") -> None:
    """Delete what is too old, one short batch after the other, so that a day's rows never need a day to go."""
    gone = 1
    while gone:
        async with pool.acquire() as connection:
            gone = await prune(connection)
        await asyncio.sleep(PRUNE_PAUSE_S)
