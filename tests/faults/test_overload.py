"""Abuse in small, on the worker's servers: what must hold whatever the speed of the machine."""

from collections.abc import AsyncIterator, Mapping

import pytest

from deploy.local.screen import say
from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import Application, example
from tests.conftest import Servers
from tests.faults.building import world_on
from tests.faults.expected import Sent
from tests.faults.overload import large_bodies, unreadable
from tests.faults.overload.command import garbler_of
from tests.faults.overload.findings import Findings
from tests.faults.overload.sending import apply_all, plain
from tests.faults.overload.slow_clients import crowd_in
from tests.faults.overload.through import issued
from tests.faults.settling import settled
from tests.faults.workload import PORTALS, portals_of
from tests.faults.world import World

FLOOD = 400
GARBAGE = 300
CROWD = 520
SETTLE_S_MAX = 120.0


@pytest.fixture(scope="module")
async def world(servers_of_module: Servers) -> AsyncIterator[World]:
    """One living system for all abuses here; the flood comes first, since its account tolerates no garbage."""
    where = servers_of_module
    async with world_on(where.local, where.database, where.vhost) as world:
        yield world


@pytest.fixture(scope="module")
async def portals(world: World) -> AsyncIterator[Mapping[str, Portal]]:
    """The portals of the workload."""
    async with portals_of(world) as portals:
        yield portals


def _without_mail(application: Application) -> Application:
    return {**application, "completion_mail": {"wanted": False, "address": None}}


async def test_a_quiet_portal_is_served_in_the_midst_of_a_flood(world: World, portals: Mapping[str, Portal]) -> None:
    """Its application comes last and is issued long before the flood is; and nothing of the flood is lost."""
    quiet, flooding = PORTALS
    flood = plain(flooding, "F", FLOOD, _without_mail)
    await apply_all(portals[flooding].access, flood)
    one = Sent(quiet, example(quiet, "Q-1"), valid=True, attempted=True)
    before = await issued(world, flooding)
    await portals[quiet].apply_until_received(dict(one.application))
    one.acknowledged = True
    await portals[quiet].answers.wait_for("Q-1", ISSUED, timeout_s=SETTLE_S_MAX)
    meanwhile = await issued(world, flooding) - before
    account = await settled(world, portals, [*flood, one], 0, within_s=SETTLE_S_MAX, say=say)

    # What was issued while the flood was still being published says nothing about who goes first.
    assert meanwhile < (FLOOD - before) // 2
    assert account.clean, account.faulty


async def test_garbage_is_answered_and_parked_one_by_one(world: World) -> None:
    findings = Findings()
    garbler = garbler_of(world)
    await unreadable.send_and_park(world, garbler, GARBAGE, say)
    await unreadable.answered(garbler, GARBAGE, findings)
    await unreadable.consistent(world, garbler.access.portal, GARBAGE, findings)

    assert not findings.broken


async def test_large_bodies_are_refused_before_they_are_read(world: World, portals: Mapping[str, Portal]) -> None:
    findings = Findings()
    await large_bodies.refused_over_http(world.system.url("intake"), world.system.token(PORTALS[1]), findings)
    await large_bodies.refused_over_amqp(portals[PORTALS[1]], findings)

    assert not findings.broken


async def test_a_crowd_is_told_to_come_again(world: World) -> None:
    findings = Findings()
    await crowd_in(world.system.url("intake"), world.system.token(PORTALS[1]), CROWD, findings)

    assert not findings.broken
    assert findings.figures["crowd: told to come again"]
