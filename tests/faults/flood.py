"""One portal floods while another sends one application a second: who waits, and does memory stay flat?"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Final

from shared.topology import SERVICES
from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example
from tests.faults.expected import Sent
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import Say
from tests.faults.workload import PORTALS
from tests.faults.world import World

QUIET_EVERY_S: Final = 1.0
LOOK_EVERY_S: Final = 1.0
SENDERS: Final = 32
ANSWER_S_MAX: Final = 120.0
QUIET_P99_S_MAX: Final = 5.0
MEMORY_MB_MAX: Final = 400.0

_ISSUED: Final = "select count(*) as issued from issuer.guarantee where issued_at is not null and portal = $1"


@dataclass(slots=True)
class Flood:
    """What was seen.

    Attributes:
        waits_s: how long each application of the quiet portal took from its confirm to its issue.
        memory_mb: the most each service held resident.
        sent_per_s: how fast the flood was confirmed by the broker.
    """

    sent: list[Sent] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    memory_mb: dict[str, float] = field(default_factory=dict)
    sent_per_s: float = 0.0

    @property
    def p99_s(self) -> float:
        """The wait that 99 of 100 quiet applications stay under."""
        return quantiles(self.waits_s, n=100)[-1] if len(self.waits_s) > 1 else max(self.waits_s, default=0.0)

    @property
    def bearable(self) -> bool:
        """Whether the quiet portal was served and memory stayed flat."""
        return self.p99_s <= QUIET_P99_S_MAX and max(self.memory_mb.values()) <= MEMORY_MB_MAX


async def flood(world: World, portals: Mapping[str, Portal], seed: int, count: int, say: Say) -> Flood:
    """Let one portal send so many as fast as the broker takes them, and the other go on as ever."""
    quiet, flooding = PORTALS
    seen = Flood()
    names = iter(range(count))
    watch = elapsed_s()

    async def sender() -> None:
        for number in names:
            one = Sent(flooding, example(flooding, f"F{seed}-{number:06}"), valid=True, attempted=True)
            await portals[flooding].apply_until_received(dict(one.application), timeout_s=600)
            one.acknowledged = True
            seen.sent.append(one)

    looking = asyncio.create_task(_look(world, seen))
    calm = asyncio.create_task(_send_quietly(portals[quiet], seed, seen))
    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    seen.sent_per_s = count / watch()
    say(f"{count} confirmed in {watch():.0f} s; waiting until they are through")
    while await _under_way(world, flooding, count):
        await lapse(LOOK_EVERY_S)
    say(f"all are taken in after {watch():.0f} s")
    for task in (calm, looking):
        task.cancel()
    await asyncio.gather(calm, looking, return_exceptions=True)
    return seen


async def _under_way(world: World, portal: str, count: int) -> bool:
    (row,) = await world.as_owner(_ISSUED, portal)
    return int(row["issued"]) < count


async def _send_quietly(portal: Portal, seed: int, seen: Flood) -> None:
    """One application a second; each waits for its own issue beside the next ones."""
    async with asyncio.TaskGroup() as group:
        number = 0
        while True:
            number += 1
            group.create_task(_one(portal, f"Q{seed}-{number:06}", seen))
            await lapse(QUIET_EVERY_S)


async def _one(portal: Portal, name: str, seen: Flood) -> None:
    one = Sent(portal.access.portal, example(portal.access.portal, name), valid=True, attempted=True)
    seen.sent.append(one)
    await portal.apply_until_received(dict(one.application), timeout_s=60)
    one.acknowledged = True
    watch = elapsed_s()
    await portal.answers.wait_for(name, ISSUED, timeout_s=ANSWER_S_MAX)
    seen.waits_s.append(watch())


async def _look(world: World, seen: Flood) -> None:
    while True:
        for service in SERVICES:
            held_mb = _resident_mb(world.system.pid(service))
            seen.memory_mb[service] = max(seen.memory_mb.get(service, 0.0), held_mb)
        await lapse(LOOK_EVERY_S)


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
