"""One turn of one contender: it starts, works off its applications, is checked, and ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench.applications import PORTAL, applications
from bench.checks import check
from bench.contenders.described import Contender
from bench.grounds import Grounds
from bench.load import Portal
from bench.usage import processor_s, resident_mb
from deploy.local.supervisor import Supervisor

LOOK_EVERY_S: Final = 0.2
STALLED_S_MAX: Final = 60.0
FROM_SHARE: Final = 0.2
TO_SHARE: Final = 0.8


class Stalled(Exception):
    """A contender took nothing on for too long."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a turn brought.

    Attributes:
        per_s: applications per second between the marks of `slope`.
        rss_mb: resident memory of each process at the end, by the name of its unit.
        processor_ms: processor time for each application, by the name of the unit or server.
    """

    per_s: float
    rss_mb: dict[str, float]
    processor_ms: dict[str, float]


def slope(times_s: Sequence[float]) -> float:
    """Mails per second between the moments at which 20 % and 80 % of them had come."""
    ordered = sorted(times_s)
    first, last = int(len(ordered) * FROM_SHARE), int(len(ordered) * TO_SHARE) - 1
    return (last - first) / (ordered[last] - ordered[first])


@asynccontextmanager
async def started(grounds: Grounds, contender: Contender) -> AsyncIterator[Supervisor]:
    """A contender's processes, ready, for the length of a block."""
    supervisor = Supervisor(print, grounds.folder / "children")
    try:
        await supervisor.start(contender.units(grounds), heal=False)
        yield supervisor
    finally:
        await supervisor.stop()


async def turn(grounds: Grounds, contender: Contender, prefix: str, count: int) -> Result:
    """Start a contender, let it work off so many applications, and end it."""
    async with started(grounds, contender) as supervisor:
        pids = {name: supervisor.child(name).pid for name in contender.units(grounds)}
        return await work_off(grounds, contender, pids, prefix, count)


async def work_off(grounds: Grounds, contender: Contender, pids: Mapping[str, int], prefix: str, count: int) -> Result:
    """Hand so many applications at once to a contender that runs, and check what became of them.

    Raises:
        Stalled: if it stops before the end.
        Incomplete: if it left anything out, or did anything twice.
    """
    await grounds.sink("POST", "/forget")
    portal = Portal(grounds.portal_url(contender.name, PORTAL))
    async with portal.connected():
        before = processor_s({**grounds.pids, **pids})
        await contender.load(grounds, portal, prefix, count)
        await finished(grounds, count)
        after = processor_s({**grounds.pids, **pids})
        await portal.listen()
        taken = await check(grounds, contender.name, portal, [name for name, _ in applications(prefix, count)])
    used_ms = {name: round((after[name] - before[name]) * 1000 / count, 3) for name in after}
    rss_mb = {name: resident_mb(pid) for name, pid in pids.items()}
    return Result(slope([at_s for at_s, *_ in taken["mails"]]), rss_mb, used_ms)


async def finished(grounds: Grounds, count: int) -> None:
    """Wait until the sink has so many mails."""
    seen, moved_s = -1, time.monotonic()
    while seen < count:
        mails = (await grounds.sink("GET", "/count"))["mails"]
        if mails > seen:
            seen, moved_s = mails, time.monotonic()
        elif time.monotonic() - moved_s > STALLED_S_MAX:
            raise Stalled(f"{seen} of {count} mails came, and none for {STALLED_S_MAX:g} s; logs: {grounds.folder}")
        await asyncio.sleep(LOOK_EVERY_S)
