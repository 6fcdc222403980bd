"""The whole of the bench of the journal: ops writes it; it is looked up, shown, exported, verified, and changed."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import asyncpg

from bench.checks import Incomplete
from bench.contenders.described import CONTENDERS, PRODUCT, Contender
from bench.grounds import Grounds
from bench.journal import told
from bench.journal.asking import PAGES_EACH, QUESTIONS, Asked, ask, log_in, look_ups, pages
from bench.journal.statements import ServerLog, noted
from bench.journal.writing import settle, write
from bench.measuring import at
from bench.targets import Row
from bench.turn import started
from deploy.places import CHECKOUT
from deploy.settings import passed_on

OPS: Final = "ops"
ENTRIES: Final = 1_000_000
LOOK_UP_P99_MS_MAX: Final = 50.0
PAGE_P99_MS_MAX: Final = 200.0
VERIFIED_PER_S_MIN: Final = 20_000.0

_VERIFIED: Final = re.compile(r"(?m)^([\d,]+) entries/s$")


@dataclass(frozen=True, slots=True)
class Verified:
    """What `hosho journal verify` said: whether all is whole, and how fast it was where it is."""

    is_whole: bool
    per_s: float
    told: str


async def measure_journal(grounds: Grounds, entries: int) -> dict[str, Any]:
    """Run all of it, saying what happens; gives what `build/journal.json` holds."""
    applications = max(told.APPLICATIONS_A_RECORD, entries // told.ENTRIES_EACH)
    product = next(one for one in CONTENDERS if one.name == PRODUCT)
    await grounds.prepare(PRODUCT, is_product=True)
    only_ops = replace(product, units=lambda where: {OPS: product.units(where)[OPS]})
    async with started(grounds, only_ops), _asking(grounds, "viewer") as ops:
        written_per_s = await write(grounds, ops, applications)
    await settle(grounds)
    async with noted(grounds), _everything(grounds, product), _asking(grounds, "viewer") as ops:
        log = ServerLog(grounds.stack.log("postgres"))
        looked_up = await ask(ops, look_ups(applications), QUESTIONS, log)
        await log_in(ops, grounds.stack.secrets.operator_tokens["viewer"])
        shown = await ask(ops, pages(applications), PAGES_EACH, log)
    async with started(grounds, only_ops):
        file = grounds.folder / "journal.ndjson"
        whole = await _proved(grounds, file)
        if not whole.is_whole:
            raise Incomplete(f"the journal does not verify: {whole.told}")
        changed = await _changed_is_found(grounds, file, applications)
        file.unlink()
    return {
        "entries": told.entries(applications),
        "applications": applications,
        "database_mb": await _size_mb(grounds),
        "written_per_s": round(written_per_s),
        "look_up_ms": {kind: _told(one) for kind, one in looked_up.items()},
        "page_ms": {kind: _told(one) for kind, one in shown.items()},
        "verified_per_s": whole.per_s,
        "changed_byte": changed,
    }


@asynccontextmanager
async def _everything(grounds: Grounds, product: Contender) -> AsyncIterator[None]:
    async with started(grounds, product):
        yield


@asynccontextmanager
async def _asking(grounds: Grounds, who: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who may look, at ops."""
    headers = {"Authorization": f"Bearer {grounds.stack.secrets.operator_tokens[who]}", "Accept-Language": "ja"}
    # An address is no name, for which cookies are usually not kept.
    jar = aiohttp.CookieJar(unsafe=True)
    base = grounds.place(PRODUCT).url(OPS)
    async with aiohttp.ClientSession(base, headers=headers, cookie_jar=jar) as session:
        yield session


async def _proved(grounds: Grounds, file: Path) -> Verified:
    """Export and verify, by the commands that people have."""
    await _hosho(grounds, "journal", "export", str(file))
    status, text = await _run(grounds, "journal", "verify", str(file))
    found = _VERIFIED.search(text)
    return Verified(status == 0, float(found[1].replace(",", "")) if found else 0.0, text.strip())


async def _hosho(grounds: Grounds, *arguments: str) -> None:
    status, text = await _run(grounds, *arguments)
    if status != 0:
        raise Incomplete(f"hosho {' '.join(arguments)} ended with {status}: {text}")


async def _run(grounds: Grounds, *arguments: str) -> tuple[int, str]:
    environment = {
        **passed_on(),
        "HOSHO_OPS_URL": grounds.place(PRODUCT).url(OPS),
        "HOSHO_OPERATOR_TOKEN": grounds.stack.secrets.operator_tokens["viewer"],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments),
        cwd=CHECKOUT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await process.communicate()
    return process.returncode or 0, written.decode()


async def _changed_is_found(grounds: Grounds, file: Path, applications: int) -> str:
    """Change one byte of one stored entry, as somebody with all rights could, and see that it is found."""
    entry_no = Random(applications).randrange(1, told.entries(applications))
    connection = await asyncpg.connect(grounds.database_url(PRODUCT))
    try:
        batch_no = await connection.fetchval(
            "update ops.journal_entry set line = set_byte(line, 20, get_byte(line, 20) # 1)"
            " where entry_no = (select min(entry_no) from ops.journal_entry where entry_no >= $1) returning batch_no",
            entry_no,
        )
    finally:
        await connection.close()
    found = await _proved(grounds, file)
    if found.is_whole or f"broken at batch {batch_no}:" not in found.told:
        raise Incomplete(f"a byte was changed in batch {batch_no}, and this was said: {found.told}")
    return found.told


async def _size_mb(grounds: Grounds) -> int:
    connection = await asyncpg.connect(grounds.database_url(PRODUCT))
    try:
        return int(await connection.fetchval("select pg_database_size(current_database()) / 1000000"))
    finally:
        await connection.close()


def _told(asked: Asked) -> dict[str, dict[str, float]]:
    return {
        "whole": {share: at(asked.whole_ms, value) for share, value in (("p50", 0.5), ("p99", 0.99))},
        "server": {share: at(asked.server_ms, value) for share, value in (("p50", 0.5), ("p99", 0.99))},
    }


def rows(figures: Mapping[str, Any]) -> list[Row]:
    """What each figure must be, and what it is."""

    def most(name: str, told_ms: Mapping[str, Mapping[str, float]], limit_ms: float) -> Row:
        return Row(f"{name}, p99 ms", f"< {limit_ms:g}", told_ms["whole"]["p99"], told_ms["whole"]["p99"] < limit_ms)

    found = [most(f"look-up by {kind}", ms, LOOK_UP_P99_MS_MAX) for kind, ms in figures["look_up_ms"].items()]
    found += [most(f"page: {kind}", ms, PAGE_P99_MS_MAX) for kind, ms in figures["page_ms"].items()]
    per_s = figures["verified_per_s"]
    return [*found, Row("verified entries/s", f"> {VERIFIED_PER_S_MIN:,.0f}", per_s, per_s > VERIFIED_PER_S_MIN)]


def table(figures: Mapping[str, Any]) -> str:
    """The same, to be read, beside what the database itself took."""
    server = [one["server"]["p99"] for one in (*figures["look_up_ms"].values(), *figures["page_ms"].values())]
    lines = [f"  {figures['entries']:,} entries, {figures['database_mb']:,} MB, {figures['written_per_s']:,}/s written"]
    for row, server_ms in zip(rows(figures), [*map(str, server), ""], strict=True):
        mark = "reached" if row.reached else "NOT REACHED"
        lines.append(f"  {row.figure:<42} {row.value:>10,.1f}  wanted {row.wanted:<9} {mark:<12} server {server_ms}")
    return "\n".join([*lines, f"  a changed byte: {figures['changed_byte']}"])
