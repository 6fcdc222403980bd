"""What the canary hears: a small storm, a story with queues that are full for a moment, and a look at every key."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.screen import say
from deploy.places import BUILD
from shared import topology
from shared.messages.issuer import CertificateCreated
from shared.sealing import KeyRing
from shared.topology import SERVICES
from simulators.portal.client import Portal
from tests.eventually import eventually
from tests.faults import plan
from tests.faults.building import world_of_its_own
from tests.faults.canary import places
from tests.faults.canary.hunting import Hunt, hunt
from tests.faults.canary.places import Place
from tests.faults.canary.spans import listening
from tests.faults.canary.spellings import Search, told
from tests.faults.expected import Sent
from tests.faults.rounds import Size, carried_out
from tests.faults.rounds import told as told_of
from tests.faults.settling import settled
from tests.faults.workload import GENTLE, ROUGH, Workload, applications, portals_of
from tests.faults.world import World

REPORT: Final = BUILD / "canary.json"
LAST_APPLICATIONS: Final = 12
"""Sent while nobody hears the certificates, so that the queues are searched with something in them."""

DEAF: Final = ("platform_bridge", "notifier", "ops")
STORM: Final = Size(senders=12, lanes=4, settle_s_max=600)
FAULTS: Final = 40
"""Fewer than there are kinds, so the storm has each kind once."""

STORY_AFTER: Final = 1_000
"""How far the seed of the story lies from that of the storm, so that no application is sent twice."""

SENDERS: Final = 6
FULL_S_MAX: Final = 60.0

_SEALED: Final = "select guarantee_number, sealed_auth_key from issuer.guarantee where sealed_auth_key is not null"
_END_SESSIONS: Final = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1"


async def canary(seed: int, applications_count: int, *, planted: bool = False) -> int:
    """Raise the storm, tell the story, search everything, write the report.

    It gives 1 if a key stands where it may not, or if a place was blind, or if the storm lost or doubled anything.
    `planted` writes a key into a log and a table on purpose, to see that this fails.
    """
    async with (
        listening() as spans,
        world_of_its_own("faults-canary", given=spans.wanted) as world,
        portals_of(world) as portals,
    ):
        await _write_plainly(world)
        stormy = applications(seed, applications_count, ROUGH)
        drawn = plan.storm(seed, FAULTS, own_servers=world.owns_servers)
        outcome = await carried_out(world, portals, drawn, stormy, STORM, say)
        calm = applications(seed + STORY_AFTER, LAST_APPLICATIONS, GENTLE)
        seen = [await _full_queues(world, portals, calm, seed)]
        sent = [*stormy, *calm]
        account = await settled(world, portals, sent, world.tally.poison, within_s=STORM.settle_s_max, say=say)
        keys = await _every_key(world)
        assert world.keys.items() <= keys.items(), "the reveal shows other keys than were sealed"
        seen += await _everything(world, portals, keys, planted=planted)
        seen.append(spans.place)
        say(f"searching {len(seen)} places for {len(keys)} keys")
        found = await asyncio.to_thread(hunt, seen, Search(keys))
    report(found, len(keys))
    for line in in_words(found):
        say(line)
    if not (outcome.clean and account.clean):
        for line in told_of(outcome):
            say(line)
        say("THE LEDGER IS NOT CLEAN: run `make storm` with this seed")
    return 0 if found.clean and outcome.clean and account.clean else 1


async def _write_plainly(world: World) -> None:
    """Let the database write its log of changes uncompressed, or a key in it would not be seen."""
    database = world.system.place.database
    await world.as_superuser(f'alter database "{database}" set wal_compression = off')
    await world.as_superuser(_END_SESSIONS, database)


async def _full_queues(world: World, portals: Mapping[str, Portal], sent: list[Sent], seed: int) -> Place:
    """The queues while nobody hears the certificates."""
    for name in DEAF:
        await world.end(name)
    try:
        load = Workload(dict(portals), sent, seed)
        load.allow(len(sent))
        await load.flow(SENDERS)

        async def certificates_wait() -> Place:
            seen = await places.queues(world)
            waiting = f"the queue {topology.queue_of(DEAF[0], CertificateCreated.TYPE)}"
            assert waiting in {name for name, _ in seen.pieces}, "no certificate waits"
            return seen

        return await eventually(certificates_wait, within_s=FULL_S_MAX)
    finally:
        for name in DEAF:
            await world.start(name)


async def _every_key(world: World) -> dict[str, str]:
    """All keys there are, by guarantee number, opened as the issuer opens them."""
    ring = KeyRing.parse(world.system.place.stack.secrets.sealing_keys)
    return {row[0]: ring.open(row[1], associated=row[0]) for row in await world.as_owner(_SEALED)}


async def _everything(
    world: World, portals: Mapping[str, Portal], keys: Mapping[str, str], *, planted: bool
) -> list[Place]:
    mark = places.marks(keys)
    number = next(iter(world.keys))
    seen = [
        *await places.looks(world, portals),
        *await places.doors(world, number),
        await places.console(world, number),
    ]
    seen += [await places.answers(portals, mark), places.programs(world)]
    for name in SERVICES:
        await world.end(name)
    if planted:
        await _plant(world, keys[number])
    seen += await places.tables(world, mark)
    seen += [await places.dump(world, mark)] if world.owns_servers else []
    await world.as_superuser("checkpoint")
    return [*seen, places.troubles(world), *places.files(world, mark)]


async def _plant(world: World, key: str) -> None:
    """Write one key where a careless line of code would: into a log, and into a table beside an error."""
    log = world.system.place.folder / "log" / "issuer.log"
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": "errand.failed", "error": f"could not post {key}"}) + "\n")
    await world.as_owner("create table ops.planted (error text)")
    await world.as_owner("insert into ops.planted values ($1)", f"could not post {key}")


def report(found: Hunt, marked_keys: int, path: Path = REPORT) -> None:
    """Write the figures where `make canary` promises them; never a key."""
    path.parent.mkdir(exist_ok=True)
    figures = {
        "marked_keys": marked_keys,
        "places_searched": len(found.searched),
        "bytes_searched": sum(found.searched.values()),
        "found_outside_allowed": len(told(found.outside)),
        "found_where_allowed": len({one.key_of for one in found.allowed}),
        "blind_in": found.blind,
        "bytes_by_place": found.searched,
    }
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def in_words(found: Hunt) -> list[str]:
    """The outcome, a line for each place and each finding."""
    return [
        *(f"  {size:>13,} bytes  {name}" for name, size in found.searched.items()),
        *(f"LEAKED: {line}" for line in told(found.outside)),
        *(f"BLIND in {name}: what surely stands there was not seen" for name in found.blind),
        "no key outside the allowed places" if found.clean else "THE CANARY SINGS",
    ]
