"""What it costs to be watched: the product with ops, metrics and traces, and without them, turn by turn in one run.

Each side has a database and a virtual host of its own: without ops, records for the journal pile up in its queue, and
whoever came next would have to work them off.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp

from bench.checks import Incomplete
from bench.contenders.described import CONTENDERS, PRODUCT, Contender
from bench.grounds import PLATFORM, Grounds, grounds
from bench.targets import Row
from bench.turn import Result, started, turn, work_off
from deploy.local.programs import ready_url, service_programs
from deploy.local.runner import ProgramServer
from deploy.local.servers import Server
from deploy.local.stack import Stack
from shared.topology import SERVICES

OPS: Final = "ops"
SCRAPE_EVERY_S: Final = 5.0
"""Three times as often as Prometheus does by itself."""

SPEED_KEPT_MIN: Final = 0.85
WARM_UP: Final = 200

_OUTSIDE: Final = frozenset({"sinks"})
"""What stands for others; what it costs to take spans is nobody's here."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """How long it is measured: turns of each side, and applications in each turn."""

    rounds: int = 4
    applications: int = 3_000


async def measure_watched(stack: Stack, pids: Mapping[str, int], rounds: Rounds) -> dict[str, Any]:
    """Run all of it, saying what happens; gives what `build/bench-watched.json` holds."""
    product = next(one for one in CONTENDERS if one.name == PRODUCT)
    sides = {"alone": replace(product, units=_alone), "watched": replace(product, units=_watched)}
    results: dict[str, list[Result]] = {name: [] for name in sides}
    async with AsyncExitStack() as held:
        places = {}
        for name, side in sides.items():
            opened = grounds(stack, stack.folder / name, f"bench_{name}", pids)
            places[name] = await held.enter_async_context(opened)
            await places[name].prepare(PRODUCT, is_product=True)
            await _turn(places[name], side, "warm-up", WARM_UP, watched=name == "watched")
        for number in range(rounds.rounds):
            # A B, then B A: whoever comes second in a round may find the machine in another mood.
            for name in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                watched = name == "watched"
                result = await _turn(places[name], sides[name], f"r{number}", rounds.applications, watched=watched)
                results[name].append(result)
                told = f"{result.per_s:6.1f} applications/s, {_processor_ms(result):5.2f} ms of processor each"
                print(f"round {number + 1}/{rounds.rounds}  {name:<8} {told}", flush=True)
    return figures(results)


def _alone(where: Grounds) -> Mapping[str, Server]:
    """Every service but ops, and nobody to send spans to."""
    return {name: server for name, server in _units(where, "").items() if name != OPS}


def _watched(where: Grounds) -> Mapping[str, Server]:
    """Every service, sending spans."""
    return _units(where, where.place(PRODUCT).url(PLATFORM))


def _units(where: Grounds, traces_url: str) -> dict[str, Server]:
    place = where.place(PRODUCT)
    return {
        name: ProgramServer(
            replace(program, env={**program.env, f"{name.upper()}_TRACES_URL": traces_url}), ready_url(place, name)
        )
        for name, program in service_programs(place).items()
    }


async def _turn(where: Grounds, side: Contender, prefix: str, count: int, *, watched: bool) -> Result:
    if not watched:
        return await turn(where, side, prefix, count)
    async with started(where, side) as supervisor, _scraping(where) as scrapes:
        pids = {name: supervisor.child(name).pid for name in SERVICES}
        result = await work_off(where, side, pids, prefix, count)
    # Spans travel in the background, and the last ones when a process ends.
    traces = (await where.sink("GET", "/count"))["traces"]
    if not traces or not all(scrapes.values()):
        raise Incomplete(f"nobody watched: {traces} deliveries of spans, scrapes {scrapes}")
    return result


@asynccontextmanager
async def _scraping(where: Grounds) -> AsyncIterator[dict[str, int]]:
    """Somebody who reads all metrics again and again; gives how often they were read, by service."""
    scrapes = dict.fromkeys(SERVICES, 0)

    async def scrape(session: aiohttp.ClientSession) -> None:
        while True:
            for name in SERVICES:
                async with session.get(where.place(PRODUCT).url(name) + "/metrics") as answer:
                    answer.raise_for_status()
                    await answer.read()
                scrapes[name] += 1
            await asyncio.sleep(SCRAPE_EVERY_S)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        scraping = group.create_task(scrape(session))
        yield scrapes
        scraping.cancel()


def figures(results: Mapping[str, Sequence[Result]]) -> dict[str, Any]:
    """What follows from the turns of both sides."""
    pairs = list(zip(results["alone"], results["watched"], strict=True))
    kept = [watched.per_s / alone.per_s for alone, watched in pairs]
    cost = [_processor_ms(alone) / _processor_ms(watched) for alone, watched in pairs]
    return {
        "per_s": {name: [round(turn.per_s, 1) for turn in turns] for name, turns in results.items()},
        "processor_ms": {name: [round(_processor_ms(turn), 2) for turn in turns] for name, turns in results.items()},
        "processor_ms_of": {name: turns[-1].processor_ms for name, turns in results.items()},
        "speed_kept_by_round": [round(one, 3) for one in kept],
        "speed_kept": round(statistics.median(kept), 3),
        "processor_kept": round(statistics.median(cost), 3),
    }


def _processor_ms(result: Result) -> float:
    return sum(used for name, used in result.processor_ms.items() if name not in _OUTSIDE)


def table(told: Mapping[str, Any]) -> str:
    """The figures, to be read."""
    lines = [
        f"  {name:<10} {per_s} applications/s, {told['processor_ms'][name]} ms of processor each"
        for name, per_s in told["per_s"].items()
    ]
    kept = told["speed_kept"]
    row = Row("speed kept while watched", f"≥ {SPEED_KEPT_MIN:g}", kept, kept >= SPEED_KEPT_MIN)
    mark = "reached" if row.reached else "NOT REACHED"
    lines.append(f"  {row.figure:<44} {row.value:>9.3f}  wanted {row.wanted:<7} {mark}")
    return "\n".join([*lines, f"  {'by processor time':<44} {told['processor_kept']:>9.3f}"])
