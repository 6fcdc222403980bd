"""Any process may die like a power cut while applications flow: everything still ends, nothing twice."""

import asyncio
from itertools import islice

import pytest

from shared.topology import SERVICES
from simulators.portal.client import Portal
from simulators.portal.samples import samples
from tests.e2e.conftest import PORTAL, System
from tests.e2e.ledger import account
from tests.eventually import eventually

APPLICATIONS = 30
KILL_AFTER = 12
SETTLED_S_MAX = 240.0
"""Nobody promises a time here, and on a busy machine a service that was killed takes long to be back."""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_killed_service_loses_and_doubles_nothing(system: System, portal: Portal, service: str) -> None:
    """SIGKILL in the middle of a flow, twice; the keeper starts it again."""
    taken = list(islice(samples(PORTAL, 1000 + SERVICES.index(service)), APPLICATIONS))
    for number, sample in enumerate(taken):
        await portal.apply_until_received(sample.application)
        if number in (KILL_AFTER, KILL_AFTER * 2):
            system.supervisor.kill(service)
            await asyncio.sleep(0)

    async def settled() -> bool:
        if not await system.is_up(service):
            return False
        told = await account(system, portal, [sample.application for sample in taken])
        assert told.clean, told
        return True

    await eventually(settled, within_s=SETTLED_S_MAX)
