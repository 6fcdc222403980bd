"""The journal's statements. Nothing here changes or deletes an entry; the role could not."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic_core import to_json

from services.ops.domain.journal import BEGINNING, Batch, Head
from services.ops.domain.wire import Entry

if TYPE_CHECKING:
    from shared.postgres import Connection, Pool

EXPORTED_BATCHES = 500

_WRITER = 0x4A4F_5552
"""The advisory lock of the one who writes the next batch; in this schema's own half of the lock space."""

_LOCK = "select pg_advisory_xact_lock($1, hashtext(current_schema()))"
_HEAD = "select batch_no, chain, entries, written_at from journal_batch order by batch_no desc limit 1"
# Both look each fact up by index. Joined at once, a journal that is still small would be read whole for each batch.
_KNOWN = """
    select asked.fact_id, entry.digest
      from unnest($1::uuid[]) as asked(fact_id)
     cross join lateral (select digest from journal_entry where fact_id = asked.fact_id offset 0) as entry
"""
_ADD_BATCH = "insert into journal_batch (batch_no, previous, chain, entries) values ($1, $2, $3, $4)"
_ADD_ENTRIES = """
    insert into journal_entry (fact_id, service, type, subject, correlation, announced_at, digest, heard_at, batch_no,
                               line, search)
    select row.fact_id, row.service, row.type, row.subject, row.correlation, row.announced_at, row.digest, $8, $9,
           row.line, row.search
      from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[],
                  $10::bytea[], $11::jsonb[]) with ordinality
           as row(fact_id, service, type, subject, correlation, announced_at, digest, line, search, nr)
     order by row.nr
"""
_TOLD_BEFORE = """
    select fresh.type, fresh.subject, entry.correlation
      from unnest($1::text[], $2::text[], $3::uuid[]) as fresh(type, subject, fact_id)
     cross join lateral (select correlation from journal_entry
                          where subject = fresh.subject and type = fresh.type and fact_id <> fresh.fact_id
                          limit 1) as entry
"""
_LAST_ENTRY = "select max(entry_no) from journal_entry"
_COUNTED = """
    select type, count(*) as facts, max(entry_no) as last_no from journal_entry where entry_no > $1 group by type
"""
_EXPORT = """
    select batch.batch_no, batch.previous, batch.chain,
           array(select entry.line from journal_entry entry
                  where entry.batch_no = batch.batch_no order by entry.entry_no) as lines
      from journal_batch batch
     where batch.batch_no > $1
     order by batch.batch_no limit $2
"""


async def lock(connection: "Connection") -> None:
    """Become the one writer until the transaction ends: a chain has no branches."""
    await connection.execute(_LOCK, _WRITER)


async def head(connection: "Connection") -> Head:
    """The last batch there is."""
    row = await connection.fetchrow(_HEAD)
    return BEGINNING if row is None else Head(*row.values())


async def known(connection: "Connection", ids: Collection[UUID]) -> set[tuple[UUID, bytes]]:
    """Which facts of these ids are journalled, with the digest of each."""
    return {(row["fact_id"], row["digest"]) for row in await connection.fetch(_KNOWN, sorted(ids))}


async def add(
    connection: "Connection", batch: Batch, entries: Sequence[Entry], heard_at: datetime, entries_before: int
) -> None:
    """Append a batch; its lines belong to the entries in their order."""
    total = entries_before + len(entries)
    await connection.execute(_ADD_BATCH, batch.batch_no, batch.previous, batch.chain, total)
    await connection.execute(
        _ADD_ENTRIES,
        [entry.fact_id for entry in entries],
        [entry.service for entry in entries],
        [entry.type for entry in entries],
        [entry.subject for entry in entries],
        [entry.correlation for entry in entries],
        [entry.announced_at for entry in entries],
        [entry.digest for entry in entries],
        heard_at,
        batch.batch_no,
        list(batch.lines),
        [to_json(dict(entry.search)).decode() if entry.search else None for entry in entries],
    )


async def told_before(connection: "Connection", entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """Of which type, subject and correlation another fact is journalled already."""
    rows = await connection.fetch(
        _TOLD_BEFORE,
        [entry.type for entry in entries],
        [entry.subject for entry in entries],
        [entry.fact_id for entry in entries],
    )
    return [(row["type"], row["subject"], row["correlation"]) for row in rows]


async def export(pool: "Pool", after: int = 0) -> AsyncIterator[Batch]:
    """Every batch after this one, in order; each page on a connection of its own, for a reader may be slow."""
    while True:
        async with pool.acquire() as connection:
            rows = await connection.fetch(_EXPORT, after, EXPORTED_BATCHES)
        for row in rows:
            yield Batch(row["batch_no"], row["previous"], row["chain"], tuple(row["lines"]))
        if len(rows) < EXPORTED_BATCHES:
            return
        after = rows[-1]["batch_no"]


async def last_entry(connection: "Connection") -> int:
    """The number of the entry that was written last; 0 before the first."""
    return int(await connection.fetchval(_LAST_ENTRY) or 0)


async def counted_after(connection: "Connection", entry_no: int) -> tuple[dict[str, int], int]:
    """How many facts of each type were written after this entry, and the number of the last of them."""
    rows = await connection.fetch(_COUNTED, entry_no)
    return {row["type"]: row["facts"] for row in rows}, max((row["last_no"] for row in rows), default=entry_no)
