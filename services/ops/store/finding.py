"""What people look up: applications by whatever they know of them, the steps of one, and the acts of operators."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.ops.domain.search import folded, wanted

if TYPE_CHECKING:
    from shared.postgres import Connection

STEPS_MAX = 500
LATEST_MAX = 2_000
"""Words are looked for among so many of the latest applications before their index is asked."""

CANDIDATES_MAX = 5_000
"""So many applications that have all grams of a word are read at most."""

_COLUMNS = "correlation, portal, application_id, contractor, project, obligee, accepted_at"
_FOUND = f"select {_COLUMNS} from ledger_application"  # noqa: S608 - put together from constants of this file.
_BY_CORRELATION = f"{_FOUND} where correlation = any($1::text[]) order by accepted_at desc limit $2"
_BY_ID = f"{_FOUND} where application_id = $1 order by accepted_at desc limit $2"
_BY_NAME = f"""
    {_FOUND}
     where correlation in (select $1::text
                           union all select correlation from ledger_application where application_id = $1
                           union all select correlation from ledger_line where guarantee_number = $1)
     order by accepted_at desc limit $2
"""  # noqa: S608 - the same.
# What many fit shows among the latest, which cost little; the index of grams is asked only for what few fit. The
# planner cannot tell the two apart: it takes grams for independent, and those of one word never are. The bound
# is for words that many fitted once and none of late; it stands outside of `candidates`, or the planner would read the
# whole table in the hope of meeting it soon.
_BY_WORDS = f"""
    with near as materialized (
        select {_COLUMNS} from (select * from ledger_application order by accepted_at desc limit $4) latest
         where strpos(folded, $2) > 0 order by accepted_at desc limit $3
    ), candidates as materialized (
        select {_COLUMNS}, folded from ledger_application
         where (select count(*) from near) < $3 and grams @> $1::text[]
    )
    select * from near
    union all
    select {_COLUMNS} from (select * from candidates limit $5) bounded
     where strpos(folded, $2) > 0 and correlation not in (select correlation from near)
     order by accepted_at desc limit $3
"""  # noqa: S608 - the same.
_OF_NUMBER = "select distinct correlation from ledger_line where guarantee_number = $1"
_OF_SUBJECT = "select distinct correlation from journal_entry where subject = $1 limit 10"
_STEPS = """
    select fact_id, service, type, subject, announced_at, heard_at, search, entry_no, batch_no
      from journal_entry where correlation = $1 order by announced_at, entry_no limit $2
"""
_LINES = """
    select kind, form, guarantee_number, status, since from ledger_line where correlation = $1 order by kind
"""
# The type stands here in words, so that the index of these few entries serves.
_ACTS = """
    select entry_no, service, announced_at, search from journal_entry
     where type = 'operator.acted.v1' and entry_no < coalesce($1::bigint, 9223372036854775807)
     order by entry_no desc limit $2
"""


@dataclass(frozen=True, slots=True)
class Found:
    """An application that fits what was asked for."""

    correlation: str
    portal: str
    application_id: str
    contractor: str
    project: str
    obligee: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One announcement about an application, as the journal has it."""

    fact_id: UUID
    service: str
    type: str
    subject: str
    announced_at: datetime
    heard_at: datetime
    search: Mapping[str, str]
    entry_no: int
    batch_no: int | None


@dataclass(frozen=True, slots=True)
class LineTold:
    """One guarantee applied for, and where it stands."""

    kind: str
    form: str | None
    guarantee_number: str | None
    status: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ActTold:
    """An act of an operator, as the journal has it."""

    entry_no: int
    service: str
    at: datetime
    search: Mapping[str, str]


async def by_name(connection: "Connection", name: str, limit: int) -> list[Found]:
    """Applications that are called so: by their id, by a guarantee number, or as `portal/id`."""
    return [Found(**dict(row)) for row in await connection.fetch(_BY_NAME, name, limit)]


async def by_application_id(connection: "Connection", application_id: str, limit: int) -> list[Found]:
    """Applications of this id, of whichever portal."""
    return [Found(**dict(row)) for row in await connection.fetch(_BY_ID, application_id, limit)]


async def by_correlation(connection: "Connection", correlations: Sequence[str], limit: int) -> list[Found]:
    """These applications."""
    return [Found(**dict(row)) for row in await connection.fetch(_BY_CORRELATION, list(correlations), limit)]


async def by_words(connection: "Connection", query: str, limit: int) -> list[Found]:
    """Applications whose contractor, 工事名 or obligee holds these words, the latest first.

    Of words that thousands fitted, and almost none of the latest applications does, some may not be found.
    """
    text = folded(query)
    if not text:
        return []
    given = (_BY_WORDS, wanted(text), text, limit, LATEST_MAX, CANDIDATES_MAX)
    return [Found(**dict(row)) for row in await connection.fetch(*given)]


async def of_number(connection: "Connection", number: str) -> list[str]:
    """The applications that guarantee numbers of this name belong to."""
    return [row["correlation"] for row in await connection.fetch(_OF_NUMBER, number)]


async def of_subject(connection: "Connection", subject: str) -> list[str]:
    """The correlations of what was told about a subject: for what is in the journal and was never accepted."""
    return [row["correlation"] for row in await connection.fetch(_OF_SUBJECT, subject)]


async def steps(connection: "Connection", correlation: str) -> list[Told]:
    """What was announced about an application, in the order of its times."""
    return [
        Told(**{**dict(row), "search": _words(row["search"])})
        for row in await connection.fetch(_STEPS, correlation, STEPS_MAX)
    ]


async def lines(connection: "Connection", correlation: str) -> list[LineTold]:
    """The guarantees applied for."""
    return [LineTold(**dict(row)) for row in await connection.fetch(_LINES, correlation)]


async def acts(connection: "Connection", before: int | None, limit: int) -> list[ActTold]:
    """What operators did, the latest first."""
    rows = await connection.fetch(_ACTS, before, limit)
    return [ActTold(row["entry_no"], row["service"], row["announced_at"], _words(row["search"])) for row in rows]


def _words(told: str | None) -> Mapping[str, str]:
    return {} if told is None else json.loads(told)
