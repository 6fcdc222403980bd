"""The statements of the operator door that are not errands': what waits in the outbox, and what of it is sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.postgres import Connection

COUNTED_ROWS_MAX = 100_000

# Counted no further than that: an outbox of a bad day must not make the door slow.
_OUTBOX = """
    select count(*) as rows, count(*) filter (where attempts > 0) as failing
      from (select attempts from outbox limit $1) as counted
"""
_OLDEST = "select min(time::timestamptz) from (select time from outbox order by id limit 100) as first"
# A sealed field, in a fact or in the record of a parked one, where the quotes around it are escaped.
SEALED: Final = r"""sealed_auth_key[\\": ]+v1\.([A-Za-z0-9_-]{1,32})\."""
_SEALED_IN_OUTBOX = """
    select found[1] as kid, count(*) as rows
      from outbox, regexp_matches(encode(body, 'escape'), $1) as found
     where position('sealed_auth_key'::bytea in body) > 0 group by found[1]
"""
_LAST_ERROR = "select last_error from outbox where attempts > 0 order by due_at desc limit 1"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Facts that are committed and not yet confirmed by the broker.

    Attributes:
        rows: counted no further than `COUNTED_ROWS_MAX`.
        failing: of these, how many came back at least once.
    """

    rows: int
    failing: int
    oldest_at: datetime | None
    last_error: str | None


async def sealed_in_outbox(connection: "Connection") -> dict[str, int]:
    """By key id, how many facts that wait for the broker hold a sealed key."""
    return {row["kid"]: row["rows"] for row in await connection.fetch(_SEALED_IN_OUTBOX, SEALED)}


async def outbox(connection: "Connection") -> Outbox:
    """What waits for the broker."""
    row = await connection.fetchrow(_OUTBOX, COUNTED_ROWS_MAX)
    if row is None or row["rows"] == 0:
        return Outbox(0, 0, None, None)
    oldest_at = await connection.fetchval(_OLDEST)
    last_error = await connection.fetchval(_LAST_ERROR) if row["failing"] else None
    return Outbox(row["rows"], row["failing"], oldest_at, last_error)
