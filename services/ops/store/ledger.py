"""The ledger's statements. Records of several services race, so each statement ends the same in whatever order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.ops.domain.ledger import Application, Mail, Move
from services.ops.domain.search import folded, grams
from services.ops.domain.troubles import Refused

if TYPE_CHECKING:
    from shared.postgres import Connection

_ADD_APPLICATION = """
    insert into ledger_application (correlation, portal, application_id, contractor, project, obligee, folded, grams,
                                    accepted_at)
    select row.correlation, row.portal, row.application_id, row.contractor, row.project, row.obligee, row.folded,
           string_to_array(row.grams, chr(10)), row.accepted_at
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::timestamptz[])
           as row(correlation, portal, application_id, contractor, project, obligee, folded, grams, accepted_at)
    on conflict (correlation) do nothing
"""
_ADD_LINES = """
    insert into ledger_line as line (correlation, kind, form, status, since)
    select row.correlation, row.kind, row.form, '', row.since
      from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as row(correlation, kind, form, since)
     order by row.correlation, row.kind
    on conflict (correlation, kind) do update set form = excluded.form where line.form is null
"""
_MOVE = """
    insert into ledger_line as line (correlation, kind, guarantee_number, status, since)
    select distinct on (row.correlation, row.kind) row.correlation, row.kind, row.number, row.status, row.at
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
           as row(correlation, kind, number, status, at)
     order by row.correlation, row.kind, row.at desc
    on conflict (correlation, kind) do update
       set guarantee_number = coalesce(line.guarantee_number, excluded.guarantee_number),
           status = excluded.status, since = excluded.since
     where line.status = '' or line.since <= excluded.since
    returning line.correlation, line.kind, line.guarantee_number
"""
_MAIL = """
    insert into ledger_mail as mail (subject, ordinal, correlation, wanted_at, ended_at)
    select row.subject, row.ordinal, min(row.correlation), min(row.wanted_at), min(row.ended_at)
      from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[])
           as row(subject, ordinal, correlation, wanted_at, ended_at)
     group by row.subject, row.ordinal
     order by row.subject, row.ordinal
    on conflict (subject, ordinal) do update
       set wanted_at = coalesce(mail.wanted_at, excluded.wanted_at),
           ended_at = coalesce(mail.ended_at, excluded.ended_at)
"""
# Counted as the rows are written, by triggers of the tables themselves: this is asked every few seconds for ever.
_COLUMNS = "select status, form, facts as lines from ledger_tally where counted = 'line' and facts <> 0"
# From the desk, which is small, to the lines; a line that is settled does not care for what lies on the desk.
_PARKED = """
    select line.status, coalesce(line.form, 'electronic') as form, count(*) as lines
      from (select distinct correlation from parked_fact where state in ('open', 'discarded')) parked
      join ledger_line line on line.correlation = parked.correlation
     where line.status in ('', 'requested', 'awaiting_conclusion', 'in_transit')
     group by line.status, coalesce(line.form, 'electronic')
"""
_ACCEPTED_AT = "select correlation, accepted_at from ledger_application where correlation = any($1::text[])"
_APPLICATIONS = "select coalesce(sum(facts), 0) from ledger_tally where counted = 'application'"
_OVERDUE_LINES = """
    select correlation, kind, guarantee_number, since from ledger_line
     where status = any($1::text[]) and since < $2 order by since limit $3
"""
_OVERDUE_MAILS = """
    select subject, correlation, wanted_at from ledger_mail
     where ended_at is null and wanted_at < $1 order by wanted_at limit $2
"""
_UNKNOWN_APPLICATIONS = """
    select asked.correlation from unnest($1::text[]) as asked(correlation)
     where not exists (select from ledger_application known where known.correlation = asked.correlation)
"""
_REFUSED = """
    select count(*) as lines, min(since) as since,
           array(select coalesce(guarantee_number, correlation) from ledger_line
                  where status = 'refused_by_platform' order by since limit $1) as numbers
      from ledger_line where status = 'refused_by_platform'
"""
_STATUSES = """
    select line.correlation, line.kind, line.status, coalesce(line.form, 'electronic') as form
      from ledger_line line
      join unnest($1::text[], $2::text[]) as asked(correlation, kind) using (correlation, kind)
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many lines share a status and a form."""

    status: str
    form: str
    lines: int


@dataclass(frozen=True, slots=True)
class Late:
    """A line or a mail that is on its step for too long."""

    name: str
    correlation: str
    since: datetime


async def add_applications(connection: "Connection", applications: Sequence[Application]) -> None:
    """Note accepted applications and the lines that are to be settled for them."""
    ordered = sorted(applications, key=lambda one: one.correlation)
    rows = []
    for one in ordered:
        portal, _, application_id = one.correlation.partition("/")
        names = (one.contractor, one.project, one.obligee)
        # A line break parts the names, so that no query fits the end of one and the beginning of the next.
        text = "\n".join(map(folded, names))
        # No gram holds a line break, for each is a piece of one name; so one can part them in an array of texts.
        found_by = "\n".join(sorted({gram for part in text.split("\n") for gram in grams(part)}))
        rows.append((one.correlation, portal, application_id, *names, text, found_by, one.accepted_at))
    await connection.execute(_ADD_APPLICATION, *map(list, zip(*rows, strict=True)))
    lines = [(one.correlation, kind, form, one.accepted_at) for one in ordered for kind, form in one.lines]
    if lines:
        await connection.execute(_ADD_LINES, *map(list, zip(*lines, strict=True)))


async def move(connection: "Connection", moves: Sequence[Move]) -> dict[tuple[str, str], str]:
    """Note changes of status, the latest of each line; gives back the number each line had before or has now."""
    rows = await connection.fetch(
        _MOVE,
        [one.correlation for one in moves],
        [one.kind for one in moves],
        [one.guarantee_number for one in moves],
        [one.status for one in moves],
        [one.at for one in moves],
    )
    return {(row["correlation"], row["kind"]): row["guarantee_number"] for row in rows}


async def note_mails(connection: "Connection", mails: Sequence[Mail]) -> None:
    """Note mails that were wished for or ended."""
    await connection.execute(
        _MAIL,
        [one.subject for one in mails],
        [one.ordinal for one in mails],
        [one.correlation for one in mails],
        [one.wanted_at for one in mails],
        [one.ended_at for one in mails],
    )


async def accepted_at(connection: "Connection", correlations: Sequence[str]) -> dict[str, datetime]:
    """When these applications were accepted."""
    return {row["correlation"]: row["accepted_at"] for row in await connection.fetch(_ACCEPTED_AT, correlations)}


async def counted(connection: "Connection") -> list[Counted]:
    """Every line, counted by status and form."""
    return [Counted(**dict(row)) for row in await connection.fetch(_COLUMNS)]


async def parked(connection: "Connection") -> list[Counted]:
    """Of these, the unsettled ones of whose application a fact lies on the desk and was not replayed."""
    return [Counted(**dict(row)) for row in await connection.fetch(_PARKED)]


async def applications(connection: "Connection") -> int:
    """How many applications were accepted."""
    return int(await connection.fetchval(_APPLICATIONS))


async def overdue_lines(connection: "Connection", statuses: Sequence[str], before: datetime, limit: int) -> list[Late]:
    """Lines that have had one of these statuses since before that time, the oldest first."""
    rows = await connection.fetch(_OVERDUE_LINES, statuses, before, limit)
    return [
        Late(row["guarantee_number"] or f"{row['correlation']} {row['kind']}", row["correlation"], row["since"])
        for row in rows
    ]


async def overdue_mails(connection: "Connection", before: datetime, limit: int) -> list[Late]:
    """Mails wished for before that time of which nothing was heard, the oldest first."""
    rows = await connection.fetch(_OVERDUE_MAILS, before, limit)
    return [Late(row["subject"], row["correlation"], row["wanted_at"]) for row in rows]


async def unknown_applications(connection: "Connection", correlations: Sequence[str]) -> list[str]:
    """Those of these applications that the journal has never heard of."""
    return [row["correlation"] for row in await connection.fetch(_UNKNOWN_APPLICATIONS, correlations)]


async def statuses(
    connection: "Connection", lines: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Status and form of these lines (correlation, kind), as far as the journal knows them."""
    rows = await connection.fetch(_STATUSES, [one for one, _ in lines], [kind for _, kind in lines])
    return {(row["correlation"], row["kind"]): (row["status"], row["form"]) for row in rows}


async def refused(connection: "Connection", limit: int) -> Refused:
    """Lines whose certificate the platform refused and which nobody has mended yet, some with their numbers."""
    row = await connection.fetchrow(_REFUSED, limit)
    return Refused(0, None) if row is None else Refused(row["lines"], row["since"], row["numbers"])
