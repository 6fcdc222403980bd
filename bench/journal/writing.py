"""Getting a journal written: ops hears so many records, as fast as it takes them."""

import asyncio
import time
from typing import Any, Final, cast

import aiohttp
import aiormq
import asyncpg
from aiormq.channel import Channel
from pamqp.commands import Basic

from bench.contenders.described import PRODUCT
from bench.grounds import Grounds
from bench.journal import told
from bench.turn import LOOK_EVERY_S, Stalled
from shared import topology

AHEAD_ENTRIES_MAX: Final = 40_000
"""So many entries may lie in the broker; more would only move memory from here to there."""

LOOK_EVERY_ENTRIES: Final = 10_000
STALLED_S_MAX: Final = 120.0
TOLD_EVERY_ENTRIES: Final = 100_000
PERSISTENT: Final = 2
PARKED: Final = 1_000


async def write(grounds: Grounds, ops: aiohttp.ClientSession, applications: int) -> float:
    """Let ops journal so many applications and park some facts; gives entries per second, start to end."""
    connection = await aiormq.connect(grounds.broker_url(PRODUCT))
    try:
        channel = cast(Channel, await connection.channel(publisher_confirms=True, on_return_raises=True))
        began_s = time.monotonic()
        sent = shown = looked = 0
        for body, count in told.records(applications):
            await _publish(channel, topology.EVENTS, topology.journal_key("issuer"), body)
            sent += count
            if sent - shown >= TOLD_EVERY_ENTRIES:
                shown = sent
                print(f"{sent:,} entries sent after {time.monotonic() - began_s:.0f} s", flush=True)
            if sent - looked >= LOOK_EVERY_ENTRIES:
                looked = sent
                await _journalled(ops, sent - AHEAD_ENTRIES_MAX)
        await _journalled(ops, sent)
        took_s = time.monotonic() - began_s
        for number in range(min(PARKED, applications)):
            await _publish(channel, topology.PARKING, "bench", told.parked(number))
        await _on_desk(ops, min(PARKED, applications))
    finally:
        await connection.close()
    return sent / took_s


async def settle(grounds: Grounds) -> None:
    """Let the database do at once what it would do by itself within the hour."""
    connection = await asyncpg.connect(grounds.database_url(PRODUCT))
    try:
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def _publish(channel: Channel, exchange: str, key: str, body: bytes) -> None:
    properties = Basic.Properties(content_type="application/json", delivery_mode=PERSISTENT, message_id=key)
    await channel.basic_publish(body, exchange=exchange, routing_key=key, properties=properties, mandatory=True)


async def _journalled(ops: aiohttp.ClientSession, wanted: int) -> None:
    """Wait until so many entries are in the chain."""

    async def entries() -> int:
        return int((await _asked(ops, "/v1/journal/head"))["entries"])

    await _until(entries, wanted)


async def _on_desk(ops: aiohttp.ClientSession, wanted: int) -> None:
    async def facts() -> int:
        return sum(group["facts"] for group in (await _asked(ops, "/v1/parked"))["groups"])

    await _until(facts, wanted)


async def _until(count: Any, wanted: int) -> None:
    if wanted <= 0:
        return
    seen, moved_s = -1, time.monotonic()
    while (now := await count()) < wanted:
        if now > seen:
            seen, moved_s = now, time.monotonic()
        elif time.monotonic() - moved_s > STALLED_S_MAX:
            raise Stalled(f"ops noted {now} of {wanted}, and nothing more for {STALLED_S_MAX:g} s")
        await asyncio.sleep(LOOK_EVERY_S)


async def _asked(ops: aiohttp.ClientSession, path: str) -> Any:
    async with ops.get(path) as answer:
        answer.raise_for_status()
        return await answer.json()
