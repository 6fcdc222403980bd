"""Whether a contender did the whole work, and durably: nobody wins by leaving something out."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from bench.applications import PORTAL, address_of
from bench.contenders import work
from bench.grounds import Grounds
from bench.load import Portal
from deploy.broker.management import management

SETTLED_S_MAX: Final = 30.0
LOOK_EVERY_S: Final = 0.1

_KEPT_BY_PRODUCT: Final = """
    select guarantee.application_id, guarantee_number
      from issuer.guarantee
      join issuer.version using (guarantee_number)
      join platform_bridge.certificate_post as post using (guarantee_number, version)
      join intake.submission
        on submission.portal = guarantee.portal and submission.application_id = guarantee.application_id
     where guarantee.portal = $2 and guarantee.application_id = any($1::text[]) and submission.outcome = 'accepted'
       and guarantee.issued_at is not null and version.mail_state = 'sent'
       and version.state = 'arrived' and post.arrived_at = version.issued_at
       and exists (select from notifier.errand
                    where errand = 'send_mail' and state = 'settled'
                      and key > guarantee_number || '/1/' and key < guarantee_number || '/10')
"""
"""Keys of one mail lie between two others, so an index finds them in a table of millions."""

_KEPT: Final = """
    select application_id, guarantee_number
      from guarantee
      join version using (guarantee_number)
      join certificate_post as post using (guarantee_number, version)
      join submission using (portal, application_id)
      join application using (portal, application_id)
      join mail using (guarantee_number, version)
     where portal = $2 and application_id = any($1::text[])
       and guarantee.issued_at is not null and version.mail_state = 'sent'
       and version.state = 'arrived' and post.arrived_at = version.issued_at
"""

PRODUCT: Final = "product"

TOLD: Final = Counter({work.ACCEPTED: 1, work.STATUS_CHANGED: 2, work.ISSUED: 1})
"""What the portal is told of each application."""


class Incomplete(Exception):
    """A contender left something out or did something twice."""


async def check(
    grounds: Grounds, contender: str, portal: Portal, names: Sequence[str], *, settled_s_max: float = SETTLED_S_MAX
) -> dict[str, Any]:
    """Compare what was kept, posted, mailed and told with what was asked; gives what the sinks took.

    Raises:
        Incomplete: naming the first difference.
    """
    kept = await _kept(grounds, contender, names, settled_s_max)
    taken = await grounds.sink("GET", "/taken")
    _equal("posts", taken["posts"], {f"{number}/1": 1 for number in kept.values()})
    mails = Counter(recipient for _, recipient, _ in taken["mails"])
    _equal("mails", dict(mails), {address_of(name): 1 for name in names})
    if len({message_id for *_, message_id in taken["mails"]}) != len(names):
        raise Incomplete("two mails have one Message-ID")
    await _told(portal, names, settled_s_max)
    if portal.weak:
        raise Incomplete(f"{portal.weak} answers were not persistent, or lacked headers")
    await _durable(grounds, contender)
    return taken


async def _kept(grounds: Grounds, contender: str, names: Sequence[str], settled_s_max: float) -> dict[str, str]:
    """Every application's guarantee number, once all rows are there."""
    statement = _KEPT_BY_PRODUCT if contender == PRODUCT else _KEPT
    connection = await asyncpg.connect(grounds.database_url(contender))
    deadline_s = time.monotonic() + settled_s_max
    try:
        while True:
            rows = await connection.fetch(statement, names, PORTAL)
            if len(rows) == len(names) == len({row["application_id"] for row in rows}):
                return {row["application_id"]: row["guarantee_number"] for row in rows}
            if time.monotonic() > deadline_s:
                raise Incomplete(f"{len(rows)} of {len(names)} applications have all their rows")
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await connection.close()


async def _told(portal: Portal, names: Sequence[str], settled_s_max: float) -> None:
    wanted = {(name, kind): count for name in names for kind, count in TOLD.items()}
    deadline_s = time.monotonic() + settled_s_max
    while len(portal.told) < sum(wanted.values()):
        if time.monotonic() > deadline_s:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    _equal("answers", dict(Counter(portal.told)), wanted)


async def _durable(grounds: Grounds, contender: str) -> None:
    """Every queue that carries facts is a durable quorum queue, and commits reach the disk."""
    async with management(grounds.stack.addresses.management_url, grounds.vhost(contender)) as api:
        queues = await api.get(api.path("queues"))
    weak = [one["name"] for one in queues if carries_facts(one) and (one["type"] != "quorum" or not one["durable"])]
    if weak:
        raise Incomplete(f"these queues would lose facts: {', '.join(weak)}")
    connection = await asyncpg.connect(grounds.database_url(contender))
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if await connection.fetchval(f"show {setting}") != "on":
                raise Incomplete(f"{setting} is off")
    finally:
        await connection.close()


def carries_facts(queue: dict[str, Any]) -> bool:
    """Whether a queue is more than a process's own channel for remote control (Celery makes such)."""
    return not queue.get("auto_delete") and not queue.get("exclusive")


def _equal(what: str, found: dict[Any, int], wanted: dict[Any, int]) -> None:
    if found != wanted:
        missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
        doubled = [key for key, count in found.items() if key in wanted and count != wanted[key]]
        told = f"{len(missing)} missing, {len(more)} unasked, {len(doubled)} a wrong number of times"
        raise Incomplete(f"{what}: {told}: {[*missing, *more, *doubled][:3]}")
