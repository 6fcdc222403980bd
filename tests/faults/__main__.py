"""The commands: `python -m tests.faults quick | crash-points | storm | regressions | away | …`; see `COMMANDS`."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.local.screen import say
from shared.topology import SERVICES
from tests.faults import plan
from tests.faults.breaking import break_all
from tests.faults.breaks import BREAKS
from tests.faults.building import world_of_its_own
from tests.faults.canary.story import canary
from tests.faults.overload.command import ABUSES, USUAL, overload
from tests.faults.points import Visits, steering, visit_all
from tests.faults.rounds import Outcome, Size, carried_out, report, told
from tests.faults.seeds import REGRESSIONS
from tests.faults.workload import GENTLE, ROUGH, applications, decide, portals_of

COMMANDS: Final = ("quick", "crash-points", "storm", "regressions", "away", "overload", "breaks", "canary")
QUICK_APPLICATIONS: Final = 60
STORM_APPLICATIONS: Final = 1_000
CANARY_APPLICATIONS: Final = 60
FAULTS: Final = 200
QUICK: Final = Size(senders=6, lanes=2, settle_s_max=40, strikes=2)
STORM: Final = Size(senders=48, lanes=6, settle_s_max=1_800)
AWAY_APPLICATIONS: Final = 200
AWAY: Final = Size(senders=12, lanes=1, settle_s_max=900)


async def crash_points(seed: int, services: Sequence[str]) -> int:
    """Visit every crash point of these services; prints the list."""
    with tempfile.TemporaryDirectory(prefix="hosho-points-") as folder:
        given = steering(Path(folder))
        async with (
            world_of_its_own("faults-crash-points", conclusion="core", given=given) as world,
            portals_of(world) as portals,
        ):
            core = asyncio.create_task(decide(world, portals))
            visits = await visit_all(world, Path(folder), portals, seed, say, services)
            core.cancel()
    _print(visits)
    return 0 if visits.clean else 1


def _print(visits: Visits) -> None:
    for service, point in visits.visited:
        say(f"  died at {service:<16} {point}")
    for service, point in visits.missed:
        say(f"  MISSED  {service:<16} {point}")
    account = visits.account
    say(f"{len(visits.visited)} points visited, {len(visits.missed)} missed; {account.acknowledged} acknowledged")
    say("the ledger is clean" if account.clean else f"NOT CLEAN: {account.faulty}")


async def quick_round(seed: int, applications_count: int) -> int:
    """Half a minute of everything brief, on servers of its own; writes the report."""
    async with world_of_its_own("faults-quick") as world, portals_of(world) as portals:
        outcome = await carried_out(
            world, portals, plan.quick(seed), applications(seed, applications_count, GENTLE), QUICK, say
        )
    return _end(outcome)


async def storm_round(seed: int, applications_count: int, faults: int) -> int:
    """Everything at once for as long as the plan lasts; writes the report."""
    async with world_of_its_own("faults-storm") as world, portals_of(world) as portals:
        drawn = plan.storm(seed, faults, own_servers=world.owns_servers)
        for line in drawn.lines:
            say(line)
        if not world.owns_servers:
            say(f"the servers are not ours: {plan.LEFT_TO_OWN_SERVERS} are left out")
        outcome = await carried_out(world, portals, drawn, applications(seed, applications_count, ROUGH), STORM, say)
    for kind, times in sorted(outcome.struck.items()):
        say(f"  {times:>4} × {kind} ({outcome.spent_s[kind]:.0f} s)")
    return _end(outcome)


async def regressions() -> int:
    """Every storm and every quick round that ever found something, once more."""
    failed = []
    for kept in REGRESSIONS:
        say(f"seed {kept.seed} once found: {kept.found}")
        if kept.is_quick:
            code = await quick_round(kept.seed, kept.applications)
        else:
            code = await storm_round(kept.seed, kept.applications, FAULTS)
        failed += [kept.seed] if code else []
    say(f"seeds that fail again: {failed}" if failed else f"{len(REGRESSIONS)} seeds are clean")
    return 1 if failed else 0


async def away_round(seed: int, applications_count: int) -> int:
    """The platform cannot be reached for longer than any back-off; then everything goes on by itself."""
    async with world_of_its_own("faults-away") as world, portals_of(world) as portals:
        sent = applications(seed, applications_count, GENTLE)
        outcome = await carried_out(world, portals, plan.away(seed), sent, AWAY, say)
    return _end(outcome)


def _end(outcome: Outcome) -> int:
    report(outcome)
    for line in told(outcome):
        say(line)
    return 0 if outcome.clean else 1


def main() -> None:
    """Run one command; exit 1 if the ledger is not clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--applications", type=int, help="how many flow; 60 for quick, 1,000 for a storm")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same plan")
    parser.add_argument("--faults", type=int, default=FAULTS, help="how many a storm has")
    parser.add_argument("--service", choices=SERVICES, action="append", help="crash points of this one only")
    parser.add_argument("--only", choices=[one.name for one in BREAKS], action="append", help="this break only")
    parser.add_argument("--what", choices=tuple(ABUSES), action="append", help="this abuse only")
    parser.add_argument(
        "--planted", action="store_true", help="write a key where none may be, to see that the canary sings"
    )
    given = parser.parse_args()
    if given.command == "breaks":
        sys.exit(break_all(given.only or ()))
    for noisy in ("aiormq", "aio_pika"):
        # What breaks the portals' connections is our own doing.
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    commands: dict[str, Callable[[], Coroutine[Any, Any, int]]] = {
        "quick": lambda: quick_round(given.seed, given.applications or QUICK_APPLICATIONS),
        "crash-points": lambda: crash_points(given.seed, given.service or SERVICES),
        "overload": lambda: overload(tuple(given.what or USUAL), given.applications),
        "storm": lambda: storm_round(given.seed, given.applications or STORM_APPLICATIONS, given.faults),
        "regressions": regressions,
        "canary": lambda: canary(given.seed, given.applications or CANARY_APPLICATIONS, planted=given.planted),
        "away": lambda: away_round(given.seed, given.applications or AWAY_APPLICATIONS),
    }
    sys.exit(asyncio.run(commands[given.command]()))


if __name__ == "__main__":
    main()
