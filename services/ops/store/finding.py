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

_FOUND = """
    select correlation, portal, application_id, contractor, project, obligee, accepted_at from ledger_application
"""
_BY_CORRELATION = f"{_FOUND} where correlation = any($1::text[]) order by accepted_at desc limit $2"
_BY_ID = f"{_FOUND} where application_id = $1 order by accepted_at desc limit $2"
_BY_WORDS = f"""
    {_FOUND} where grams @> $1::text[] and strpos(folded, $2) > 0 order by accepted_at desc limit $3
"""
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


async def by_application_id(connection: "Connection", application_id: str, limit: int) -> list[Found]:
    """Applications of this id, of whichever portal."""
    return [Found(**dict(row)) for row in await connection.fetch(_BY_ID, application_id, limit)]


async def by_correlation(connection: "Connection", correlations: Sequence[str], limit: int) -> list[Found]:
    """These applications."""
    return [Found(**dict(row)) for row in await connection.fetch(_BY_CORRELATION, list(correlations), limit)]


async def by_words(connection: "Connection", query: str, limit: int) -> list[Found]:
    """Applications whose contractor, 工事名 or obligee holds these words, the latest first."""
    text = folded(query)
    if not text:
        return []
    return [Found(**dict(row)) for row in await connection.fetch(_BY_WORDS, wanted(text), text, limit)]


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
