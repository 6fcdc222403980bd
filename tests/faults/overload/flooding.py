"""One portal floods while another sends one application a second: who waits?"""

from collections.abc import Mapping

from simulators.portal.client import Portal
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.quiet import quietly, stages
from tests.faults.overload.sending import apply_all, plain
from tests.faults.overload.through import through
from tests.faults.pauses import elapsed_s
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

SETTLE_S_MAX = 300.0


async def flood(world: World, portals: Mapping[str, Portal], count: int, say: Say) -> Findings:
    """Let one portal send so many as fast as the broker takes them, and the other go on as ever."""
    quiet_one, flooding_one = PORTALS
    findings = Findings()
    sent = plain(flooding_one, "F", count)
    watch = elapsed_s()
    async with quietly(portals[quiet_one], "Q") as quiet:
        rate = await apply_all(portals[flooding_one].access, sent)
        say(f"{count} confirmed at {rate:.0f}/s; waiting until they are issued")
        await through(world, flooding_one, count)
        findings.figures |= {"flood": count, "confirmed a second": round(rate)}
        findings.figures["issued a second"] = round(count / watch(), 1)
    account = await settled(world, portals, [*sent, *quiet.sent], 0, within_s=SETTLE_S_MAX, say=say)
    findings.figures |= await stages(world, quiet_one, quiet.waits)
    findings.figures["peak MB"] = dict(memory.peaks(world))
    quiet.judge(findings)
    findings.ledger(account)
    return findings
