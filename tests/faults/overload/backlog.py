"""A hundred thousand applications wait in a portal's queue: what waits at the broker costs no service any memory."""

from collections.abc import Mapping
from typing import Final

from simulators.portal.client import Portal
from tests.faults.expected import Sent
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.sending import apply_all, plain
from tests.faults.overload.through import LOOK_EVERY_S, issued, through
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

SMALL: Final = 1_000
WATCHED: Final = 5_000
"""How many of the great crowd must be issued before memory is judged, if it is not drained wholly."""

SETTLE_S_MAX: Final = 1_800.0
TOLD_EVERY_S: Final = 30.0


async def wait_in_a_queue(
    world: World, portals: Mapping[str, Portal], count: int, say: Say, *, drained: bool
) -> Findings:
    """Let 1,000 wait and then so many; measure while they drain: all of them, or the first few thousand."""
    portal = portals[PORTALS[1]]
    findings = Findings()
    first = plain(portal.access.portal, "S", SMALL)
    await apply_all(portal.access, first)
    await through(world, portal.access.portal, SMALL)
    small = memory.peaks(world)
    memory.forget_peaks(world)
    sent = plain(portal.access.portal, "B", count)
    watch = elapsed_s()
    rate = await apply_all(portal.access, sent)
    say(f"{count} confirmed at {rate:.0f}/s; draining")
    before, since = await issued(world, portal.access.portal), elapsed_s()
    await _drain(world, portal.access.portal, SMALL + (count if drained else min(count, WATCHED)), say)
    findings.figures |= {"waiting": count, "confirmed a second": round(rate), "seconds": round(watch())}
    findings.figures["issued a second"] = round((await issued(world, portal.access.portal) - before) / since(), 1)
    memory.judge(findings, small, memory.peaks(world), small_is=f"{SMALL} waiting", great_is=f"{count} waiting")
    if drained:
        await _account(world, portals, [*first, *sent], findings, say)
    return findings


async def _drain(world: World, portal: str, until: int, say: Say) -> None:
    while (done := await issued(world, portal)) < until:
        say(f"  {done} issued; MB at most {dict(memory.peaks(world))}")
        await lapse(min(TOLD_EVERY_S, LOOK_EVERY_S + until / 1_000))


async def _account(world: World, portals: Mapping[str, Portal], sent: list[Sent], findings: Findings, say: Say) -> None:
    findings.ledger(await settled(world, portals, sent, 0, within_s=SETTLE_S_MAX, say=say))
