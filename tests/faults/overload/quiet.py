"""The quiet portal: one application a second, whatever the others do, and where each of them spent its time."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Final

from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example
from tests.faults.expected import Sent
from tests.faults.overload.findings import Findings
from tests.faults.pauses import lapse
from tests.faults.world import World

EVERY_S: Final = 1.0
ANSWER_S_MAX: Final = 120.0
P99_S_MAX: Final = 5.0
"""From the broker's confirm to the announcement that it is issued, for 99 of 100."""

_STEPS: Final = (
    ("accepted", "intake.application_accepted.v1"),
    ("created", "issuer.certificate_created.v1"),
    ("arrived", "platform_bridge.certificate_arrived.v1"),
    ("issued", "issuer.guarantee_issued.v1"),
)
"""The announcements on the way, in order; the journal knows the moment of each."""

_JOURNAL: Final = """
    select type, correlation, min(announced_at) as at from ops.journal_entry where correlation like $1 group by 1, 2
"""


@dataclass(slots=True)
class Wait:
    """One application of the quiet portal: when it was confirmed, and when the portal heard that it is issued."""

    name: str
    confirmed_at: datetime
    told_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """From the confirm to the portal's knowing."""
        return ((self.told_at or datetime.now(UTC)) - self.confirmed_at).total_seconds()


@dataclass(slots=True)
class Quiet:
    """What the quiet portal sent, and how long each took."""

    sent: list[Sent] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    @property
    def p99_s(self) -> float:
        """The wait that 99 of 100 stay under; the longest of a few."""
        return _p99([wait.seconds for wait in self.waits])

    def judge(self, findings: Findings) -> None:
        """The quiet portal must have been served all the while."""
        findings.figures["quiet: applications"] = len(self.waits)
        findings.figures["quiet: p99 s"] = round(self.p99_s, 2)
        findings.rule(f"the quiet portal's p99 is {self.p99_s:.2f} s", holds=self.p99_s <= P99_S_MAX)
        findings.rule("the quiet portal was not served at all", holds=bool(self.waits))


@asynccontextmanager
async def quietly(portal: Portal, mark: str) -> AsyncIterator[Quiet]:
    """Send one a second while the block runs; at its end wait for the last answers."""
    quiet = Quiet()
    over = asyncio.Event()
    sending = asyncio.create_task(_send(portal, mark, quiet, over))
    try:
        yield quiet
    finally:
        over.set()
        await sending


async def _send(portal: Portal, mark: str, quiet: Quiet, over: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        number = 0
        while not over.is_set():
            number += 1
            group.create_task(_one(portal, f"{mark}-{number:06}", quiet))
            await lapse(EVERY_S)


async def _one(portal: Portal, name: str, quiet: Quiet) -> None:
    one = Sent(portal.access.portal, example(portal.access.portal, name), valid=True, attempted=True)
    quiet.sent.append(one)
    await portal.apply_until_received(dict(one.application), timeout_s=60)
    one.acknowledged = True
    wait = Wait(one.name, datetime.now(UTC))
    quiet.waits.append(wait)
    await portal.answers.wait_for(name, ISSUED, timeout_s=ANSWER_S_MAX)
    wait.told_at = datetime.now(UTC)


async def stages(world: World, portal: str, waits: Sequence[Wait]) -> dict[str, str]:
    """Where the time went, by stage: median and p99 in seconds."""
    moments: dict[str, dict[str, datetime]] = {}
    for row in await world.as_owner(_JOURNAL, f"{portal}/%"):
        moments.setdefault(row["correlation"], {})[row["type"]] = row["at"]
    spent: dict[str, list[float]] = {}
    for wait in waits:
        for stage, seconds in _spent(wait, moments.get(wait.name, {})):
            spent.setdefault(stage, []).append(seconds)
    return {stage: f"median {median(found):.2f} p99 {_p99(found):.2f}" for stage, found in spent.items()}


def _spent(wait: Wait, moments: dict[str, datetime]) -> Iterator[tuple[str, float]]:
    before, at = "confirmed", wait.confirmed_at
    for stage, message_type in _STEPS:
        if message_type in moments:
            yield f"{before} → {stage}", (moments[message_type] - at).total_seconds()
            before, at = stage, moments[message_type]
    if wait.told_at is not None:
        yield f"{before} → told", (wait.told_at - at).total_seconds()


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[-1] if len(seconds) > 1 else max(seconds, default=0.0)
