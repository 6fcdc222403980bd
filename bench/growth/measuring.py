"""The whole of growth: sizes side by side, a backlog, and more processes."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from bench.applications import PORTAL, applications
from bench.contenders.described import CONTENDERS, HEARD, PRODUCT, Contender, Hearing
from bench.grounds import Grounds, grounds
from bench.growth.lookups import look_up
from bench.growth.multiplying import multiply
from bench.load import Portal
from bench.measuring import at
from bench.turn import finished, started, turn
from bench.usage import resident_mb
from deploy.local.programs import service_programs
from deploy.local.servers import Server
from deploy.local.stack import Stack
from shared import topology
from shared.topology import SERVICES

PUBLISHED_AT_ONCE: Final = 5_000
LOOK_EVERY_S: Final = 0.5
TEMPLATES: Final = 100

_JOURNAL: Final = "ops"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far growth goes."""

    small: int = 10_000
    large: int = 2_000_000
    rounds: int = 3
    applications: int = 2_000
    short_backlog: int = 1_000
    long_backlog: int = 200_000
    processes: tuple[int, ...] = (1, 2, 4)


async def measure_growth(stack: Stack, pids: Mapping[str, int], sizes: Sizes) -> dict[str, Any]:
    """Run all of it, saying what happens; gives what `build/bench-growth.json` holds."""
    product = next(one for one in CONTENDERS if one.name == PRODUCT)
    async with _grown(stack, pids, "small", sizes.small) as small, _grown(stack, pids, "large", sizes.large) as large:
        slowest = await _looked_up(product, small, large)
        rates = await _rates(product, {"small": small, "large": large}, sizes)
        memory = {
            "short": await _drained(product, small, "short", sizes.short_backlog),
            "long": await _drained(product, small, "long", sizes.long_backlog),
        }
        processes = {}
        for count in sizes.processes:
            many = replace(product, units=_processes(count))
            result = await turn(small, many, f"p{count}", sizes.applications)
            processes[str(count)] = round(result.per_s, 1)
            print(f"{count} processes of each service: {processes[str(count)]} applications/s", flush=True)
    return {
        "guarantees": {"small": sizes.small, "large": sizes.large},
        "p99_ms": slowest,
        "ratio_p99": {kind: round(slowest["large"][kind] / slowest["small"][kind], 2) for kind in slowest["small"]},
        "per_s": rates,
        "ratio_throughput": round(statistics.median(rates["large"]) / statistics.median(rates["small"]), 3),
        "rss_mb": memory,
        "ratio_rss": {name: round(memory["long"][name] / memory["short"][name], 3) for name in memory["short"]},
        "per_s_by_processes": processes,
    }


@asynccontextmanager
async def _grown(stack: Stack, pids: Mapping[str, int], name: str, guarantees: int) -> AsyncIterator[Grounds]:
    """A product with so many guarantees, made of what it did itself with a few."""
    product = next(one for one in CONTENDERS if one.name == PRODUCT)
    async with grounds(stack, stack.folder / name, f"bench_{name}", pids) as prepared:
        await prepared.prepare(PRODUCT, is_product=True)
        await turn(prepared, product, "template", TEMPLATES)
        began_s = time.monotonic()
        there = await multiply(prepared.database_url(PRODUCT), guarantees)
        print(f"{name}: {there} guarantees, copied in {time.monotonic() - began_s:.0f} s", flush=True)
        yield prepared


async def _looked_up(product: Contender, small: Grounds, large: Grounds) -> dict[str, dict[str, float]]:
    slowest = {}
    for name, one in (("small", small), ("large", large)):
        async with started(one, product):
            slowest[name] = {kind: at(times, 0.99) for kind, times in (await look_up(one)).items()}
        print(f"p99 of look-ups, {name}: {slowest[name]} ms", flush=True)
    return slowest


async def _rates(product: Contender, sides: Mapping[str, Grounds], sizes: Sizes) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(sizes.rounds):
        for name, one in sides.items():
            result = await turn(one, product, f"g{number}", sizes.applications)
            rates[name].append(round(result.per_s, 1))
            print(f"round {number + 1}/{sizes.rounds}, {name}: {result.per_s:.1f} applications/s", flush=True)
    return rates


async def _drained(product: Contender, where: Grounds, prefix: str, count: int) -> dict[str, float]:
    """The most memory that each service held while so many applications were worked off."""
    await where.sink("POST", "/forget")
    async with started(where, product) as supervisor:
        portal = Portal(where.portal_url(PRODUCT, PORTAL))
        most: dict[str, float] = {}
        pids = {name: supervisor.child(name).pid for name in SERVICES}
        watching = asyncio.create_task(_watch(pids, most))
        async with portal.connected():
            await portal.listen_and_forget()
            await _publish(portal, prefix, count)
            await finished(where, count)
            await portal.drained()
        watching.cancel()
    print(f"backlog of {count}: at most {most} MB", flush=True)
    return most


async def _watch(pids: Mapping[str, int], most: dict[str, float]) -> None:
    while True:
        for name, pid in pids.items():
            most[name] = max(most.get(name, 0.0), resident_mb(pid))
        await asyncio.sleep(LOOK_EVERY_S)


async def _publish(portal: Portal, prefix: str, count: int) -> None:
    """Publish so many, a few thousand at a time, so that the bench itself need not hold them all."""
    coming = applications(prefix, count)
    while several := list(islice(coming, PUBLISHED_AT_ONCE)):
        await portal.publish_all(several)


def _processes(count: int) -> Callable[[Grounds], Mapping[str, Server]]:
    """So many processes of each service; ports beyond the first are free ones."""

    def units(where: Grounds) -> Mapping[str, Server]:
        found: dict[str, Server] = {}
        for name, program in service_programs(where.place(PRODUCT)).items():
            heard = [queue for queue in HEARD if queue.startswith(f"{name}.")] or [topology.JOURNAL_QUEUE]
            for number in range(count):
                env = {**program.env, f"{name.upper()}_HTTP_PORT": "0"} if number else program.env
                each = replace(program, name=f"{name}-{number}", env=env)
                found[each.name] = Hearing(each, where.broker_url(PRODUCT), heard, 1 if name == _JOURNAL else count)
        return found

    return units
