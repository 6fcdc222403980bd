"""A portal sends nothing but garbage: each is answered and parked as promised, and the others are served meanwhile."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

import aio_pika

from simulators.portal.client import REJECTED, Portal
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.quiet import quietly, stages
from tests.faults.overload.sending import message, send_all
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

GARBLER: Final = "portal-c"
"""Has a queue for its answers, which nobody reads while it sends: they can be counted there."""

SHAPES: Final = (b"\xff\xfe\x00 %s", b'{"application_id": "%s', b'["%s"]', b'"%s"', b"<xml>%s</xml>", b"{} %s")
CONTENT_TYPES: Final = ("application/json", "text/xml", "application/octet-stream", "")
LARGE_EVERY: Final = 200
LARGE_BYTES: Final = 100_000
"""Now and then one is larger than what the desk keeps of a body."""

KEPT_BYTES_MAX: Final = 65_536
LOOK_EVERY_S: Final = 1.0
TOLD_EVERY: Final = 15
SETTLE_S_MAX: Final = 300.0

_DESK: Final = """
    select count(*) as parked, count(distinct fact_id) as different,
           count(*) filter (where consumer like 'intake.%' and code = 'unreadable') as told_so,
           coalesce(max(length(decode(convert_from(body, 'UTF8')::json->>'unreadable_base64', 'base64'))), 0) as kept,
           coalesce(max((convert_from(body, 'UTF8')::json->>'length_bytes')::int), 0) as longest,
           count(convert_from(body, 'UTF8')::json->>'sha256') as hashed
      from ops.parked_fact
"""
_ANSWERED: Final = "select count(*) as answers from intake.submission where portal = $1 and outcome = 'rejected'"
_TOLD: Final = "select count(*) as told from ops.journal_entry where type = $1"


def garbage(seed: int, count: int) -> Iterator[aio_pika.Message]:
    """So many messages that nobody can read, all different, the same again for the same seed."""
    dice = Random(seed)
    for number in range(count):
        mark = b"%d %032x" % (number, dice.getrandbits(128))
        body = dice.choice(SHAPES) % mark
        if number % LARGE_EVERY == 0:
            body += b"\x01" * LARGE_BYTES
        yield message(body, f"G{seed}-{number:06}", dice.choice(CONTENT_TYPES))


async def send_garbage(world: World, portals: Mapping[str, Portal], garbler: Portal, count: int, say: Say) -> Findings:
    """Send so many unreadable messages while another portal goes on as ever."""
    findings = Findings()
    quiet_one = PORTALS[0]
    small = max(1, min(1_000, count // 10))
    async with quietly(portals[quiet_one], "U") as quiet:
        await send_and_park(world, garbler, small, say)
        little = memory.peaks(world)
        memory.forget_peaks(world)
        watch = elapsed_s()
        rate = await send_all(garbler.access, garbage(2, count))
        await _parked(world, small + count, say)
        findings.figures |= {"unreadable": count, "confirmed a second": round(rate)}
        findings.figures["parked a second"] = round(count / watch())
        memory.judge(findings, little, memory.peaks(world), small_is=f"{small} unreadable", great_is=f"{count}")
    # A world with a full queue of answers is not at rest.
    await answered(garbler, small + count, findings)
    account = await settled(world, portals, quiet.sent, small + count, within_s=SETTLE_S_MAX, say=say)
    findings.figures |= await stages(world, quiet_one, quiet.waits)
    quiet.judge(findings)
    findings.ledger(account)
    await consistent(world, garbler.access.portal, small + count, findings)
    return findings


async def send_and_park(world: World, garbler: Portal, count: int, say: Say) -> None:
    """Send so many and wait until they are on the desk."""
    await send_all(garbler.access, garbage(1, count))
    await _parked(world, count, say)


async def _parked(world: World, count: int, say: Say) -> None:
    looks = 0
    while (there := int((await world.as_owner("select count(*) as n from ops.parked_fact"))[0]["n"])) < count:
        looks += 1
        if looks % TOLD_EVERY == 0:
            say(f"  {there} on the desk")
        await lapse(LOOK_EVERY_S)


async def consistent(world: World, portal: str, count: int, findings: Findings) -> None:
    """Each is on the desk once, with its length and hash, kept in part if it is large; each answer is on record."""
    (desk,) = await world.as_owner(_DESK)
    (noted,) = await world.as_owner(_ANSWERED, portal)
    (told,) = await world.as_owner(_TOLD, REJECTED)
    findings.figures["desk"] = dict(desk)
    for name in ("parked", "different", "told_so", "hashed"):
        findings.rule(f"desk: {name} {desk[name]}, not {count}", holds=desk[name] == count)
    findings.rule(f"desk: kept {desk['kept']} bytes of a body", holds=0 < desk["kept"] <= KEPT_BYTES_MAX)
    findings.rule(f"desk: the longest was {desk['longest']}", holds=desk["longest"] > LARGE_BYTES)
    findings.rule(f"{noted['answers']} answers, not {count}", holds=noted["answers"] == count)
    findings.rule(f"{told['told']} rejections announced, not {count}", holds=told["told"] == count)


async def answered(garbler: Portal, count: int, findings: Findings) -> None:
    """The portal's own queue holds one answer for each, with the message's id in it."""
    async with garbler:
        for _ in range(round(SETTLE_S_MAX / LOOK_EVERY_S)):
            if await garbler.answers.count() >= count:
                break
            await lapse(LOOK_EVERY_S)
        answers = await garbler.answers.all(limit=-1)
    named = {str(answer.data["message_id"]) for answer in answers if isinstance(answer.data, dict)}
    findings.figures["answers in the portal's queue"] = len(answers)
    findings.rule(f"{len(named)} message ids were answered, not {count}", holds=len(named) == count)
