"""ops is away while applications flow: business goes on, the journal waits at the broker, and nothing is missing."""

from collections.abc import Mapping
from typing import Final

from shared.topology import JOURNAL_QUEUE
from simulators.portal.client import Portal
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.sending import apply_all, plain
from tests.faults.overload.through import through
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

LOOK_EVERY_S: Final = 0.5
SETTLE_S_MAX: Final = 600.0
FACTS_OF_ONE: Final = (
    "intake.application_accepted.v1",
    "issuer.certificate_created.v1",
    "platform_bridge.certificate_arrived.v1",
    "issuer.guarantee_issued.v1",
    "notifier.mail_sent.v1",
)
"""What is announced of every plain application, once each."""

_JOURNAL: Final = "select type, count(*) as facts from ops.journal_entry group by 1"
_ENTRIES: Final = "select count(*) as facts from ops.journal_entry"


async def leave_ops_away(world: World, portals: Mapping[str, Portal], count: int, say: Say) -> Findings:
    """Stop ops, let so many flow to their issue, start it again, and wait until its journal is complete."""
    portal = portals[PORTALS[1]]
    findings = Findings()
    await world.end("ops")
    sent = plain(portal.access.portal, "O", count)
    watch = elapsed_s()
    await apply_all(portal.access, sent)
    await through(world, portal.access.portal, count)
    went_on_s = watch()
    (entries,) = await world.as_owner(_ENTRIES)
    findings.rule("somebody wrote the journal while ops was away", holds=entries["facts"] == 0)
    say(f"{count} issued without ops in {went_on_s:.0f} s; ops comes back")
    back = elapsed_s()
    await world.start("ops")
    facts = await _caught_up(world, count)
    findings.figures |= {"issued without ops": count, "seconds": round(went_on_s), "caught up in s": round(back(), 1)}
    findings.figures["journal"] = facts
    for name in FACTS_OF_ONE:
        findings.rule(f"the journal has {facts.get(name, 0)} of {name}, not {count}", holds=facts.get(name) == count)
    findings.ledger(await settled(world, portals, sent, 0, within_s=SETTLE_S_MAX, say=say))
    findings.figures["journal's queue"] = JOURNAL_QUEUE
    return findings


async def _caught_up(world: World, count: int) -> dict[str, int]:
    """The journal once it holds everything that must be there, or what it holds when the time is up."""
    facts: dict[str, int] = {}
    for _ in range(round(SETTLE_S_MAX / LOOK_EVERY_S)):
        facts = {row["type"]: row["facts"] for row in await world.as_owner(_JOURNAL)}
        if all(facts.get(name, 0) >= count for name in FACTS_OF_ONE):
            break
        await lapse(LOOK_EVERY_S)
    return facts
