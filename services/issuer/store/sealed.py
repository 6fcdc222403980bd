"""Which key sealed what: rows counted by key id, and those of one key taken to be sealed again."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.postgres import Connection

# From one key id to the next through the index `guarantee_sealed_by`, so that ten million rows cost a few looks.
_KIDS: Final = """
    with recursive sealer as (
        (select split_part(sealed_auth_key, '.', 2) as kid from guarantee
          where sealed_auth_key is not null order by 1 limit 1)
        union all
        select (select split_part(g.sealed_auth_key, '.', 2) from guarantee g
                 where g.sealed_auth_key is not null and split_part(g.sealed_auth_key, '.', 2) > sealer.kid
                 order by 1 limit 1)
          from sealer where sealer.kid is not null)
    select kid from sealer where kid is not null
"""
_COUNT: Final = """
    select count(*) from guarantee where sealed_auth_key is not null and split_part(sealed_auth_key, '.', 2) = $1
"""
# A row somebody works on is left for the next sweep. The lock lets others refer to the row meanwhile.
_TAKE: Final = """
    select guarantee_number, sealed_auth_key from guarantee
     where sealed_auth_key is not null and split_part(sealed_auth_key, '.', 2) = $1 and guarantee_number > $2
     order by guarantee_number limit $3 for no key update skip locked
"""
_PUT: Final = """
    update guarantee g set sealed_auth_key = told.sealed
      from unnest($1::text[], $2::text[]) as told(number, sealed) where g.guarantee_number = told.number
"""


async def kids(connection: "Connection") -> list[str]:
    """The ids of all keys that seal at least one row, in the order of their names."""
    return [row["kid"] for row in await connection.fetch(_KIDS)]


async def count(connection: "Connection", kid: str) -> int:
    """How many rows this key seals."""
    return int(await connection.fetchval(_COUNT, kid))


async def counts(connection: "Connection") -> Mapping[str, Mapping[str, int]]:
    """By table and key id, how many rows are sealed."""
    return {"guarantee": {kid: await count(connection, kid) for kid in await kids(connection)}}


async def take(connection: "Connection", kid: str, after: str, limit: int) -> Sequence[tuple[str, str]]:
    """Lock rows that this key seals, from the number after `after` on: (number, sealed key), in order."""
    return [
        (row["guarantee_number"], row["sealed_auth_key"]) for row in await connection.fetch(_TAKE, kid, after, limit)
    ]


async def put(connection: "Connection", rows: Sequence[tuple[str, str]]) -> None:
    """Write back rows that were taken in this transaction, sealed by another key."""
    await connection.execute(_PUT, [number for number, _ in rows], [sealed for _, sealed in rows])
