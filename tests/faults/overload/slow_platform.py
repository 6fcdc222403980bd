"""Portals publish ten times faster than the platform takes: everything waits, nothing is lost, memory stays flat."""

from collections.abc import Mapping
from typing import Final

from simulators.portal.client import Portal
from simulators.portal.samples import with_platform
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.sending import apply_all, plain
from tests.faults.overload.through import LOOK_EVERY_S, issued, through
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

PLATFORM_S: Final = "3"
"""How long the platform takes for each certificate; with the bridge's 32 connections that makes about ten a second."""

TIMES_FASTER_MIN: Final = 10.0
WARM_UP: Final = 300
SETTLE_S_MAX: Final = 600.0


async def outrun_the_platform(world: World, portals: Mapping[str, Portal], count: int, say: Say) -> Findings:
    """Send so many at once to a platform that takes its time, and wait until it has taken them all."""
    portal = portals[PORTALS[1]]
    findings = Findings()
    first = plain(portal.access.portal, "W", WARM_UP)
    await apply_all(portal.access, first)
    await through(world, portal.access.portal, WARM_UP)
    small = memory.peaks(world)
    memory.forget_peaks(world)
    sent = plain(portal.access.portal, "P", count, lambda one: with_platform(one, f"slow-{PLATFORM_S}"))
    watch = elapsed_s()
    confirmed_a_second = await apply_all(portal.access, sent)
    say(f"{count} confirmed at {confirmed_a_second:.0f}/s")
    while (done := await issued(world, portal.access.portal) - WARM_UP) < count:
        say(f"  {done} issued after {watch():.0f} s")
        await lapse(LOOK_EVERY_S * 15)
    taken_a_second = count / watch()
    account = await settled(world, portals, [*first, *sent], 0, within_s=SETTLE_S_MAX, say=say)
    findings.figures |= {"confirmed a second": round(confirmed_a_second), "taken a second": round(taken_a_second, 1)}
    findings.rule("the portals were not ten times faster", holds=confirmed_a_second > taken_a_second * TIMES_FASTER_MIN)
    memory.judge(findings, small, memory.peaks(world), small_is=f"{WARM_UP} at ease", great_is=f"{count} too fast")
    findings.ledger(account)
    return findings
