"""What the tests of the delivery core look at: queues, tables, log lines."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aio_pika
import asyncpg
import pytest

from shared import owner, relay, subscription
from shared.delivery import consumer
from shared.errands import breaker, recording, runner, stages
from tests.conftest import Servers
from tests.service.shared.telling import Mouth

if TYPE_CHECKING:
    Tables = asyncpg.Connection[asyncpg.Record]


@pytest.fixture
async def mouth(emptied: Servers) -> AsyncIterator[Mouth]:
    """Puts messages on the broker by hand; every queue and table is empty before."""
    connection = await aio_pika.connect(emptied.broker_admin_url)
    async with connection:
        yield Mouth(await connection.channel())


@pytest.fixture
async def tables(emptied: Servers) -> AsyncIterator["Tables"]:
    """The worker's database as the owner of all tables, which are empty at first."""
    connection = await asyncpg.connect(emptied.owner_url)
    yield connection
    await connection.close()


@dataclass
class Ear:
    """A logger that keeps what it is told."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **facts: Any) -> None:
        self.lines.append(("info", event, facts))

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append(("warning", event, facts))

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append(("error", event, facts))

    def heard(self, level: str, event: str) -> list[dict[str, Any]]:
        """The facts of every line of this level and event."""
        return [facts for its_level, its_event, facts in self.lines if (its_level, its_event) == (level, event)]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Ear:
    """Everything the delivery core logs in this process."""
    ear = Ear()
    for module in (owner, relay, subscription, consumer, runner, recording):
        monkeypatch.setattr(module, "logger", ear)
    return ear


@pytest.fixture
def quick_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps, probes and ramps in tenths of seconds."""
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.1)
    for name, value in {"PROBE_S_MIN": 0.2, "PROBE_S_MAX": 0.4, "OUR_FAULT_PROBE_S": 0.5, "RAMP_S": 0.3}.items():
        monkeypatch.setattr(breaker, name, value)
    monkeypatch.setattr(stages, "RAMP_S", 0.3)
