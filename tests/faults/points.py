"""Every crash point of every service, visited without a list: a healthy run tells them, then each is died at."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from shared.crashpoints import ARMED, FOLDER, REACHED
from shared.topology import SERVICES
from simulators.portal.client import Portal
from simulators.portal.samples import example, rejected, with_mail, with_platform
from tests.eventually import eventually
from tests.faults.expected import DECLINED, Sent
from tests.faults.keys import VIEWER
from tests.faults.ledger import Account
from tests.faults.poison import POISONABLE, poison_door, poison_events
from tests.faults.settling import Say, settled
from tests.faults.workload import PORTALS, Workload
from tests.faults.world import Environments, World

DEATH_S_MAX: Final = 20.0
SETTLE_S_MAX: Final = 90.0
ALL_AT_ONCE: Final = 16
"""A visit's applications go out together, so that batches have more than one fact."""


@dataclass(slots=True)
class Visits:
    """The loop's outcome.

    Attributes:
        steps: how often a healthy run passed each point, by service.
        visited: (service, point) at which a process died.
        missed: (service, point) that was passed in the healthy run and not in its own.
    """

    steps: dict[str, Counter[str]] = field(default_factory=dict)
    visited: list[tuple[str, str]] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    poison: int = 0

    @property
    def clean(self) -> bool:
        """Whether every point was visited and every promise kept."""
        return bool(self.visited) and not self.missed and self.account.clean


def steering(folder: Path) -> Environments:
    """The environment that lets this loop steer where services die; each has its own folder below this one."""
    for service in SERVICES:
        (folder / service).mkdir(parents=True)
    return {service: {"CRASH_AT": f"{FOLDER}{folder / service}"} for service in SERVICES}


async def visit_all(
    world: World, folder: Path, portals: Mapping[str, Portal], seed: int, say: Say, services: Sequence[str] = SERVICES
) -> Visits:
    """Count the steps of a healthy run, then die at each point of these services in turn, and draw up the account."""
    visits, sent = Visits(), []
    sent += await _run(world, portals, f"{seed}-healthy", visits)
    visits.account = await settled(world, portals, sent, visits.poison, within_s=SETTLE_S_MAX, say=say)
    if not visits.account.clean:
        say("the healthy run was not clean; no point is visited")
        return visits
    for service in services:
        passed = (folder / service / REACHED).read_text(encoding="utf-8").split("\n")
        visits.steps[service] = Counter(filter(None, passed))
        say(f"{service}: {len(visits.steps[service])} points, {visits.steps[service].total()} steps")
    order = list(_in_turn(visits.steps))
    for number, (service, point) in enumerate(order, start=1):
        say(f"[{number}/{len(order)}] {service} {point}")
        sent += await _visit(world, portals, folder / service / ARMED, service, point, f"{seed}-{number:03}", visits)
    visits.account = await settled(world, portals, sent, visits.poison, within_s=SETTLE_S_MAX, say=say)
    return visits


def _in_turn(steps: Mapping[str, Counter[str]]) -> Iterator[tuple[str, str]]:
    """One point of each service after the other, so that one recovers while the next one dies."""
    for row in zip_longest(*([(service, point) for point in sorted(steps[service])] for service in steps)):
        yield from (visit for visit in row if visit is not None)


async def _visit(
    world: World, portals: Mapping[str, Portal], armed: Path, service: str, point: str, name: str, visits: Visits
) -> list[Sent]:
    # A fact survives five deaths of its process and is parked then, rightly; so each visit begins with a clean slate.
    await eventually(partial(_nothing_counted, world, service), within_s=DEATH_S_MAX)
    world.expect_death(service)
    _arm(armed, point)
    # A portal goes on sending until it is answered, so the dead must rise while the run is still under way.
    run = asyncio.create_task(_run(world, portals, name, visits))
    if await world.died(service, DEATH_S_MAX):
        visits.visited.append((service, point))
        await world.start(service)
    else:
        visits.missed.append((service, point))
        _disarm(armed)
        world.expect_life(service)
    return await run


async def _nothing_counted(world: World, service: str) -> bool:
    (row,) = await world.as_owner(f"select count(*) as facts from {service}.attempt")
    return int(row["facts"]) == 0


def _arm(armed: Path, point: str) -> None:
    fresh = armed.with_suffix(".new")
    fresh.write_text(point, encoding="utf-8")
    fresh.rename(armed)


def _disarm(armed: Path) -> None:
    armed.unlink(missing_ok=True)


async def _run(world: World, portals: Mapping[str, Portal], name: str, visits: Visits) -> list[Sent]:
    """A few applications that together pass every point there is."""
    dice = Random(name)
    sent = _applications(name, dice)
    await _look_at_a_key(world, portals)
    listening = portals[PORTALS[0]]
    visits.poison += await poison_events(world, dice, len(POISONABLE)) + await poison_door(listening, dice)
    await listening.change({"change_id": f"C-{name}", "portal": PORTALS[0], "guarantee_number": "00000-000001"})
    load = Workload(portals, sent, name)
    load.allow(len(sent))
    await load.flow(ALL_AT_ONCE)
    return sent


async def _look_at_a_key(world: World, portals: Mapping[str, Portal]) -> None:
    """What a service commits for a caller and not for a message; the healthy run has left a key to look at."""
    for number in sorted(world.keys)[:1]:
        seen = [await eventually(partial(_shown, portal, number), within_s=DEATH_S_MAX) for portal in portals.values()]
        assert 200 in seen, f"nobody may look at {number}: {seen}"


async def _shown(portal: Portal, number: str) -> int | None:
    try:
        return (await portal.doors.reveal_key(number, VIEWER)).status
    except (aiohttp.ClientError, TimeoutError):
        return None


def _applications(name: str, dice: Random) -> list[Sent]:
    here, there = PORTALS
    plain = [Sent(portal, example(portal, f"P{name}-1"), valid=True) for portal in PORTALS]
    both = example(here, f"P{name}-2")
    paper = example(here, f"P{name}-2", "contract_performance")["guarantees"][0] | {"certificate_form": "paper"}
    both["guarantees"].append(paper)
    spoilt = [rejected(dice, example(portal, f"P{name}-3")).application for portal in PORTALS]
    return [
        *plain,
        Sent(here, both, valid=True),
        *(Sent(portal, application, valid=False) for portal, application in zip(PORTALS, spoilt, strict=True)),
        Sent(here, with_platform(example(here, f"P{name}-4"), "refuse"), valid=True),
        Sent(there, with_mail(example(there, f"P{name}-5"), "smtp-550"), valid=True),
        Sent(there, example(there, f"P{name}-7{DECLINED}"), valid=True),
        Sent(here, example(here, f"P{name}-6"), valid=True, certain=frozenset({"conflict", "repeat", "http"})),
    ]
