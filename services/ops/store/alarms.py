"""The statements of alarms: raised once, seen again and again, cleared when they are no longer so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.postgres import Connection

IDS_MAX = 50

_RAISE = """
    insert into alarm as known (kind, key, told, ids) values ($1, $2, $3, $4)
    on conflict (kind, key) do update
       set told = excluded.told, ids = excluded.ids, seen_at = now(), cleared_at = null,
           raised_at = case when known.cleared_at is null then known.raised_at else now() end
    returning raised_at = seen_at as is_new
"""
_CLEAR = """
    update alarm set cleared_at = now()
     where kind = $1 and not (key = any($2::text[])) and cleared_at is null returning key
"""
_CLEAR_ONE = """
    update alarm set cleared_at = now() where kind = $1 and key = $2 and cleared_at is null returning key
"""
_COUNTS = "select kind, count(*) as alarms from alarm where cleared_at is null group by kind"
_RAISED = """
    select kind, key, told, ids, raised_at, seen_at, cleared_at from alarm
     where cleared_at is null or cleared_at > now() - interval '1 day'
     order by cleared_at is not null, raised_at desc limit $1
"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong: its kind, what it is about, a sentence, and the ids a person needs."""

    kind: str
    key: str
    told: str
    ids: Sequence[str] = ()
    raised_at: datetime | None = None
    seen_at: datetime | None = None
    cleared_at: datetime | None = None


async def sound(connection: "Connection", alarm: Alarm) -> bool:
    """Raise an alarm or see it again; whether it was not there before."""
    return bool(await connection.fetchval(_RAISE, alarm.kind, alarm.key, alarm.told, list(alarm.ids[:IDS_MAX])))


async def clear_others(connection: "Connection", kind: str, keys: Sequence[str]) -> list[str]:
    """Clear the alarms of a kind whose keys are not among these; gives back which were cleared."""
    return [row["key"] for row in await connection.fetch(_CLEAR, kind, list(keys))]


async def counts(connection: "Connection") -> dict[str, int]:
    """How many alarms are raised, by kind."""
    return {row["kind"]: row["alarms"] for row in await connection.fetch(_COUNTS)}


async def listed(connection: "Connection", limit: int) -> list[Alarm]:
    """The alarms that are raised, and those cleared within a day."""
    return [Alarm(**dict(row)) for row in await connection.fetch(_RAISED, limit)]


async def clear(connection: "Connection", kind: str, key: str) -> bool:
    """Clear one alarm; whether it was raised."""
    return await connection.fetchval(_CLEAR_ONE, kind, key) is not None
