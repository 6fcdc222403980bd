"""The SQL of the platform bridge: certificates on their way, and the platform's word on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.platform_bridge.domain.answers import Arrived, Refused
from services.platform_bridge.domain.certificate import Ending, Post, key_of, named_by
from shared.writes import Write

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection, Pool

_ADD = """
    insert into certificate_post (guarantee_number, version, portal, application_id, concluded_at, certificate,
                                  content_sha256, signature, sealed_auth_key)
    select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::text[],
                         $8::text[], $9::text[])
    on conflict on constraint a_version_is_kept_once do nothing
    returning guarantee_number || '/' || version as told
"""
_DIGESTS = """
    select guarantee_number, version, content_sha256
      from certificate_post join unnest($1::text[], $2::int[]) as asked(number, no)
        on guarantee_number = asked.number and version = asked.no
"""
_LOAD = """
    select guarantee_number, version, portal, application_id, concluded_at, certificate, content_sha256, signature,
           sealed_auth_key
      from certificate_post join unnest($1::text[], $2::int[]) as asked(number, no)
        on guarantee_number = asked.number and version = asked.no
"""
_WHOSE = """
    select guarantee_number, version, portal, application_id
      from certificate_post join unnest($1::text[], $2::int[]) as asked(number, no)
        on guarantee_number = asked.number and version = asked.no
"""
_RECORD_ARRIVALS = """
    update certificate_post as post
       set outcome = $6, settled_at = $5, sealed_auth_key = null,
           arrived_at = word.at, certificate_id = word.id
      from unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[]) as word(number, no, at, id)
     where post.guarantee_number = word.number and post.version = word.no and post.outcome is null
    returning post.guarantee_number || '/' || post.version as told
"""
_RECORD_REFUSALS = """
    update certificate_post as post
       set outcome = $6, settled_at = $5, sealed_auth_key = null,
           problem_type = word.type, detail = word.detail
      from unnest($1::text[], $2::int[], $3::text[], $4::text[]) as word(number, no, type, detail)
     where post.guarantee_number = word.number and post.version = word.no and post.outcome is null
    returning post.guarantee_number || '/' || post.version as told
"""

_SEALED = """
    select split_part(sealed_auth_key, '.', 2) as kid, count(*) as rows
      from certificate_post where outcome is null group by 1
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A version, and whose it is."""

    guarantee_number: str
    version: int
    portal: str
    application_id: str


def adding(posts: Sequence[Post]) -> Write:
    """Keeps these certificates, sorted by key; tells the keys of those that were not kept before."""
    arguments = (
        [post.guarantee_number for post in posts],
        [post.version for post in posts],
        [post.portal for post in posts],
        [post.application_id for post in posts],
        [post.concluded_at for post in posts],
        [post.certificate for post in posts],
        [post.content_sha256 for post in posts],
        [post.signature for post in posts],
        [post.sealed_auth_key for post in posts],
    )
    return Write(_ADD, arguments)


async def digests(connection: "Connection", posts: Sequence[Post]) -> dict[str, str]:
    """The digest of what is kept under each of these keys."""
    numbers, versions = [post.guarantee_number for post in posts], [post.version for post in posts]
    return {_key(record): record["content_sha256"] for record in await connection.fetch(_DIGESTS, numbers, versions)}


async def load(pool: "Pool", keys: Sequence[str]) -> dict[str, Post]:
    """What is kept under these keys, read without a transaction."""
    named = [named_by(key) for key in keys]
    records = await pool.fetch(_LOAD, [number for number, _ in named], [version for _, version in named])
    return {_key(record): Post(**record) for record in records}


async def whose(connection: "Connection", keys: Sequence[str]) -> dict[str, Known]:
    """Whose the versions with these keys are."""
    named = [named_by(key) for key in keys]
    numbers, versions = [number for number, _ in named], [version for _, version in named]
    return {_key(record): Known(**record) for record in await connection.fetch(_WHOSE, numbers, versions)}


async def sealed(connection: "Connection") -> dict[str, int]:
    """By key id, how many certificates wait with their sealed key."""
    return {record["kid"]: record["rows"] for record in await connection.fetch(_SEALED)}


def arriving(arrivals: Sequence[tuple[str, Arrived]], at: datetime) -> Write:
    """Records arrivals by key and erases the sealed keys. The first outcome stands; tells those recorded now."""
    numbers, versions = _names(arrivals)
    times, ids = [word.arrived_at for _, word in arrivals], [word.certificate_id for _, word in arrivals]
    return Write(_RECORD_ARRIVALS, (numbers, versions, times, ids, at, Ending.ARRIVED))


def refusing(refusals: Sequence[tuple[str, Refused]], at: datetime) -> Write:
    """Records refusals by key and erases the sealed keys. The first outcome stands; tells those recorded now."""
    numbers, versions = _names(refusals)
    types, details = [word.problem_type for _, word in refusals], [word.detail for _, word in refusals]
    return Write(_RECORD_REFUSALS, (numbers, versions, types, details, at, Ending.REFUSED))


def _names(told: Sequence[tuple[str, object]]) -> tuple[list[str], list[int]]:
    named = [named_by(key) for key, _ in told]
    return [number for number, _ in named], [version for _, version in named]


def _key(record: "Record") -> str:
    return key_of(record["guarantee_number"], record["version"])
