"""Facts that are committed but not yet confirmed by the broker. The relay empties this table."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from shared.writes import Write

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

LEASE_S = 120.0
CLAIMED_ROWS_MAX = 1_000
ERROR_CHARACTERS_MAX = 500

JOURNAL_ONLY = ""
"""The exchange of a fact that nobody hears: it is written to the journal and published nowhere else."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One row: a body for one exchange. `journalled` is set on exactly one row of each fact."""

    exchange: str
    routing_key: str
    message_id: UUID
    type: str
    subject: str
    correlation: str
    body: bytes
    headers: Mapping[str, str | int] | None
    digest: bytes
    journalled: bool
    time: str
    search: Mapping[str, str] | None = None
    """By which words the journal finds it again."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that this process may publish."""

    id: int
    announcement: Announcement
    attempts: int = 0


_INSERT = """
    insert into outbox (exchange, routing_key, message_id, type, subject, correlation, body, headers, digest,
                        journalled, time, search, lease_owner, lease_until)
    select row.exchange, row.routing_key, row.message_id, row.type, row.subject, row.correlation, row.body,
           row.headers, row.digest, row.journalled, row.time, row.search,
           case when row.nr <= $12 then $13::bigint end,
           case when row.nr <= $12 then now() + make_interval(secs => $14) end
      from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::jsonb[],
                  $9::bytea[], $10::boolean[], $11::text[], $15::jsonb[]) with ordinality
           as row(exchange, routing_key, message_id, type, subject, correlation, body, headers, digest,
                  journalled, time, search, nr)
     order by row.nr
    returning id as told
"""
_CLAIM = """
    update outbox set lease_owner = $1, lease_until = now() + make_interval(secs => $2)
     where id in (select id from outbox
                   where due_at <= now() and lease_owner is null
                   order by due_at, id limit $3 for update skip locked)
    returning id, exchange, routing_key, message_id, type, subject, correlation, body, headers, digest,
              journalled, time, search, attempts
"""
_DELETE = "delete from outbox where id = any($1::bigint[])"
_POSTPONE = """
    update outbox set lease_owner = null, lease_until = null, attempts = attempts + 1,
           due_at = now() + make_interval(secs => late.after_s), last_error = late.error
      from unnest($1::bigint[], $2::float8[], $4::text[]) as late(row_id, after_s, error)
     where id = late.row_id and lease_owner = $3
"""
_EXTEND = """
    update outbox set lease_until = now() + make_interval(secs => $3)
     where id = any($1::bigint[]) and lease_owner = $2
"""
_DEPTH = "select count(*) from (select 1 from outbox limit $1) as counted"
_RELEASE = "update outbox set lease_owner = null, lease_until = null where lease_owner = any($1::bigint[])"
_RELEASE_LOST = """
    update outbox set lease_owner = null, lease_until = null
     where lease_owner is not null and not (id = any($2::bigint[]))
       and lease_until < now() + make_interval(secs => case when lease_owner = $1 then $3 else 0 end)
"""


def insertion(rows: Sequence[Announcement], owner_id: int, leased_rows: int) -> Write:
    """Writes the rows, in their order, and tells their ids; the first `leased_rows` belong to this process at once."""
    arguments = (
        [row.exchange for row in rows],
        [row.routing_key for row in rows],
        [row.message_id for row in rows],
        [row.type for row in rows],
        [row.subject for row in rows],
        [row.correlation for row in rows],
        [row.body for row in rows],
        [_json(row.headers) for row in rows],
        [row.digest for row in rows],
        [row.journalled for row in rows],
        [row.time for row in rows],
        leased_rows,
        owner_id,
        LEASE_S,
        [_json(row.search) for row in rows],
    )
    return Write(_INSERT, arguments)


def leased(rows: Sequence[Announcement], ids: Sequence[int]) -> list[Leased]:
    """Rows that were just written, with the ids that `insertion` told."""
    return [Leased(row_id, row) for row_id, row in zip(ids, rows, strict=True)]


def _json(told: Mapping[str, str | int] | Mapping[str, str] | None) -> str | None:
    return None if told is None else json.dumps(dict(told))


async def claim(connection: "Connection", owner_id: int, limit: int) -> list[Leased]:
    """Take rows that nobody is publishing: what a crash left, what came back, what overflowed memory."""
    records = await connection.fetch(_CLAIM, owner_id, LEASE_S, limit)
    return [_leased(record) for record in sorted(records, key=lambda record: int(record["id"]))]


def _leased(record: "Record") -> Leased:
    headers, search = record["headers"], record["search"]
    row = Announcement(
        exchange=record["exchange"],
        routing_key=record["routing_key"],
        message_id=record["message_id"],
        type=record["type"],
        subject=record["subject"],
        correlation=record["correlation"],
        body=record["body"],
        headers=None if headers is None else json.loads(headers),
        digest=record["digest"],
        journalled=record["journalled"],
        time=record["time"],
        search=None if search is None else json.loads(search),
    )
    return Leased(record["id"], row, record["attempts"])


async def delete(connection: "Connection", ids: Collection[int]) -> None:
    """Forget rows that the broker has confirmed. Right whoever holds the lease by now: a confirm is a fact."""
    await connection.execute(_DELETE, sorted(ids))


async def postpone(
    connection: "Connection", ids: Sequence[int], after_s: Sequence[float], owner_id: int, errors: Sequence[str]
) -> None:
    """Let rows wait alone after a failure, each its own time in seconds. Changes nothing of another's rows."""
    told = [error[:ERROR_CHARACTERS_MAX] for error in errors]
    await connection.execute(_POSTPONE, ids, after_s, owner_id, told)


async def extend(connection: "Connection", ids: Collection[int], owner_id: int) -> None:
    """Keep rows that wait in memory for a broker that is away."""
    await connection.execute(_EXTEND, sorted(ids), owner_id, LEASE_S)


async def depth(connection: "Connection", at_most: int) -> int:
    """How many rows wait, counted no further than `at_most`."""
    return int(await connection.fetchval(_DEPTH, at_most))


async def release_of(connection: "Connection", owner_ids: Collection[int]) -> None:
    """Free the rows of owners that are dead."""
    await connection.execute(_RELEASE, sorted(owner_ids))


async def release_lost(connection: "Connection", owner_id: int, held: Collection[int], lease_age_s: float) -> int:
    """Free rows whose lease ran out, and those leased by this process at least `lease_age_s` ago that it does not hold.

    A commit whose answer was lost leaves the latter: they are there, and nobody knows.
    """
    status = await connection.execute(_RELEASE_LOST, owner_id, sorted(held), LEASE_S - lease_age_s)
    return int(status.split()[-1])
