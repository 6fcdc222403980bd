"""A short round of everything brief, on the worker's servers: the promises of the architecture, kept or not."""

from deploy.local.screen import say
from shared.topology import SERVICES
from tests.conftest import Servers
from tests.faults.building import world_on
from tests.faults.plan import quick
from tests.faults.rounds import Size, carried_out, report, told
from tests.faults.workload import GENTLE, applications, portals_of

SEED = 2026
APPLICATIONS = 60
SIZE = Size(senders=6, lanes=2, settle_s_max=60, strikes=2)


async def test_brief_faults_lose_double_and_misdate_nothing(fresh_database: Servers) -> None:
    """Every service killed, connections cut, the outside in trouble, while applications flow; writes the report."""
    where = fresh_database
    async with world_on(where.local, where.database, where.vhost) as world, portals_of(world) as portals:
        sent = applications(SEED, APPLICATIONS, GENTLE)
        outcome = await carried_out(world, portals, quick(SEED), sent, SIZE, say)
    report(outcome)

    assert outcome.clean, "\n".join(told(outcome))
    assert outcome.account.attempted == APPLICATIONS
    assert outcome.account.parked == world.tally.poison > 0
    assert world.tally.kills >= len(SERVICES)
