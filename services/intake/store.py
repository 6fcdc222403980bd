"""The statements of intake: arrays in, rows out. Applications and changes have a table each, of the same columns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from services.intake.domain.decision import Book, Outcome, Submission
from shared.operator_door.ledger import Line
from shared.writes import Write

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

SUBMISSION_NO_MAX = 2**63 - 1

REFUSALS_KEPT_DAYS: Final = 400
"""Over a year, so that a portal that looks back at last year's season still finds why something was refused."""

PRUNED_ROWS_MAX: Final = 1_000
"""Each may hold a body of 256 KiB, so a batch is small."""

Identity = tuple[str, str]
"""Portal and application or change id."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is accepted under an id: the digest of its content, and the answer as JSON."""

    digest: str
    answer: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered application or change as it is read over HTTP; `answer` is JSON."""

    submission_no: int
    portal: str
    id: str | None
    message_id: str | None
    outcome: Outcome
    answered_at: datetime
    answer: str


_TAKEN = """
    select portal, {id} as id, content_sha256, answer::text as answer
      from {table}
      join unnest($1::text[], $2::text[]) as asked(portal, {id}) using (portal, {id})
     where outcome = 'accepted'
"""
_ADD = """
    insert into {table} (answer_id, portal, {id}, outcome, message_id, content_sha256, answered_at, answer, body)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                         $8::json[], $9::bytea[])
    on conflict do nothing
    returning answer_id as told
"""
_ACCEPTED = "select count(*) from submission where outcome = 'accepted'"
_ACCEPTED_LINES = """
    select submission_no, portal, application_id from submission
     where outcome = 'accepted' and submission_no > $1 order by submission_no limit $2
"""
_PAGE = """
    select submission_no, portal, {id} as id, message_id, outcome, answered_at, answer::text as answer
      from {table}
     where ($1::text is null or portal = $1)
       and ($2::text is null or {id} = $2)
       and ($3::text is null or outcome = $3)
       and ($4::text is null or answer ->> 'guarantee_number' = $4)
       and ($5::bigint is null or submission_no < $5)
     order by submission_no desc
     limit $6
"""
_LATEST = """
    select submission_no, portal, {id} as id, message_id, outcome, answered_at, answer::text as answer
      from {table}
     where portal = $1 and {id} = $2
     order by outcome = 'accepted' desc, submission_no desc
     limit 1
"""
_PRUNE_REFUSED = """
    delete from {table} where submission_no in (
        select submission_no from {table}
         where outcome <> 'accepted' and answered_at < now() - make_interval(days => $1)
         order by answered_at limit $2)
"""

_NAMES: Final = {
    Book.APPLICATIONS: {"table": "submission", "id": "application_id"},
    Book.CHANGES: {"table": "change_submission", "id": "change_id"},
}


def _of(book: Book, statement: str) -> str:
    return statement.format(**_NAMES[book])


async def taken(connection: "Connection", book: Book, identities: Collection[Identity]) -> dict[Identity, Taken]:
    """What is accepted under these ids."""
    ordered = sorted(identities)
    portals, ids = [portal for portal, _ in ordered], [name for _, name in ordered]
    rows = await connection.fetch(_of(book, _TAKEN), portals, ids)
    return {(row["portal"], row["id"]): Taken(row["content_sha256"], row["answer"]) for row in rows}


def adding(book: Book, submissions: Sequence[Submission]) -> Write:
    """Remembers these and tells the answer ids of those that were new.

    An accepted one whose id another transaction has taken meanwhile is not among them, and nothing is changed for it;
    nor is a refusal that is remembered already.
    """
    # Sorted by key, because two doors that insert the same ids in different orders wait for each other.
    ordered = sorted(submissions, key=lambda row: (row.portal, row.id or "", row.answer_id))
    arguments = (
        [row.answer_id for row in ordered],
        [row.portal for row in ordered],
        [row.id for row in ordered],
        [row.outcome for row in ordered],
        [row.message_id for row in ordered],
        [row.digest for row in ordered],
        [row.answered_at for row in ordered],
        [row.answer for row in ordered],
        [row.body for row in ordered],
    )
    return Write(_of(book, _ADD), arguments)


async def accepted_counts(connection: "Connection") -> Mapping[str, int]:
    """For the ledger: how many applications were accepted."""
    return {"accepted": int(await connection.fetchval(_ACCEPTED))}


async def accepted_lines(connection: "Connection", after: str | None, limit: int) -> Sequence[Line]:
    """For the ledger: accepted applications one by one, in the order in which they were answered."""
    begin = min(int(after), SUBMISSION_NO_MAX) if after and after.isdecimal() else 0
    rows = await connection.fetch(_ACCEPTED_LINES, begin, limit)
    return [Line(str(row["submission_no"]), f"{row['portal']}/{row['application_id']}", "", "accepted") for row in rows]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None does not restrict. `before` is a submission number."""

    portal: str | None = None
    id: str | None = None
    outcome: Outcome | None = None
    guarantee_number: str | None = None
    before: int | None = None


async def page(connection: "Connection", book: Book, filters: Filters, limit: int) -> list[Answered]:
    """Answered applications or changes, newest first."""
    rows = await connection.fetch(
        _of(book, _PAGE),
        filters.portal,
        filters.id,
        filters.outcome,
        filters.guarantee_number,
        filters.before,
        limit,
    )
    return [_answered(row) for row in rows]


async def latest(connection: "Connection", book: Book, identity: Identity) -> Answered | None:
    """The accepted application or change of this id, or else its latest refusal."""
    row = await connection.fetchrow(_of(book, _LATEST), *identity)
    return None if row is None else _answered(row)


async def prune_refused(connection: "Connection") -> int:
    """Forget one batch of refusals older than `REFUSALS_KEPT_DAYS`, with their bodies; give back how many went."""
    gone = 0
    for book in Book:
        done = await connection.execute(_of(book, _PRUNE_REFUSED), REFUSALS_KEPT_DAYS, PRUNED_ROWS_MAX)
        gone += int(done.split()[-1])
    return gone


def _answered(row: "Record") -> Answered:
    return Answered(
        submission_no=row["submission_no"],
        portal=row["portal"],
        id=row["id"],
        message_id=row["message_id"],
        outcome=Outcome(row["outcome"]),
        answered_at=row["answered_at"],
        answer=row["answer"],
    )
