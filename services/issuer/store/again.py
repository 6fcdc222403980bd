"""What was announced is read back from the rows it came of, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from services.issuer.domain.announcements import Signed
from shared.problems import Problem

if TYPE_CHECKING:
    from shared.postgres import Connection

VersionKey = tuple[str, int]
"""Guarantee number and version."""

_PROBLEMS = TypeAdapter(tuple[Problem, ...])

_VERSIONS = """
    select guarantee_number, version, certificate, content_sha256, signature from version
     where (created_at >= $1 or issued_at >= $1) and (guarantee_number, version) > ($2, $3)
     order by guarantee_number, version limit $4
"""
_REFUSED_CHANGES = """
    select portal, change_id, form, problems, decided_at from change
     where version is null and decided_at >= $1 and (portal, change_id) > ($2, $3)
     order by portal, change_id limit $4
"""


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change that was refused; `form` is JSON text."""

    portal: str
    change_id: str
    form: str
    problems: tuple[Problem, ...]
    decided_at: datetime


async def versions(
    connection: "Connection", since: datetime, after: VersionKey, limit: int
) -> list[tuple[VersionKey, Signed | None]]:
    """Versions made or issued since then, from after this one on, with what was signed; paper has nothing."""
    return [
        (
            (row["guarantee_number"], row["version"]),
            Signed(row["certificate"], row["content_sha256"], row["signature"]) if row["certificate"] else None,
        )
        for row in await connection.fetch(_VERSIONS, since, *after, limit)
    ]


async def refused_changes(
    connection: "Connection", since: datetime, after: tuple[str, str], limit: int
) -> Sequence[RefusedChange]:
    """Changes refused since then, from after this one (portal and change id) on."""
    return [
        RefusedChange(
            portal=row["portal"],
            change_id=row["change_id"],
            form=row["form"],
            problems=_PROBLEMS.validate_json(row["problems"]),
            decided_at=row["decided_at"],
        )
        for row in await connection.fetch(_REFUSED_CHANGES, since, *after, limit)
    ]
