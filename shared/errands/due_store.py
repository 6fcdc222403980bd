"""The SQL by which operators see and move rows. What a call needs (the payload) is never shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.errands import Held

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

ROWS_MAX = 500
REASON_CHARACTERS_MAX = 500


class Which(StrEnum):
    """The rows an operator may ask for; every row that is not settled is in exactly one of these."""

    DUE = "due"
    """It is called as soon as there is a slot, its stage permits it, and an earlier version is settled."""
    CALLING = "calling"
    """A process holds it."""
    WAITING = "waiting"
    """It waits until its time comes."""
    HELD = "held"
    """It waits for a person."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as an operator sees it.

    Attributes:
        state: due, held or settled.
        is_calling: whether a process holds it.
        last_error: what the last try brought, or why it is held.
        held_by: the operator who held it; None when its outcome did.
    """

    key: str
    turn_of: str
    state: str
    is_calling: bool
    created_at: datetime
    due_at: datetime
    attempts: int
    unknown: bool
    last_error: str | None
    holds: int
    held_at: datetime | None
    held_by: str | None
    correlation: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many unsettled rows there are, by `Which`; `oldest_at` is when the oldest of them was made."""

    due: int
    calling: int
    waiting: int
    held: int
    oldest_at: datetime | None


_COLUMNS = """
    key, turn_of, state, lease_owner is not null as is_calling, created_at, due_at, attempts, unknown, last_error,
    holds, held_at, held_by, correlation
"""
_CONDITIONS = {
    Which.DUE: "state = 'due' and lease_owner is null and due_at <= now()",
    Which.CALLING: "lease_owner is not null",
    Which.WAITING: "state = 'due' and lease_owner is null and due_at > now()",
    Which.HELD: "state = 'held'",
}
_AFTER = {
    False: "and (due_at, key) > (coalesce($2::timestamptz, '-infinity'), $3) order by due_at, key limit $4",
    True: "and (due_at, key) < (coalesce($2::timestamptz, 'infinity'), $3) order by due_at desc, key desc limit $4",
}
# All of these are put together from constants of this file.
_ONE = f"select {_COLUMNS} from errand where errand = $1 and key = $2"  # noqa: S608 - see above.
_LISTS = {
    (which, newest_first): f"select {_COLUMNS} from errand where errand = $1 and {condition} {after}"  # noqa: S608 - see above.
    for which, condition in _CONDITIONS.items()
    for newest_first, after in _AFTER.items()
}
_COUNTS = f"""
    select (select count(*) from errand where errand = $1 and {_CONDITIONS[Which.DUE]}) as due,
           (select count(*) from errand where errand = $1 and {_CONDITIONS[Which.CALLING]}) as calling,
           (select count(*) from errand where errand = $1 and {_CONDITIONS[Which.WAITING]}) as waiting,
           (select count(*) from errand where errand = $1 and {_CONDITIONS[Which.HELD]}) as held,
           least((select min(created_at) from errand where errand = $1 and state = 'due' and lease_owner is null),
                 (select min(created_at) from errand where errand = $1 and {_CONDITIONS[Which.CALLING]}),
                 (select min(created_at) from errand where errand = $1 and {_CONDITIONS[Which.HELD]})) as oldest_at
"""  # noqa: S608 - see above.
# Not `now()` in the condition: whoever waited for the other's commit began before it, and would not see it as past.
_TRY_NOW = """
    update errand set due_at = now()
     where errand = $1 and key = $2 and state = 'due' and lease_owner is null and due_at > clock_timestamp()
    returning key
"""
# A row that is being called cannot be held: let go again, it could be called twice at once.
_HOLD = """
    update errand set state = 'held', last_error = $4, holds = holds + 1, held_at = now(), held_by = $3
     where errand = $1 and key = $2 and state = 'due' and lease_owner is null
    returning holds, correlation, traceparent
"""
_RELEASE = """
    update errand set state = 'due', due_at = now(), attempts = 0, held_at = null, held_by = null
     where errand = $1 and key = $2 and state = 'held'
    returning holds, correlation, traceparent
"""


async def rows(
    connection: "Connection",
    errand: str,
    which: Which,
    *,
    after: tuple[datetime, str] | None = None,
    newest_first: bool = False,
    limit: int = ROWS_MAX,
) -> Sequence[Row]:
    """Rows in the order in which they are or were due; `after` is `due_at` and `key` of the last row seen before."""
    due_at, key = after if after is not None else (None, "")
    query = _LISTS[which, newest_first]
    return [
        Row(*record.values()) for record in await connection.fetch(query, errand, due_at, key, min(limit, ROWS_MAX))
    ]


async def row(connection: "Connection", errand: str, key: str) -> Row | None:
    """One row."""
    record = await connection.fetchrow(_ONE, errand, key)
    return None if record is None else Row(*record.values())


async def counts(connection: "Connection", errand: str) -> Counts:
    """Count the rows that wait. Settled ones, of which there are millions, are not looked at."""
    record = await connection.fetchrow(_COUNTS, errand)
    if record is None:
        raise RuntimeError("A query without a from clause gave no row.")
    return Counts(*record.values())


async def try_now(connection: "Connection", errand: str, key: str) -> bool:
    """Let a waiting row be due at once."""
    return await connection.fetchval(_TRY_NOW, errand, key) is not None


async def hold(connection: "Connection", errand: str, key: str, by: str, reason: str) -> Held | None:
    """Put a row aside that is due and not being called."""
    record = await connection.fetchrow(_HOLD, errand, key, by, reason[:REASON_CHARACTERS_MAX])
    return None if record is None else _held(errand, key, reason, record)


async def release(connection: "Connection", errand: str, key: str, reason: str) -> Held | None:
    """Let a held row be due again, its back-off begun anew."""
    record = await connection.fetchrow(_RELEASE, errand, key)
    return None if record is None else _held(errand, key, reason, record)


def _held(errand: str, key: str, reason: str, record: "Record") -> Held:
    return Held(errand, key, record["holds"], reason, record["correlation"], record["traceparent"])
