"""What changes and interim advance payments need besides the guarantee itself, and how changes were decided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from pydantic_core import to_json

from services.issuer.domain.limits import LineNow
from services.issuer.domain.states import GuaranteeState, VersionState
from services.issuer.store.arrays import columns
from shared.messages.intake import Terms
from shared.problems import Problem
from shared.writes import Write

if TYPE_CHECKING:
    from shared.postgres import Connection

_PROBLEMS = TypeAdapter(tuple[Problem, ...])

ChangeKey = tuple[str, str]
"""Portal and change id."""

ApplicationKey = tuple[str, str]
"""Portal and application id."""

_EARLIER = """
    select guarantee_number, earlier_guarantee_number from guarantee
     where guarantee_number = any($1::text[]) and earlier_guarantee_number is not null
"""
# A larger amount that is on its way counts already, or two changes at once could exceed what each alone may not.
_INTERIM_AMOUNTS = """
    select g.earlier_guarantee_number, g.guarantee_number,
           greatest(g.amount, (select max((v.particulars ->> 'amount')::bigint) from version v
                                where v.guarantee_number = g.guarantee_number and v.state = 'in_transit')) as amount
      from guarantee g
     where g.earlier_guarantee_number = any($1::text[]) and g.state in ('awaiting_conclusion', 'active')
"""
_TERMS = """
    select portal, application_id, terms from application
      join unnest($1::text[], $2::text[]) as asked(portal, application_id) using (portal, application_id)
     where terms is not null
"""
_LINES = """
    select portal, application_id, guarantee_number, kind, price, amount, state from guarantee
      join unnest($1::text[], $2::text[]) as asked(portal, application_id) using (portal, application_id)
     order by guarantee_number
"""
_DECIDED = """
    select portal, change_id, content_sha256 from change
      join unnest($1::text[], $2::text[]) as asked(portal, change_id) using (portal, change_id)
"""
_TOLD = """
    select c.*, v.state, v.issued_at from change c left join version v using (guarantee_number, version)
     where c.portal = $1 and c.change_id = $2
"""
_ADD_CHANGES = """
    insert into change (portal, change_id, guarantee_number, version_kind, content_sha256, form, accepted_at,
                        decided_at, version, problems)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[], $7::timestamptz[],
                         $8::timestamptz[], $9::int[], $10::jsonb[])
    on conflict on constraint a_change_is_decided_once do nothing
    returning change_id as told
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A change and what became of it: the version it made, or the problems it was refused with."""

    portal: str
    change_id: str
    guarantee_number: str
    version_kind: str
    content_sha256: bytes
    form: str
    accepted_at: datetime
    version: int | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A decided change as its portal reads it, beside the version it made."""

    decided: Decided
    decided_at: datetime
    state: VersionState | None
    issued_at: datetime | None


async def earlier_numbers(connection: "Connection", numbers: Collection[str]) -> dict[str, str]:
    """For the interim ones among these guarantees, the number of the advance payment before each."""
    rows = await connection.fetch(_EARLIER, sorted(numbers))
    return {row["guarantee_number"]: row["earlier_guarantee_number"] for row in rows}


async def interim_amounts(connection: "Connection", earlier: Collection[str]) -> dict[str, dict[str, int]]:
    """For each of these advance payments, what its interim guarantees secure, by their numbers, in yen."""
    found: dict[str, dict[str, int]] = {}
    for row in await connection.fetch(_INTERIM_AMOUNTS, sorted(earlier)):
        found.setdefault(row["earlier_guarantee_number"], {})[row["guarantee_number"]] = row["amount"]
    return found


async def terms(connection: "Connection", applications: Collection[ApplicationKey]) -> dict[ApplicationKey, Terms]:
    """The terms by which these applications were judged; those that came without are not in it."""
    rows = await connection.fetch(_TERMS, *columns(sorted(applications), 2))
    return {(row["portal"], row["application_id"]): Terms.model_validate_json(row["terms"]) for row in rows}


async def lines(
    connection: "Connection", applications: Collection[ApplicationKey]
) -> Mapping[ApplicationKey, list[LineNow]]:
    """The lines of these applications as they stand."""
    found: dict[ApplicationKey, list[LineNow]] = {}
    for row in await connection.fetch(_LINES, *columns(sorted(applications), 2)):
        active = row["state"] == GuaranteeState.ACTIVE
        line = LineNow(row["guarantee_number"], row["kind"], row["price"], row["amount"], active)
        found.setdefault((row["portal"], row["application_id"]), []).append(line)
    return found


async def decided(connection: "Connection", changes: Collection[ChangeKey]) -> dict[ChangeKey, bytes]:
    """The digests of those of these changes that were decided before."""
    rows = await connection.fetch(_DECIDED, *columns(sorted(changes), 2))
    return {(row["portal"], row["change_id"]): row["content_sha256"] for row in rows}


async def told(connection: "Connection", change: ChangeKey) -> Told | None:
    """One change with what became of it; None if nobody decided it, or not yet."""
    row = await connection.fetchrow(_TOLD, *change)
    if row is None:
        return None
    decided_change = Decided(
        portal=row["portal"],
        change_id=row["change_id"],
        guarantee_number=row["guarantee_number"],
        version_kind=row["version_kind"],
        content_sha256=row["content_sha256"],
        form=row["form"],
        accepted_at=row["accepted_at"],
        version=row["version"],
        problems=_PROBLEMS.validate_json(row["problems"]),
    )
    state = None if row["state"] is None else VersionState(row["state"])
    return Told(decided_change, row["decided_at"], state, row["issued_at"])


def adding_changes(changes: Sequence[Decided], now: datetime) -> Write:
    """Keeps how these changes were decided. If another process decided one of them meanwhile, nothing becomes true."""
    rows = [
        (
            *(one.portal, one.change_id, one.guarantee_number, one.version_kind, one.content_sha256, one.form),
            *(one.accepted_at, now, one.version, to_json(one.problems).decode()),
        )
        for one in sorted(changes, key=lambda one: (one.portal, one.change_id))
    ]
    return Write(_ADD_CHANGES, columns(rows, 10), rows=len(rows))
