"""The SQL of errands. Time is the database's; every failure filters on the token of its claim."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.errands import Claimed, Due, Held
from shared.writes import Write

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

ERROR_CHARACTERS_MAX = 500
RETENTION_DAYS = 400
PRUNED_ROWS_MAX = 2_000
PROBE_CANDIDATES = 200

# A portal without waiting rows starts at the smallest turn that waits, so that it neither waits behind a flood
# nor overtakes for ever with turns saved up while it was silent. Rows that could not be taken now do not count: one
# in a long back-off would hold the floor down, and whoever floods next would overtake everybody.
_FLOOR = """
    select coalesce((select turn from errand where errand = $1 and state = 'due' and lease_owner is null
                        and due_at <= now() and (order_key is null or order_no = 1)
                      order by turn limit 1),
                    (select max(next_turn) from turn where errand = $1), 0) as turn
"""
_TURNS = """
    insert into turn as own (errand, turn_of, next_turn)
    select $1, asking.turn_of, asking.rows + floor#.turn
      from unnest($13::text[], $14::bigint[]) as asking(turn_of, rows), floor#
     order by asking.turn_of
    on conflict (errand, turn_of) do update
       set next_turn = greatest(own.next_turn, (select turn from floor#)) + excluded.next_turn
                       - (select turn from floor#)
    returning turn_of, next_turn
"""
_INSERT = """
    insert into errand (errand, key, turn_of, turn, order_key, order_no, payload, correlation, traceparent,
                        attempts, lease_owner, lease_until, lease_token)
    select $1, due.key, due.turn_of, turns#.next_turn - due.turns_before_next, due.order_key, due.order_no,
           due.payload, due.correlation, due.traceparent, due.leased,
           case when due.leased = 1 then $11::bigint end,
           case when due.leased = 1 then now() + make_interval(secs => $12) end, due.leased
      from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::int[], $7::bytea[], $8::text[], $9::text[],
                  $10::int[])
           as due(key, turn_of, turns_before_next, order_key, order_no, payload, correlation, traceparent, leased)
      join turns# using (turn_of)
     order by due.key
    on conflict do nothing
    returning key as told
"""
_CLAIM_BY_TURN = """
    update errand set lease_owner = $2, lease_until = now() + make_interval(secs => $3),
           lease_token = lease_token + 1, attempts = attempts + 1
     where (errand, key) in (
        select e.errand, e.key from errand e
         where e.errand = $1 and e.state = 'due' and e.lease_owner is null and e.due_at <= now()
           and not (e.key = any($5::text[]))
           and (e.order_key is null or e.order_no = 1 or exists (
                select from errand before
                 where before.errand = e.errand and before.order_key = e.order_key
                   and before.order_no = e.order_no - 1 and before.state = 'settled'))
         order by e.turn, e.due_at limit $4 for update skip locked)
    returning key, payload, attempts, unknown, lease_token, correlation, traceparent, created_at, turn
"""
# By turn, one row that always fails would be the probe for ever. Among those that have been due for longest the one
# with the fewest tries asks: what failed before the outage too says little about its end.
_CLAIM_PROBE = """
    update errand set lease_owner = $2, lease_until = now() + make_interval(secs => $3),
           lease_token = lease_token + 1, attempts = attempts + 1
     where (errand, key) in (
        select errand, key from (
            select e.errand, e.key, e.attempts, e.due_at from errand e
             where e.errand = $1 and e.state = 'due' and e.lease_owner is null and e.due_at <= now()
               and (e.order_key is null or e.order_no = 1 or exists (
                    select from errand before
                     where before.errand = e.errand and before.order_key = e.order_key
                       and before.order_no = e.order_no - 1 and before.state = 'settled'))
             order by e.due_at, e.key limit $4) as candidate
         order by attempts, due_at, key limit 1)
       and state = 'due' and lease_owner is null
    returning key, payload, attempts, unknown, lease_token, correlation, traceparent, created_at, turn
"""
# What the call needed, an address perhaps, is not kept any longer than it is needed.
_SETTLE = """
    update errand set state = 'settled', settled_at = now(), lease_owner = null, lease_until = null,
           last_error = null, payload = ''
     where errand = $1 and key = any($2::text[]) and state <> 'settled'
    returning key as told
"""
_POSTPONE = """
    update errand set lease_owner = null, lease_until = null, last_error = late.error,
           due_at = now() + make_interval(secs => late.after_s), unknown = errand.unknown or late.unknown,
           attempts = errand.attempts - late.unburnt
      from unnest($2::text[], $3::bigint[], $4::float8[], $5::text[], $6::boolean[], $7::int[])
           as late(row_key, token, after_s, error, unknown, unburnt)
     where errand.errand = $1 and errand.key = late.row_key and errand.lease_token = late.token
       and errand.state = 'due'
    returning errand.key
"""
_HOLD = """
    update errand set state = 'held', lease_owner = null, lease_until = null, last_error = $4, unknown = true,
           holds = holds + 1, held_at = now(), held_by = null
     where errand = $1 and key = $2 and lease_token = $3 and state = 'due'
    returning errand, key, holds, last_error, correlation, traceparent
"""
_RELEASE = """
    update errand set lease_owner = null, lease_until = null, unknown = true where lease_owner = any($1::bigint[])
"""
_RELEASE_UNCALLED = """
    update errand set lease_owner = null, lease_until = null, attempts = attempts - 1
      from unnest($3::text[], $4::bigint[]) as uncalled(row_key, token)
     where errand = $1 and lease_owner = $2 and key = uncalled.row_key and lease_token = uncalled.token
"""
# Whoever let a lease run out may have been calling: nobody knows what the outside did. But rows of this process that
# it does not hold in memory were never called.
_RELEASE_LOST = """
    update errand set lease_owner = null, lease_until = null,
           attempts = attempts - (lease_owner = $2)::int, unknown = unknown or lease_owner <> $2
     where errand = $1 and lease_owner is not null and not (key = any($3::text[]))
       and lease_until < now() + make_interval(secs => case when lease_owner = $2 then $4 else 0 end)
"""
_PRUNE = """
    delete from errand where ctid in (
        select ctid from errand where state = 'settled' and settled_at < now() - make_interval(days => $1)
           and order_key is null limit $2)
"""


class Insertion:
    """Rows that are to become due, of which up to so many belong to this process at once."""

    def __init__(self, errand: str, rows: Sequence[Due], leased_rows: int) -> None:
        self.errand = errand
        self._rows = sorted({row.key: row for row in rows}.values(), key=lambda row: row.key)
        self._leased = _first_true([row.order_no in (None, 1) for row in self._rows], leased_rows)

    def write(self, owner_id: int, lease_s: float) -> Write:
        """Writes the rows and tells the keys of those that were not due before."""
        rows, asking = self._rows, Counter(row.turn_of for row in self._rows)
        arguments = (
            self.errand,
            [row.key for row in rows],
            [row.turn_of for row in rows],
            _turns_before_next([row.turn_of for row in rows]),
            [row.order_key for row in rows],
            [row.order_no for row in rows],
            [row.payload for row in rows],
            [row.correlation for row in rows],
            [row.traceparent for row in rows],
            self._leased,
            owner_id,
            lease_s,
            sorted(asking),
            [asking[name] for name in sorted(asking)],
        )
        return Write(_INSERT, arguments, before=(("floor#", _FLOOR), ("turns#", _TURNS)))

    def claimed(self, keys: Collection[str], at: datetime) -> list[Claimed]:
        """Of the keys that `write` told at this time, the rows that belong to this process."""
        fresh = set(keys)
        return [
            Claimed(self.errand, row.key, row.payload, 1, False, 1, row.correlation, row.traceparent, at)
            for row, leased in zip(self._rows, self._leased, strict=True)
            if leased and row.key in fresh
        ]


def _first_true(leasable: Sequence[bool], rows_max: int) -> list[int]:
    leased, left = [], rows_max
    for may in leasable:
        leased.append(1 if may and left > 0 else 0)
        left -= leased[-1]
    return leased


def _turns_before_next(turns_of: Sequence[str]) -> list[int]:
    """For each row, how many turns of its portal lie from its own to the end, its own included."""
    left, counts = Counter(turns_of), []
    for turn_of in turns_of:
        counts.append(left[turn_of])
        left[turn_of] -= 1
    return counts


async def claim(
    connection: "Connection", errand: str, owner_id: int, lease_s: float, limit: int, held: Collection[str] = ()
) -> list[Claimed]:
    """Take rows that are due and free, by turn; a version waits until the one before it is settled.

    What this process holds in memory (`held`) is not taken again, even when its lease ran out: it is being called.
    """
    records = await connection.fetch(_CLAIM_BY_TURN, errand, owner_id, lease_s, limit, sorted(held))
    # An update gives its rows back in any order.
    return [_claimed(errand, record) for record in sorted(records, key=lambda record: (record["turn"], record["key"]))]


async def claim_probe(connection: "Connection", errand: str, owner_id: int, lease_s: float) -> Claimed | None:
    """Take one row to probe with: of those due for longest the one that was tried least."""
    record = await connection.fetchrow(_CLAIM_PROBE, errand, owner_id, lease_s, PROBE_CANDIDATES)
    return None if record is None else _claimed(errand, record)


def _claimed(errand: str, record: "Record") -> Claimed:
    return Claimed(
        errand=errand,
        key=record["key"],
        payload=record["payload"],
        attempts=record["attempts"],
        unknown_before=record["unknown"],
        token=record["lease_token"],
        correlation=record["correlation"],
        traceparent=record["traceparent"],
        created_at=record["created_at"],
    )


def settling(errand: str, keys: Collection[str]) -> Write:
    """Settles rows whatever their token: a late success is a fact. Tells those that were not settled before."""
    return Write(_SETTLE, (errand, sorted(keys)))


async def postpone(
    connection: "Connection", errand: str, late: Sequence[tuple[Claimed, float, str, bool, bool]]
) -> set[str]:
    """Let rows wait: (row, seconds, reason, outcome unknown, attempt not counted). Stale tokens change nothing."""
    ordered = sorted(late, key=lambda item: item[0].key)
    records = await connection.fetch(
        _POSTPONE,
        errand,
        [row.key for row, *_ in ordered],
        [row.token for row, *_ in ordered],
        [after_s for _, after_s, *_ in ordered],
        [reason[:ERROR_CHARACTERS_MAX] for _, _, reason, *_ in ordered],
        [unknown for *_, unknown, _ in ordered],
        [int(unburnt) for *_, unburnt in ordered],
    )
    return {record["key"] for record in records}


async def hold(connection: "Connection", row: Claimed, reason: str) -> Held | None:
    """Put a row aside for a person; None when it is no longer this process's to put aside."""
    record = await connection.fetchrow(_HOLD, row.errand, row.key, row.token, reason[:ERROR_CHARACTERS_MAX])
    return None if record is None else Held(*record.values())


async def release_of(connection: "Connection", owner_ids: Collection[int]) -> None:
    """Free the rows of owners that are dead; they may have died in the call, so its outcome is unknown."""
    await connection.execute(_RELEASE, sorted(owner_ids))


async def release_uncalled(connection: "Connection", errand: str, owner_id: int, rows: Sequence[Claimed]) -> None:
    """Free rows that were held and never called, as if they had not been claimed."""
    ordered = sorted(rows, key=lambda row: row.key)
    keys, tokens = [row.key for row in ordered], [row.token for row in ordered]
    await connection.execute(_RELEASE_UNCALLED, errand, owner_id, keys, tokens)


async def release_lost(
    connection: "Connection", errand: str, owner_id: int, held: Collection[str], lease_left_s: float
) -> int:
    """Free rows whose lease ran out, and rows leased by this process that it does not hold in memory and whose lease
    has at most so long to run: the answer to the commit that leased those was lost, and they were never called.
    """
    status = await connection.execute(_RELEASE_LOST, errand, owner_id, sorted(held), lease_left_s)
    return int(status.split()[-1])


async def prune(connection: "Connection") -> int:
    """Delete one batch of rows settled long ago; ordered ones stay, their successors ask for them."""
    return int((await connection.execute(_PRUNE, RETENTION_DAYS, PRUNED_ROWS_MAX)).split()[-1])
