"""The issuer's side of the ledger: its guarantees, by where they stand."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from shared.operator_door.ledger import Line

if TYPE_CHECKING:
    from shared.postgres import Connection

# A guarantee stands where its latest version stands; one that waits has not come to an end yet.
_COLUMN: Final = """
    case when g.state = 'declined' then 'declined'
         when g.state in ('requested', 'awaiting_conclusion') then 'waiting'
         when g.certificate_form = 'paper' then 'paper_ordered'
         when latest.state = 'refused' then 'refused'
         when latest.state in ('created', 'in_transit') then 'waiting'
         else 'issued' end
"""
_LATEST: Final = """
      left join lateral (select v.state from version v where v.guarantee_number = g.guarantee_number
                          order by v.version desc limit 1) latest on true
"""
_COUNTS: Final = f"select {_COLUMN} as state, count(*) as lines from guarantee g {_LATEST} group by 1"  # noqa: S608 - constants.
_LINES: Final = f"""
    select g.guarantee_number, g.portal, g.application_id, g.kind, {_COLUMN} as state
      from guarantee g {_LATEST}
     where $1::text is null or g.guarantee_number > $1
     order by g.guarantee_number limit $2
"""  # noqa: S608 - put together from constants of this file.


async def counts(connection: "Connection") -> Mapping[str, int]:
    """How many guarantees stand where."""
    return {row["state"]: row["lines"] for row in await connection.fetch(_COUNTS)}


async def lines(connection: "Connection", after: str | None, limit: int) -> Sequence[Line]:
    """Guarantees one by one, by number."""
    return [
        Line(row["guarantee_number"], f"{row['portal']}/{row['application_id']}", row["kind"], row["state"])
        for row in await connection.fetch(_LINES, after, limit)
    ]
