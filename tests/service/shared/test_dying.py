"""A process that is killed at any instruction loses nothing and doubles nothing."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic_core import from_json

from shared import inbox, topology
from shared.messages.issuer import GuaranteeIssued
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.shared.mortal import Fate
from tests.service.shared.telling import Mouth, delivery_counts, fact

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

ROOT = Path(__file__).parents[3]
ISSUED_QUEUE = topology.queue_of("notifier", GuaranteeIssued.TYPE)
ANSWER_QUEUE = topology.answer_queue("portal-a")


@pytest.fixture
async def effects(tables: "Tables") -> AsyncIterator["Tables"]:
    """A table without any constraint: what is done twice stands there twice."""
    await tables.execute("create table issuer.effect (application_id text)")
    await tables.execute("grant select, insert on issuer.effect to hosho_issuer")
    yield tables
    await tables.execute("drop table issuer.effect")


@asynccontextmanager
async def _mortal(fate: Fate) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.service.shared.mortal"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(fate)).encode())
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def _death(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while (line := await process.stdout.readline()).strip() != b"died":
            assert line, "the mortal ended altogether"


async def test_what_was_committed_is_published_wherever_the_process_is_killed(
    mouth: Mouth, stack: Servers, effects: "Tables", tmp_path: Path
) -> None:
    announced = GuaranteeIssued.TYPE
    points = [f"-{announced}", f"+{announced}", "-publish", "+publish", "+delete"]
    points += ["-call.call", "+call.call", "+commit.call"]
    calls = tmp_path / "calls"
    fate = Fate("issuer", stack.database_url("issuer"), stack.broker_url("issuer"), str(calls), points)
    async with _mortal(fate) as process:
        for number in range(len(points)):
            await mouth.tell([fact(2 * number), fact(2 * number + 1)])
            await _death(process)
        names = {f"A-{number}" for number in range(2 * len(points))}

        async def all_settled() -> bool:
            waiting = await effects.fetchval("select count(*) from issuer.errand where state <> 'settled'")
            return bool(waiting == 0 and await effects.fetchval("select count(*) from issuer.outbox") == 0)

        await eventually(all_settled)
        done = await effects.fetch("select application_id from issuer.effect")
    assert Counter(row["application_id"] for row in done) == Counter(names)

    packs = [from_json(message.body) for message in await mouth.taken(ISSUED_QUEUE)]
    by_name = {event["data"]["application_id"]: event["id"] for pack in packs for event in pack}
    assert set(by_name) == names
    assert len({event["id"] for pack in packs for event in pack}) == len(names)
    answers = {str(message.message_id) for message in await mouth.taken(ANSWER_QUEUE)}
    assert answers == set(by_name.values())
    # Whoever died in the call leaves word that nobody knows what the outside did.
    told = [line.split() for line in calls.read_text().splitlines()]
    first = [name for name, known in told if known == "first"]
    assert len(first) == len(set(first))
    assert {name for name, _ in told} == names
    assert len(told) > len(first)


async def test_a_fact_that_kills_its_process_is_parked_unrun_and_its_neighbours_are_done_once(
    mouth: Mouth, stack: Servers, effects: "Tables", tmp_path: Path
) -> None:
    fate = Fate(
        "issuer", stack.database_url("issuer"), stack.broker_url("issuer"), str(tmp_path / "calls"), killer="A-3"
    )
    await mouth.tell([fact(number) for number in range(10)])
    await mouth.tell_each(range(10, 50))
    async with _mortal(fate) as process:
        await mouth.holds(1, topology.PARKED_QUEUE)
        names = {f"A-{number}" for number in range(50)} - {"A-3"}

        async def all_done() -> bool:
            done = await effects.fetch("select application_id from issuer.effect")
            return Counter(row["application_id"] for row in done) == Counter(names)

        await eventually(all_done)
        deaths = await _deaths_so_far(process)
    # Its first run, the run of the whole pack, and those of its own until the count was full.
    assert deaths == 1 + inbox.ATTEMPTS_MAX
    (parked,) = await mouth.taken(topology.PARKED_QUEUE)
    assert from_json(parked.body)["code"] == "kills_its_process"
    assert from_json(parked.body)["id"] == str(fact(3).id)
    assert delivery_counts([parked]) == [0]
    assert await mouth.ready() == 0
    assert await effects.fetchval("select count(*) from issuer.attempt") == 0


async def _deaths_so_far(process: asyncio.subprocess.Process) -> int:
    process.terminate()
    output, _ = await process.communicate()
    return output.splitlines().count(b"died")
