"""The desk's statements. What a parked fact holds is written once; only what became of it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.ops.domain.desk import OnDesk, State
from services.ops.domain.keys import ACTED_ON, DESK
from services.ops.domain.wire import Parked

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

_ADD = """
    insert into parked_fact (parked_id, fact_id, consumer, code, reason, type, subject, correlation, replay, body,
                             replayable)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::int[], $10::bytea[], $11::boolean[])
    on conflict (parked_id) do nothing
"""
_COLUMNS = """
    parked_id, fact_id, consumer, code, reason, type, subject, correlation, replay, replayable, state, parked_at,
    acted_by, acted_at, acted_why
"""
# The last reason is looked up group by group: sorting all facts by time for it costs most of the rest.
_GROUPS = """
    with heap as (
        select consumer, code, type, count(*) as facts, count(*) filter (where replayable) as replayable,
               min(parked_at) as first_at, max(parked_at) as last_at
          from parked_fact where state = 'open' group by consumer, code, type
    )
    select heap.*,
           (select one.reason from parked_fact one
             where one.consumer = heap.consumer and one.code = heap.code and one.type = heap.type
               and one.state = 'open' order by one.parked_at desc limit 1) as reason
      from heap order by facts desc, consumer, code, type
"""
_PAGE = f"""
    select {_COLUMNS} from parked_fact
     where ($1::text is null or state = $1) and ($2::text is null or consumer = $2)
       and ($3::text is null or code = $3) and ($4::text is null or type = $4)
       and ($5::uuid is null or parked_id > $5) and ($6::text is null or correlation = $6)
       and ($7::uuid is null or act_id = $7)
     order by parked_id limit $8
"""  # noqa: S608 - put together from constants of this file.
_BODIES = "select parked_id, body from parked_fact where parked_id = any($1::uuid[])"
_SOME = f"select {_COLUMNS} from parked_fact where parked_id = any($1::uuid[]) order by parked_id"  # noqa: S608 - the same.
# The state is compared and set in one statement, row by row in one order: of two operators one wins.
_ACT = """
    update parked_fact set state = $2, act_id = $3, acted_by = $4, acted_at = $5, acted_why = $6
     where parked_id in (select parked_id from parked_fact
                          where parked_id = any($1::uuid[]) and state = 'open' order by parked_id for update)
       and state = 'open'
    returning parked_id
"""
_SEALED = r"""
    select state = 'open' as is_open, found[1] as kid, count(*) as facts
      from parked_fact, regexp_matches(encode(body, 'escape'), $1) as found
     where position('sealed_auth_key'::bytea in body) > 0 group by 1, 2
"""
_OPEN = """
    select consumer, count(*) as facts, min(parked_at) as oldest_at
      from parked_fact where state = 'open' group by consumer
"""
_AGAIN = """
    select before.parked_id from parked_fact before
     where before.act_id = $1
       and exists (select from parked_fact later where later.fact_id = before.fact_id
                      and later.consumer = before.consumer and later.replay > before.replay)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Open facts that were parked at one hearer for one reason."""

    consumer: str
    code: str
    type: str
    facts: int
    replayable: int
    first_at: datetime
    last_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a page of the desk; None narrows nothing. `after` is the last id of the page before."""

    state: str | None = None
    consumer: str | None = None
    code: str | None = None
    type: str | None = None
    after: UUID | None = None
    correlation: str | None = None
    act_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """Who did what with facts on the desk, and why."""

    act_id: UUID
    who: str
    at: datetime
    why: str


async def add(connection: "Connection", parked: Sequence[Parked]) -> None:
    """Lay facts on the desk; what lies there already is left alone."""
    ordered = sorted(parked, key=lambda item: item.id)
    await connection.execute(
        _ADD,
        [item.id for item in ordered],
        [item.fact_id for item in ordered],
        [item.consumer for item in ordered],
        [item.code for item in ordered],
        [item.reason for item in ordered],
        [item.type for item in ordered],
        [item.subject for item in ordered],
        [item.correlation for item in ordered],
        [item.replay for item in ordered],
        [item.body for item in ordered],
        [item.replayable for item in ordered],
    )


async def groups(connection: "Connection") -> list[Group]:
    """What lies open on the desk, by hearer, code and type, the most first."""
    return [Group(**dict(row)) for row in await connection.fetch(_GROUPS)]


async def page(connection: "Connection", filters: Filters, limit: int) -> list[OnDesk]:
    """Facts on the desk, in the order of their ids."""
    rows = await connection.fetch(
        _PAGE,
        filters.state,
        filters.consumer,
        filters.code,
        filters.type,
        filters.after,
        filters.correlation,
        filters.act_id,
        limit,
    )
    return [_on_desk(row) for row in rows]


async def some(connection: "Connection", ids: Sequence[UUID]) -> list[OnDesk]:
    """These facts, as far as they lie on the desk."""
    return [_on_desk(row) for row in await connection.fetch(_SOME, sorted(ids))]


async def bodies(connection: "Connection", ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The records of these facts, as they came."""
    return {row["parked_id"]: row["body"] for row in await connection.fetch(_BODIES, sorted(ids))}


async def act(connection: "Connection", ids: Sequence[UUID], state: State, acted: Acted) -> set[UUID]:
    """Bring open facts into another state; gives back those that were still open, which are now ours."""
    rows = await connection.fetch(_ACT, sorted(ids), state, acted.act_id, acted.who, acted.at, acted.why)
    return {row["parked_id"] for row in rows}


async def open_counts(connection: "Connection") -> list[tuple[str, int, datetime]]:
    """By hearer, how many facts lie open and since when the oldest does."""
    return [(row["consumer"], row["facts"], row["oldest_at"]) for row in await connection.fetch(_OPEN)]


async def parked_again(connection: "Connection", act_id: UUID) -> set[UUID]:
    """Those of one replay that no handler could take again."""
    return {row["parked_id"] for row in await connection.fetch(_AGAIN, act_id)}


def _on_desk(row: "Record") -> OnDesk:
    return OnDesk(
        id=row["parked_id"],
        fact_id=row["fact_id"],
        consumer=row["consumer"],
        code=row["code"],
        reason=row["reason"],
        type=row["type"],
        subject=row["subject"],
        correlation=row["correlation"],
        replay=row["replay"],
        replayable=row["replayable"],
        state=State(row["state"]),
        parked_at=row["parked_at"],
        acted_by=row["acted_by"],
        acted_at=row["acted_at"],
        acted_why=row["acted_why"],
    )


async def sealed(connection: "Connection", pattern: str) -> dict[str, dict[str, int]]:
    """By whether somebody has acted on them, and by key id, how many parked facts hold a sealed key."""
    found: dict[str, dict[str, int]] = {DESK: {}, ACTED_ON: {}}
    for record in await connection.fetch(_SEALED, pattern):
        found[DESK if record["is_open"] else ACTED_ON][record["kid"]] = record["facts"]
    return found
