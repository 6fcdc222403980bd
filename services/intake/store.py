"""The statements of intake: arrays in, rows out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.intake.domain.decision import Outcome, Submission
from shared.operator_door.ledger import Line

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

SUBMISSION_NO_MAX = 2**63 - 1

Identity = tuple[str, str]
"""Portal and application id."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is accepted under an application id: the digest of its content, and the answer as JSON."""

    digest: str
    answer: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered application as it is read over HTTP; `answer` is JSON."""

    submission_no: int
    portal: str
    application_id: str | None
    outcome: Outcome
    answered_at: datetime
    answer: str


_TAKEN = """
    select portal, application_id, content_sha256, answer::text as answer
      from submission
      join unnest($1::text[], $2::text[]) as asked(portal, application_id) using (portal, application_id)
     where outcome = 'accepted'
"""
_ADD = """
    insert into submission (answer_id, portal, application_id, outcome, message_id, content_sha256, answered_at,
                            answer, body)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                         $8::json[], $9::bytea[])
    on conflict do nothing
    returning portal, application_id
"""
_ACCEPTED = "select count(*) from submission where outcome = 'accepted'"
_ACCEPTED_LINES = """
    select submission_no, portal, application_id from submission
     where outcome = 'accepted' and submission_no > $1 order by submission_no limit $2
"""
_PAGE = """
    select submission_no, portal, application_id, outcome, answered_at, answer::text as answer
      from submission
     where ($1::text is null or portal = $1)
       and ($2::text is null or application_id = $2)
       and ($3::text is null or outcome = $3)
       and ($4::bigint is null or submission_no < $4)
     order by submission_no desc
     limit $5
"""
_LATEST = """
    select submission_no, portal, application_id, outcome, answered_at, answer::text as answer
      from submission
     where portal = $1 and application_id = $2
     order by outcome = 'accepted' desc, submission_no desc
     limit 1
"""


async def taken(connection: "Connection", identities: Collection[Identity]) -> dict[Identity, Taken]:
    """What is accepted under these ids."""
    ordered = sorted(identities)
    rows = await connection.fetch(_TAKEN, [portal for portal, _ in ordered], [name for _, name in ordered])
    return {(row["portal"], row["application_id"]): Taken(row["content_sha256"], row["answer"]) for row in rows}


async def add(connection: "Connection", submissions: Sequence[Submission]) -> set[Identity]:
    """Remember these; give back the identities of those that were new.

    An accepted one whose id another transaction has taken meanwhile is not among them, and nothing is changed for it;
    nor is a refusal that is remembered already.
    """
    # Sorted by key, because two doors that insert the same ids in different orders wait for each other.
    ordered = sorted(submissions, key=lambda row: (row.portal, row.application_id or "", row.answer_id))
    rows = await connection.fetch(
        _ADD,
        [row.answer_id for row in ordered],
        [row.portal for row in ordered],
        [row.application_id for row in ordered],
        [row.outcome for row in ordered],
        [row.message_id for row in ordered],
        [row.digest for row in ordered],
        [row.answered_at for row in ordered],
        [row.answer for row in ordered],
        [row.body for row in ordered],
    )
    return {(row["portal"], row["application_id"]) for row in rows}


async def accepted_counts(connection: "Connection") -> Mapping[str, int]:
    """For the ledger: how many applications were accepted."""
    return {"accepted": int(await connection.fetchval(_ACCEPTED))}


async def accepted_lines(connection: "Connection", after: str | None, limit: int) -> Sequence[Line]:
    """For the ledger: accepted applications one by one, in the order in which they were answered."""
    begin = min(int(after), SUBMISSION_NO_MAX) if after and after.isdecimal() else 0
    rows = await connection.fetch(_ACCEPTED_LINES, begin, limit)
    return [Line(str(row["submission_no"]), f"{row['portal']}/{row['application_id']}", "", "accepted") for row in rows]


async def page(
    connection: "Connection",
    *,
    portal: str | None,
    application_id: str | None,
    outcome: str | None,
    before: int | None,
    limit: int,
) -> list[Answered]:
    """Answered applications, newest first, from before a submission number on; None does not restrict."""
    rows = await connection.fetch(_PAGE, portal, application_id, outcome, before, limit)
    return [_answered(row) for row in rows]


async def latest(connection: "Connection", identity: Identity) -> Answered | None:
    """The accepted application of this id, or else its latest refusal."""
    row = await connection.fetchrow(_LATEST, *identity)
    return None if row is None else _answered(row)


def _answered(row: "Record") -> Answered:
    return Answered(
        submission_no=row["submission_no"],
        portal=row["portal"],
        application_id=row["application_id"],
        outcome=Outcome(row["outcome"]),
        answered_at=row["answered_at"],
        answer=row["answer"],
    )
