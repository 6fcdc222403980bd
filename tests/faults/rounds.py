"""One round: applications flow while a plan of faults is carried out; then everything must come to its end."""

import asyncio
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.places import BUILD, CHECKOUT
from simulators.portal.client import Portal
from tests.faults.expected import Sent
from tests.faults.kinds import Fault
from tests.faults.ledger import Account
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.plan import Plan
from tests.faults.settling import Say, left_in_queues, settled
from tests.faults.workload import Workload
from tests.faults.world import World

REPORT: Final = BUILD / "faults.json"
TOLD_EVERY: Final = 10
STRIKE_AGAIN_S: Final = 2.0
AHEAD_PART: Final = 0.03
"""How far the applications and the faults may run ahead of each other, as a part of the whole: they last equally."""


@dataclass(slots=True)
class Outcome:
    """What a round came to.

    Attributes:
        struck: how many faults of each kind hit something; missed: those that found nothing to hit, and why.
        spent_s: how long the faults of each kind took, all tries together.
        recovered_s: from the end of the last fault to the clean account.
    """

    plan: Plan
    account: Account
    world: World
    struck: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    spent_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    took_s: float = 0.0
    recovered_s: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, no service fell by itself, and enough was done to prove anything."""
        return self.account.clean and not self.world.tally.fell and self.proves_enough

    @property
    def proves_enough(self) -> bool:
        """Whether as many faults of as many kinds hit something as the plan asks for."""
        plan = self.plan
        enough = self.struck.total() >= plan.struck_min and len(self.struck) >= plan.kinds_min
        return enough and plan.must <= set(self.struck)

    @property
    def figures(self) -> dict[str, float | int]:
        """The figures of the report, under the names it promises."""
        account, tally = self.account, self.world.tally
        return {
            "seed": self.plan.seed,
            "applications": account.attempted,
            "acknowledged": account.acknowledged,
            "lost": len(account.lost),
            "doubled": len(account.doubled),
            "doubled_mails_in_the_known_windows": len(account.doubled_mails_in_the_known_windows),
            "order_violations": len(account.order_violations),
            "issued_at_mismatches": len(account.issued_at_mismatches),
            "keys_leaked": len(account.leaked),
            "parked": account.parked,
            "kills": tally.kills,
            "restarts": tally.restarts,
            "cuts": tally.cuts,
            "recovered_s": round(self.recovered_s, 1),
            "faults_struck": self.struck.total(),
            "kinds_struck": len(self.struck),
            "faults_missed": len(self.missed),
            "took_s": round(self.took_s, 1),
        }


@dataclass(frozen=True, slots=True)
class Size:
    """How big a round is.

    Attributes:
        senders: applications on their way at once; lanes: faults at once.
        settle_s_max: how long the end may take.
        strikes: how often a fault that finds nothing to hit is tried.
    """

    senders: int
    lanes: int
    settle_s_max: float
    strikes: int = 5


async def carried_out(
    world: World, portals: Mapping[str, Portal], plan: Plan, sent: list[Sent], size: Size, say: Say
) -> Outcome:
    """Let the applications flow at the pace of the plan, then wait for the last word."""
    outcome = Outcome(plan, Account(), world)
    watch = elapsed_s()
    load = Workload(dict(portals), sent, plan.seed)
    for line in (
        f"seed {plan.seed}, commit {commit()}, {len(sent)} applications, {len(plan.faults) - plan.spares} faults",
    ):
        say(line)
    flowing = asyncio.create_task(load.flow(size.senders))
    waiting = iter(enumerate(plan.faults, start=1))
    async with asyncio.TaskGroup() as group:
        for _ in range(size.lanes):
            group.create_task(_lane(waiting, outcome, load, size, say))
    load.allow(len(sent))
    await flowing
    after = elapsed_s()
    say(f"{outcome.struck.total()} faults of {len(outcome.struck)} kinds struck within {watch():.0f} s")
    outcome.account = await settled(world, portals, sent, world.tally.poison, within_s=size.settle_s_max, say=say)
    outcome.recovered_s = after()
    outcome.account.left_behind += await left_in_queues(world)
    outcome.took_s = watch()
    return outcome


async def _lane(waiting: Iterator[tuple[int, Fault]], outcome: Outcome, load: Workload, size: Size, say: Say) -> None:
    """Carry out one fault after the other, none before its share of the applications is received."""
    wanted, applications = len(outcome.plan.faults) - outcome.plan.spares, len(load.sent)
    ahead = max(size.senders, int(applications * AHEAD_PART))
    for number, fault in waiting:
        struck = outcome.struck.total()
        if number > wanted and struck >= wanted:
            return
        share = min(applications, applications * (struck + 1) // wanted)
        load.allow(min(applications, share + ahead))
        await load.has_brought(max(0, share - ahead))
        watch = elapsed_s()
        await _strike(fault, outcome, size.strikes)
        outcome.spent_s[fault.kind] += watch()
        if number % TOLD_EVERY == 0:
            progress = f"{outcome.struck.total()} of {wanted} faults struck, {len(outcome.missed)} missed"
            say(f"[{number}] {progress}; {load.acknowledged} of {applications} applications received")


async def _strike(fault: Fault, outcome: Outcome, strikes: int) -> None:
    for tries_left in reversed(range(strikes)):
        try:
            await fault.strike(outcome.world)
        except Exception as error:  # noqa: BLE001 - clients say anything when they are cut, even a bare Exception.
            # Another fault has just taken away what this one wanted to hit; it will be there again.
            if not tries_left:
                outcome.missed.append(f"{fault}: {type(error).__name__} {error}"[:200])
                return
            await lapse(STRIKE_AGAIN_S)
        else:
            outcome.struck[fault.kind] += 1
            return


def report(outcome: Outcome, path: Path = REPORT) -> None:
    """Write the figures where `make` promises them."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(outcome.figures, indent=1) + "\n", encoding="utf-8")


def told(outcome: Outcome) -> list[str]:
    """The outcome in words."""
    tally = outcome.world.tally
    lines = [", ".join(f"{name} {value}" for name, value in outcome.figures.items())]
    lines += [f"ended: {dict(sorted(outcome.account.ended.items()))}; the round took {outcome.took_s:.0f} s"]
    lines += [f"missed: {line}" for line in outcome.missed]
    if not outcome.proves_enough:
        asked = f"{outcome.plan.struck_min} of {outcome.plan.kinds_min} kinds are asked for"
        lacking = sorted(outcome.plan.must - set(outcome.struck))
        lines.append(f"TOO LITTLE WAS STRUCK: {asked}{', and above all ' if lacking else ''}{', '.join(lacking)}")
    if outcome.account.left_behind:
        lines.append(f"NOT OVER after {outcome.recovered_s:.0f} s: what is still under way is counted as lost")
    lines += [f"FELL BY ITSELF: {name}" for name in tally.fell]
    lines += [f"NOT CLEAN {name}: {line}" for name, found in outcome.account.faulty.items() for line in found[:20]]
    return [*lines, "the ledger is clean" if outcome.account.clean else "THE LEDGER IS NOT CLEAN"]


def commit() -> str:
    """The commit this runs from, marked when files differ from it."""
    command = ("git", "describe", "--always", "--dirty", "--exclude", "*")
    found = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"
