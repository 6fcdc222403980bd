"""What a consumer has already heard: the memory that makes a second delivery a no-op."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from shared.writes import Write

if TYPE_CHECKING:
    from shared.postgres import Connection

ATTEMPTS_MAX = 5
"""Tries after which a fact that kills its process is parked unrun."""

RETENTION_DAYS = 90
"""Longer than anything that can be replayed: answers live thirty days, parked facts are worked off within weeks."""

PRUNED_ROWS_MAX = 5_000

_ADMIT = """
    insert into inbox as known (consumer, message_id, digest, replay)
    select $1, heard.message_id, heard.digest, heard.replay
      from unnest($2::uuid[], $3::bytea[], $4::int[]) as heard(message_id, digest, replay)
    on conflict (consumer, message_id) do update
       set outcome = 'done', replay = excluded.replay
     where known.outcome = 'parked' and known.replay < excluded.replay and known.digest = excluded.digest
    returning message_id as told
"""
_CHANGED = """
    select known.message_id
      from inbox known
      join unnest($2::uuid[], $3::bytea[]) as heard(message_id, digest) using (message_id)
     where known.consumer = $1 and known.digest <> heard.digest
"""
_PARK = """
    insert into inbox (consumer, message_id, digest, outcome, replay)
    select $1, heard.message_id, heard.digest, 'parked', heard.replay
      from unnest($2::uuid[], $3::bytea[], $4::int[]) as heard(message_id, digest, replay)
    on conflict (consumer, message_id) do update set outcome = 'parked', replay = excluded.replay
    returning message_id as told
"""
_NOTE_REPLAYED = """
    update inbox as known set outcome = 'done', replay = heard.replay
      from unnest($2::uuid[], $3::int[]) as heard(message_id, replay)
     where known.consumer = $1 and known.message_id = heard.message_id
       and known.outcome = 'parked' and known.replay < heard.replay
"""
_ENDED = """
    select message_id, outcome, replay, heard_at from inbox where consumer = $1 and message_id = any($2::uuid[])
"""
_PARKED = "select consumer, count(*) as facts from inbox where outcome = 'parked' group by consumer"
_COUNT_ATTEMPTS = """
    insert into attempt as counted (consumer, message_id, attempts)
    select $1, heard.message_id, 1 from unnest($2::uuid[]) as heard(message_id)
    on conflict (consumer, message_id) do update set attempts = counted.attempts + 1
    returning message_id, attempts
"""
_FORGET_ATTEMPTS = "delete from attempt where consumer = $1 and message_id = any($2::uuid[])"
_KNOWN = """
    select message_id, digest
      from inbox join unnest($2::uuid[], $3::bytea[]) as heard(message_id, digest) using (message_id, digest)
     where consumer = $1
"""
_ATTEMPTS = "select message_id, attempts from attempt where consumer = $1 and message_id = any($2::uuid[])"
_PRUNE = """
    delete from inbox where ctid in (
        select ctid from inbox where heard_at < now() - make_interval(days => $1) limit $2)
"""

Identity = tuple[UUID, bytes, int]
"""Message id, digest, replay count."""


class Heard(Protocol):
    """What was heard, as far as a replay of it is noted."""

    @property
    def id(self) -> UUID:
        """Its identity."""

    @property
    def replay(self) -> int:
        """How often the desk sent it again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a fact ended at one consumer: `done` or `parked`, and at which replay."""

    id: UUID
    outcome: str
    replay: int
    heard_at: datetime


def admission(consumer: str, heard: Sequence[Identity]) -> Write:
    """Notes these facts as done and tells those that are new (or are replayed after having been parked)."""
    return Write(_ADMIT, (consumer, *_columns(heard)))


async def with_another_digest(connection: "Connection", consumer: str, heard: Sequence[Identity]) -> set[UUID]:
    """Those ids that were heard before with other content."""
    ids, digests, _ = _columns(heard)
    return {row["message_id"] for row in await connection.fetch(_CHANGED, consumer, ids, digests)}


def parking(consumer: str, heard: Sequence[Identity]) -> Write:
    """Notes these facts as parked: only a replay from the desk lets them in again."""
    return Write(_PARK, (consumer, *_columns(heard)))


async def note_replayed(connection: "Connection", consumer: str, items: Sequence[Heard]) -> None:
    """Note replays that reached a door, which answers every delivery: the desk asks here whether they ended."""
    ordered = sorted((item.id, item.replay) for item in items if item.replay > 0)
    ids, replays = [identity for identity, _ in ordered], [replay for _, replay in ordered]
    await connection.execute(_NOTE_REPLAYED, consumer, ids, replays)


async def ended(connection: "Connection", consumer: str, ids: Collection[UUID]) -> list[Ended]:
    """How these facts ended at this consumer; what it never heard is not among them."""
    rows = await connection.fetch(_ENDED, consumer, sorted(ids))
    return [Ended(row["message_id"], row["outcome"], row["replay"], row["heard_at"]) for row in rows]


async def parked_counts(connection: "Connection") -> dict[str, int]:
    """How many facts ended parked, by consumer."""
    return {row["consumer"]: row["facts"] for row in await connection.fetch(_PARKED)}


async def known(connection: "Connection", consumer: str, heard: Sequence[Identity]) -> set[tuple[UUID, bytes]]:
    """Those that were heard before with the same content, each as (id, digest)."""
    ids, digests, _ = _columns(heard)
    return {(row["message_id"], row["digest"]) for row in await connection.fetch(_KNOWN, consumer, ids, digests)}


async def attempts(connection: "Connection", consumer: str, ids: Collection[UUID]) -> dict[UUID, int]:
    """How often each of these was already tried after a redelivery."""
    rows = await connection.fetch(_ATTEMPTS, consumer, sorted(ids))
    return {row["message_id"]: row["attempts"] for row in rows}


async def count_attempts(connection: "Connection", consumer: str, ids: Collection[UUID]) -> dict[UUID, int]:
    """Count one more try of each, in whatever transaction the connection is in; give back the counts."""
    rows = await connection.fetch(_COUNT_ATTEMPTS, consumer, sorted(ids))
    return {row["message_id"]: row["attempts"] for row in rows}


async def forget_attempts(connection: "Connection", consumer: str, ids: Collection[UUID]) -> None:
    """Drop the counts of facts that ended."""
    await connection.execute(_FORGET_ATTEMPTS, consumer, sorted(ids))


async def prune(connection: "Connection") -> int:
    """Delete one batch of rows older than `RETENTION_DAYS`; give back how many went."""
    return int((await connection.execute(_PRUNE, RETENTION_DAYS, PRUNED_ROWS_MAX)).split()[-1])


def _columns(heard: Sequence[Identity]) -> tuple[list[UUID], list[bytes], list[int]]:
    # Sorted by key, because two processes that insert the same rows in different orders wait for each other.
    ordered = sorted(heard)
    return [row[0] for row in ordered], [row[1] for row in ordered], [row[2] for row in ordered]
