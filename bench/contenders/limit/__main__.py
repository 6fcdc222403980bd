"""Run one process of the limit, all stages in it: `python -m bench.contenders.limit [packed]`."""

import asyncio
import gc
import sys

import aiormq
import asyncpg
import uvloop

from bench.applications import PORTAL
from bench.contenders import work
from bench.contenders.limit.broker import Hearer, Teller
from bench.contenders.limit.outside import Platform, Postbox
from bench.contenders.limit.stages import Stages
from bench.contenders.surroundings import Surroundings
from shared import topology


async def _run(*, packed: bool) -> None:
    surroundings = Surroundings.read()
    pool = await asyncpg.create_pool(surroundings.database_url, min_size=4, max_size=8)
    hearing = await aiormq.connect(surroundings.broker_url)
    telling = await aiormq.connect(surroundings.broker_url)
    stages = Stages(pool, Platform(surroundings), Postbox(surroundings))
    teller = Teller(telling, packed=packed)
    await teller.open()
    steps = (
        ("issuer", work.ACCEPTED, stages.create),
        ("platform_bridge", work.CREATED, stages.post),
        ("issuer", work.ARRIVED, stages.issue),
        ("notifier", work.ISSUED, stages.mail),
        ("issuer", work.MAIL_SENT, stages.note_mail),
    )
    hearers = [Hearer(topology.door_queue(PORTAL), stages.take_in, teller, is_door=True)]
    hearers += [Hearer(topology.queue_of(service, heard), stage, teller) for service, heard, stage in steps]
    # What stands now lives as long as the process.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    await asyncio.gather(*(hearer.run(hearing) for hearer in hearers))


if __name__ == "__main__":
    uvloop.run(_run(packed="packed" in sys.argv))
