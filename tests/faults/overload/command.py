"""The command: every abuse in a world of its own, one after the other; writes the report."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

from deploy.local.screen import say
from deploy.places import BUILD
from simulators.portal.client import Access, Portal
from tests.faults.building import world_of_its_own
from tests.faults.overload.backlog import wait_in_a_queue
from tests.faults.overload.findings import Findings
from tests.faults.overload.flooding import flood
from tests.faults.overload.large_bodies import send_large_bodies
from tests.faults.overload.ops_away import leave_ops_away
from tests.faults.overload.slow_clients import TOO_MANY, be_slow
from tests.faults.overload.slow_platform import outrun_the_platform
from tests.faults.overload.unreadable import GARBLER, send_garbage
from tests.faults.rounds import commit
from tests.faults.workload import portals_of
from tests.faults.world import World

REPORT: Final = BUILD / "overload.json"

Abuse = Callable[[World, Mapping[str, Portal], int], Awaitable[Findings]]


async def _unreadable(world: World, portals: Mapping[str, Portal], count: int) -> Findings:
    return await send_garbage(world, portals, garbler_of(world), count, say)


ABUSES: Final[Mapping[str, tuple[Abuse, int]]] = {
    "slow-platform": (lambda world, portals, count: outrun_the_platform(world, portals, count, say), 3_000),
    "flood": (lambda world, portals, count: flood(world, portals, count, say), 10_000),
    "backlog": (lambda world, portals, count: wait_in_a_queue(world, portals, count, say, drained=False), 100_000),
    "drain": (lambda world, portals, count: wait_in_a_queue(world, portals, count, say, drained=True), 100_000),
    "unreadable": (_unreadable, 100_000),
    "large-bodies": (lambda world, portals, count: send_large_bodies(world, portals, count, say), 20),
    "slow-clients": (lambda world, portals, count: be_slow(world, portals, count, say, crowd=TOO_MANY), 100),
    "ops-away": (lambda world, portals, count: leave_ops_away(world, portals, count, say), 5_000),
}
"""By name: the abuse and its usual size."""

USUAL: Final = tuple(name for name in ABUSES if name != "drain")
"""What runs when nothing is named; draining 100,000 takes its time."""


def garbler_of(world: World) -> Portal:
    """The portal that sends garbage. It listens only when it is entered."""
    system = world.system
    return Portal(
        Access(
            portal=GARBLER,
            broker_url=system.broker_url(GARBLER),
            intake_url=system.url("intake"),
            issuer_url=system.url("issuer"),
            token=system.token(GARBLER),
        )
    )


async def overload(names: tuple[str, ...], count: int | None) -> int:
    """Carry these out and print what each showed; 1 if a rule was broken."""
    report: dict[str, object] = {"commit": commit()}
    broken = 0
    for name in names:
        findings = await _one(name, count)
        for line in (f"{name}:", *findings.told()):
            say(line)
        report[name] = {"figures": findings.figures, "broken": findings.broken}
        broken += len(findings.broken)
        BUILD.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return 1 if broken else 0


async def _one(name: str, count: int | None) -> Findings:
    abuse, usual = ABUSES[name]
    async with AsyncExitStack() as held:
        world = await held.enter_async_context(world_of_its_own("faults-overload"))
        portals = await held.enter_async_context(portals_of(world))
        findings = await abuse(world, portals, count or usual)
        findings.rule(f"fell by themselves: {world.tally.fell}", holds=not world.tally.fell)
        return findings
