"""The writes of one unit of work, sent to the database as one statement.

A round trip costs more than most of these writes do. Each becomes a part of a common statement (``with w0 as (insert
…), w1 as (update …) select …``), so all of them cost one trip, and without a transaction around it the statement is
one by itself. All parts see the rows as they were before it; no two parts may touch the same row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.errors import Transient

if TYPE_CHECKING:
    from shared.postgres import Connection

UNEXPECTED_ROWS = "HO001"
"""The code with which `touched` ends a statement (see the migrations)."""

_PARAMETER = re.compile(r"\$(\d+)")


class Unexpected(Transient):
    """A write did not touch as many rows as it was to: somebody was faster. Look, and decide again."""


@dataclass(frozen=True, slots=True)
class Write:
    """One insert, update or delete, with parameters from ``$1``, that returns something as ``told``.

    Attributes:
        rows: how many rows it has to touch, or nothing of the whole statement becomes true; None if any number will do.
        before: named queries that it reads from, written by their names with a ``#`` behind them.
        heals: by the name of a constraint, what to raise where the next try will not break it again.
    """

    sql: str
    arguments: Sequence[object]
    rows: int | None = None
    before: tuple[tuple[str, str], ...] = ()
    heals: Mapping[str, type[Transient]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the writes.

    Attributes:
        at: the transaction's time, by the database's clock.
        told: for each write, what it returned, in ascending order.
    """

    at: datetime
    told: Sequence[list[Any]]


async def write_all(connection: "Connection", writes: Sequence[Write]) -> Written:
    """Send all of these in one round trip.

    Raises:
        Unexpected: if one of them did not touch as many rows as it was to.
        Transient: whatever `Write.heals` names.
    """
    sql = _composed(tuple((write.sql, write.before, write.rows is not None) for write in writes))
    arguments: list[object] = []
    for write in writes:
        arguments += write.arguments
        if write.rows is not None:
            arguments.append(write.rows)
    try:
        record = await connection.fetchrow(sql, *arguments)
    except asyncpg.UniqueViolationError as error:
        healed = [write.heals[name] for write in writes if (name := error.constraint_name or "") in write.heals]
        if healed:
            raise healed[0] from error
        raise
    except asyncpg.PostgresError as error:
        if error.sqlstate == UNEXPECTED_ROWS:
            raise Unexpected from error
        raise
    assert record is not None  # noqa: S101 - a select without a table gives one row; said for the type checker.
    return Written(record["at"], [record[f"r{number}"] or [] for number in range(len(writes))])


@lru_cache(maxsize=256)
def _composed(parts: tuple[tuple[str, tuple[tuple[str, str], ...], bool], ...]) -> str:
    """The one statement for writes of these texts; the database keeps its plan, for the texts are few."""
    queries: list[str] = []
    told = ["now() as at"]
    taken = 0
    for number, (sql, before, is_counted) in enumerate(parts):
        texts = [text for _, text in before] + [sql]
        parameters = max(int(found) for text in texts for found in _PARAMETER.findall(text))
        for name, text in [*before, (f"w{number}", sql)]:
            named = name.replace("#", f"_{number}")
            queries.append(f"{named} as ({_renumbered(text, taken).replace('#', f'_{number}')})")
        rows = f"(select array_agg(told order by told) from w{number})"  # noqa: S608 - only a number goes in.
        taken += parameters
        if is_counted:
            taken += 1
            rows = f"touched({rows}, ${taken}::bigint)"
        told.append(f"{rows} as r{number}")
    return f"with {', '.join(queries)} select {', '.join(told)}"


def _renumbered(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
