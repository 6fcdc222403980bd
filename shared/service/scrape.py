"""`/metrics`: the counters as they are, and the gauges set at the moment somebody scrapes.

It is open to whoever reaches the port, like the health routes: it holds no id, no name of a person and no secret.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared import clock, inbox, metrics, postgres
from shared.errands import due_store
from shared.errands import operators as acts
from shared.errands.stages import Standing
from shared.health import version
from shared.operator_door import store

if TYPE_CHECKING:
    from shared.service.description import Service
    from shared.service.running import Running

SCRAPE_S_MAX: Final = 4.0
LAG_EVERY_S: Final = 0.5
UNSETTLED: Final = ("due", "calling", "waiting", "held")

Gauges = Callable[[], Awaitable[None]]


def metrics_routes(service: "Service", more: Gauges | None = None) -> APIRouter:
    """The route; `more` sets the gauges that only this service has."""
    router = APIRouter(tags=["health"])
    metrics.BUILD.labels(service.name, version()).set(1)

    @router.get("/metrics", include_in_schema=False)
    async def scraped() -> Response:
        """Every metric in the text format of Prometheus."""
        reasons = service.reasons_not_ready()
        metrics.READY.set(0 if reasons else 1)
        if service.running is not None:
            _of_process(service.running)
            metrics.DATABASE_UP.set(await _of_tables(service, more))
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router


def _of_process(running: "Running") -> None:
    pool = running.pool
    metrics.OWNER_ALIVE.set(running.owner.alive)
    metrics.BROKER_CONNECTED.set(running.publisher.connected)
    metrics.RELAY_HELD.set(running.relay.held)
    metrics.POOL.labels("idle").set(pool.get_idle_size())
    metrics.POOL.labels("busy").set(pool.get_size() - pool.get_idle_size())
    metrics.POOL_MAX.set(pool.get_max_size())
    for consumer in running.consumers:
        queue = consumer.hearing.queue
        metrics.introduce(queue=queue)
        metrics.CONSUMER_UP.labels(queue).set(consumer.subscription.consuming)
        metrics.IN_HAND.labels(queue).set(consumer.subscription.buffer.facts)
        since_s = consumer.failing_since_s
        age_s = 0.0 if since_s is None else clock.monotonic_s() - since_s
        metrics.FAILING_SINCE.labels(queue).set(0 if since_s is None else clock.now().timestamp() - age_s)
    for name in running.runners:
        metrics.introduce(errand=name)


async def _of_tables(service: "Service", more: Gauges | None) -> bool:
    """Set what stands in tables; False when the database did not answer in time, and then they stay as they were."""
    try:
        async with asyncio.timeout(SCRAPE_S_MAX):
            async with service.pool.acquire() as connection:
                waiting = await store.outbox(connection)
                parked = await inbox.parked_counts(connection)
            metrics.OUTBOX.set(waiting.rows)
            metrics.OUTBOX_FAILING.set(waiting.failing)
            metrics.OUTBOX_OLDEST.set(timestamp(waiting.oldest_at))
            metrics.INBOX_PARKED.clear()
            for queue, facts in parked.items():
                metrics.INBOX_PARKED.labels(queue).set(facts)
            for errand in service.errands:
                await _of_errand(service, errand.name)
            if more is not None:
                await more()
    except postgres.FAILURES as error:
        if not postgres.is_transient(error):
            raise
        return False
    return True


async def _of_errand(service: "Service", name: str) -> None:
    errand = next(one for one in service.errands if one.name == name)
    _, shown = await acts.look(service.pool, errand)
    async with service.pool.acquire() as connection:
        counts = await due_store.counts(connection, name)
    for which in UNSETTLED:
        metrics.ERRAND_ROWS.labels(name, which).set(getattr(counts, which))
    metrics.ERRAND_OLDEST.labels(name).set(timestamp(counts.oldest_at))
    for standing in Standing:
        metrics.STAGE.labels(name, standing).set(standing is shown.standing)
    metrics.STAGE_SINCE.labels(name).set(timestamp(shown.since))


def timestamp(at: datetime | None) -> float:
    """A time as Prometheus writes it; 0 for none."""
    return 0.0 if at is None else at.timestamp()


async def watched_loop() -> None:
    """Measure for ever how late the loop wakes a sleeper."""
    while True:
        before_s = clock.monotonic_s()
        await asyncio.sleep(LAG_EVERY_S)
        metrics.LOOP_LAG.observe(max(0.0, clock.monotonic_s() - before_s - LAG_EVERY_S))
