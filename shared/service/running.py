"""What one service holds while it lives: its pool, its lock, its relay, its errands, its consumers."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shared import clock, delivery, postgres, topology
from shared.delivery import Consumer, Hearing
from shared.envelope import decode_pack, decode_single
from shared.errands.runner import Runner
from shared.errands.stages import Shown
from shared.overload import Overload
from shared.owner import Owner
from shared.publisher import Publisher
from shared.relay import Relay
from shared.service.description import Hears, Service
from shared.subscription import Delivery, Subscription, consuming_broker
from shared.work import Desk


class Running:
    """A service with everything it holds while it lives."""

    def __init__(self, service: Service, pool: "postgres.Pool") -> None:
        settings = service.settings
        self.service, self.pool = service, pool
        self.owner = Owner(settings.database_url.get_secret_value(), service.name, pool)
        self.publisher = Publisher(settings.broker_url.get_secret_value(), f"{service.name}.publish")
        self.relay = Relay(service.name, pool, self.owner, self.publisher)
        self.runners = {errand.name: Runner(errand, pool, self.owner) for errand in service.errands}
        self.broker = consuming_broker(settings.broker_url.get_secret_value(), f"{service.name}.consume")
        hearers = [queue for message in service.announces for queue in topology.queues_of(message.TYPE)]
        self.overload = Overload(pool, self.publisher, hearers, lambda: self.relay.held)
        self.consumers: list[Consumer] = []
        self.stopping = False
        self._desk = Desk(
            service=service.name,
            pool=pool,
            owner_id=self.owner.owner_id,
            shout=self.owner.shout,
            answered=service.answered,
            relay=self.relay,
            errands=self.runners,
        )
        for runner in self.runners.values():
            runner.desk = self._desk

    def desk(self) -> Desk:
        """What units of work of this process need."""
        return self._desk

    def subscribe(self) -> None:
        """Make one consumer per queue. FastStream wants this before the broker starts."""
        suspects = asyncio.Lock()
        hearings = [_hearing(self.service.name, row) for row in self.service.hears]
        for hearing in (*hearings, *self.service.doors):
            subscription = Subscription(self.broker, hearing.queue, hearing.prefetch)
            self.consumers.append(Consumer(hearing, subscription, self.desk, suspects))

    def consumers_told(self) -> list[dict[str, Any]]:
        """What this process has in hand of each queue, and since when its deliveries wait for the database."""
        return [
            {
                "queue": consumer.hearing.queue,
                "consuming": consumer.subscription.consuming,
                "facts_in_hand": consumer.subscription.buffer.facts,
                "failing_for_s": None
                if consumer.failing_since_s is None
                else round(clock.monotonic_s() - consumer.failing_since_s, 1),
            }
            for consumer in self.consumers
        ]

    def reasons_not_ready(self) -> Mapping[str, str]:
        """See `Service.reasons_not_ready`."""
        reasons: dict[str, str] = {}
        if self.stopping:
            reasons["stop"] = "stopping"
        if not self.owner.alive:
            reasons["database"] = "the owner's lock is not held"
        if not self.publisher.connected:
            reasons["broker"] = "no connection to publish"
        silent = [consumer.hearing.queue for consumer in self.consumers if not consumer.subscription.consuming]
        if silent:
            reasons["consumers"] = f"not consuming: {', '.join(silent)}"
        failing = [consumer.hearing.queue for consumer in self.consumers if consumer.failing_since_s is not None]
        if failing:
            reasons["deliveries"] = f"waiting for the database: {', '.join(failing)}"
        return reasons

    def stages(self) -> Mapping[str, Mapping[str, str]]:
        """See `Service.stages`. The words of outsiders and operators are not among it."""
        return {name: _stage(runner.gate.shown) for name, runner in self.runners.items()}


def _stage(shown: Shown | None) -> Mapping[str, str]:
    if shown is None:
        return {"standing": "unknown"}
    times = {"since": shown.since, "until": shown.until}
    return {"standing": shown.standing, **{name: at.isoformat() for name, at in times.items() if at is not None}}


def _hearing(service: str, row: Hears) -> Hearing:
    message_type = row.message.TYPE
    decode = _decode_core if message_type in topology.CORE_HEARD else _decode_pack
    return Hearing(
        queue=topology.queue_of(service, message_type),
        decode=decode,
        handle=partial(delivery.hear, row.message, row.handler),
        park=delivery.park_fact,
        locks=row.locks,
    )


def _decode_pack(message: Delivery) -> Sequence[Any]:
    return decode_pack(message.body, topology.replayed(message.user_id, message.headers))


def _decode_core(message: Delivery) -> Sequence[Any]:
    replay = topology.replayed(message.user_id, message.headers)
    if replay:
        return decode_pack(message.body, replay)
    return decode_single(message.body, message.headers, message.routing_key, message.message_id)
