"""The command line, `python -m bench …`: whole, quick, growth, journal, watched, report, turn; `--help` says more."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from bench.checks import Incomplete
from bench.contenders.described import CONTENDERS, PRODUCT
from bench.grounds import grounds
from bench.growth.measuring import Sizes, measure_growth
from bench.journal.measuring import ENTRIES, measure_journal
from bench.journal.measuring import table as table_of_journal
from bench.measuring import QUICK, WHOLE, Lengths, measure
from bench.report import DETAILS, FIGURES, GROWTH, JOURNAL, WATCHED, report
from bench.servers import servers
from bench.targets import table
from bench.turn import Stalled, turn
from bench.watched import Rounds, measure_watched
from bench.watched import table as table_of_watched
from deploy.local.failures import LocalFailure
from deploy.places import BUILD
from shared.errors import Misconfigured


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("whole", "quick"):
        commands.add_parser(name)
    growth = commands.add_parser("growth")
    growth.add_argument("--large", type=int, default=Sizes().large, help="guarantees in the large database")
    growth.add_argument("--backlog", type=int, default=Sizes().long_backlog, help="applications in the long backlog")
    journal = commands.add_parser("journal")
    journal.add_argument("--entries", type=int, default=ENTRIES, help="entries in the journal")
    watched = commands.add_parser("watched")
    watched.add_argument("--rounds", type=int, default=Rounds().rounds, help="turns of each")
    watched.add_argument("--applications", type=int, default=Rounds().applications, help="in each turn")
    commands.add_parser("report")
    one = commands.add_parser("turn")
    one.add_argument("contender", choices=[contender.name for contender in CONTENDERS])
    one.add_argument("applications", type=int)
    given = parser.parse_args()
    try:
        if given.command == "turn":
            asyncio.run(_turn(given.contender, given.applications))
        elif given.command == "growth":
            asyncio.run(_growth(Sizes(large=given.large, long_backlog=given.backlog)))
        elif given.command == "journal":
            asyncio.run(_journal(given.entries))
        elif given.command == "watched":
            asyncio.run(_watched(Rounds(given.rounds, given.applications)))
        elif given.command == "report":
            report()
        else:
            asyncio.run(_measure(WHOLE if given.command == "whole" else QUICK))
    except* (Misconfigured, LocalFailure, Incomplete, Stalled) as failures:
        sys.exit("\n".join(f"bench: {failure}" for failure in failures.exceptions))


async def _measure(lengths: Lengths) -> None:
    async with servers() as (stack, pids), grounds(stack, stack.folder, "bench", pids) as prepared:
        measured = await measure(prepared, lengths)
    figures = measured.figures()
    BUILD.mkdir(exist_ok=True)
    _write(FIGURES.name, figures)
    _write(DETAILS.name, measured.details())
    print(table(figures))
    print(f"written to {FIGURES.relative_to(BUILD.parent)}")


async def _growth(sizes: Sizes) -> None:
    async with servers() as (stack, pids):
        grown = await measure_growth(stack, pids, sizes)
    BUILD.mkdir(exist_ok=True)
    _write(GROWTH.name, grown)
    print(json.dumps(grown, indent=1))


async def _journal(entries: int) -> None:
    async with servers() as (stack, pids), grounds(stack, stack.folder, "bench", pids) as prepared:
        figures = await measure_journal(prepared, entries)
    BUILD.mkdir(exist_ok=True)
    _write(JOURNAL.name, figures)
    print(table_of_journal(figures))
    print(f"written to {JOURNAL.relative_to(BUILD.parent)}")


async def _watched(rounds: Rounds) -> None:
    async with servers() as (stack, pids):
        figures = await measure_watched(stack, pids, rounds)
    BUILD.mkdir(exist_ok=True)
    _write(WATCHED.name, figures)
    print(table_of_watched(figures))
    print(f"written to {WATCHED.relative_to(BUILD.parent)}")


async def _turn(name: str, count: int) -> None:
    contender = next(one for one in CONTENDERS if one.name == name)
    async with servers() as (stack, pids), grounds(stack, stack.folder, "bench", pids) as prepared:
        await prepared.prepare(name, is_product=name == PRODUCT)
        result = await turn(prepared, contender, "turn", count)
    print(f"{result.per_s:.1f} applications/s; ms of processor for each: {result.processor_ms}; MB: {result.rss_mb}")


def _write(name: str, told: Mapping[str, Any]) -> None:
    (BUILD / name).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
