"""What the platform remembers, and the one transaction in which a post is judged."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from simulators import clock
from simulators.platform.magic import Says, Script, Stamp, Step

SCHEMA = """
create table if not exists certificate (
    key text primary key, guarantee_number text not null, version integer not null, certificate_id text not null,
    content_sha256 text not null, arrived_at text not null, auth_key_digest blob not null, certificate text not null,
    unique (guarantee_number, version)
) strict, without rowid;
create table if not exists submission (
    key text primary key, project_name text not null, posts integer not null, gets integer not null, refused_sha256 text
) strict, without rowid;
create table if not exists request (
    id integer primary key, received_at text not null, method text not null, key text, content_sha256 text,
    body_digest text, try_no integer, misbehaviour text, status integer, answer text not null
) strict;
create index if not exists request_by_key on request (key);
create table if not exists check_failure (guarantee_number text not null, at_s real not null) strict;
create index if not exists check_failure_by_number on check_failure (guarantee_number, at_s);
create index if not exists check_failure_by_time on check_failure (at_s);
"""

_ZONES: dict[Stamp, Callable[[datetime], str]] = {
    Stamp.TOKYO: lambda at: at.astimezone(clock.TOKYO).isoformat(timespec="milliseconds"),
    Stamp.ODD_ZONE: lambda at: at.astimezone(timezone(-timedelta(hours=3, minutes=30))).isoformat(
        timespec="milliseconds"
    ),
    Stamp.UTC_LOWER: lambda at: at.astimezone(UTC).strftime("%Y-%m-%dt%H:%M:%Sz"),
    Stamp.NANOS: lambda at: at.astimezone(clock.TOKYO).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789+09:00",
    Stamp.WHOLE_SECONDS: lambda at: at.astimezone(clock.TOKYO).isoformat(timespec="seconds"),
}


class Kind(StrEnum):
    """What the platform decided about one request."""

    ARRIVED = "arrived"
    REPEATED = "repeated"
    REFUSED = "refused"
    KEY_REUSED = "key_reused"
    NOT_FOUND = "not_found"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Submission:
    """One well-formed post."""

    key: str
    guarantee_number: str
    version: int
    project_name: str
    content_sha256: str
    kept: str
    auth_key_digest: bytes
    body_digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be answered; `step` says how, when a marker asks for a misbehaviour."""

    kind: Kind
    step: Step | None = None
    certificate_id: str = ""
    arrived_at: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of the record of requests; `status` is None when no answer went out."""

    at: datetime
    method: str
    key: str | None
    answer: str
    status: int | None
    content_sha256: str | None = None
    body_digest: str | None = None
    try_no: int | None = None
    misbehaviour: str | None = None


def judge_post(connection: sqlite3.Connection, post: Submission, script: Script) -> tuple[Verdict, int]:
    """The verdict on a post and the number of its try; stores the certificate when it arrives."""
    row = connection.execute(
        "select s.posts, s.refused_sha256, c.content_sha256, c.certificate_id, c.arrived_at"
        " from submission s left join certificate c using (key) where key = ?",
        (post.key,),
    ).fetchone()
    posts, refused, stored, certificate_id, arrived_at = tuple(row) if row is not None else (0, None, None, "", "")
    connection.execute(
        "insert into submission (key, project_name, posts, gets) values (?, ?, 1, 0)"
        " on conflict (key) do update set posts = posts + 1, project_name = excluded.project_name",
        (post.key, post.project_name),
    )
    final = stored or refused
    if final is not None and final != post.content_sha256:
        return Verdict(Kind.KEY_REUSED), posts
    step = script.post(posts)
    if stored is not None:
        return Verdict(Kind.REPEATED, step, certificate_id, arrived_at), posts
    if refused is not None or (step is not None and step.says is Says.REFUSED):
        connection.execute("update submission set refused_sha256 = ? where key = ?", (post.content_sha256, post.key))
        return Verdict(Kind.REFUSED, None if refused else step), posts
    if step is not None and not step.stores:
        return Verdict(Kind.NOTHING, step), posts
    return _store(connection, post, step), posts


def _store(connection: sqlite3.Connection, post: Submission, step: Step | None) -> Verdict:
    certificate_id = clock.new_id()
    arrived_at = _ZONES[step.stamp if step is not None else Stamp.TOKYO](post.at)
    connection.execute(
        "insert into certificate (key, guarantee_number, version, certificate_id, content_sha256, arrived_at,"
        " auth_key_digest, certificate) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            post.key,
            post.guarantee_number,
            post.version,
            certificate_id,
            post.content_sha256,
            arrived_at,
            post.auth_key_digest,
            post.kept,
        ),
    )
    return Verdict(Kind.ARRIVED, step, certificate_id, arrived_at)


def judge_get(connection: sqlite3.Connection, key: str, script_of: Callable[[str], Script]) -> tuple[Verdict, int]:
    """The verdict on a read and the number of its try."""
    row = connection.execute(
        "select s.project_name, s.gets, c.certificate_id, c.arrived_at"
        " from submission s left join certificate c using (key) where key = ?",
        (key,),
    ).fetchone()
    if row is None:
        return Verdict(Kind.NOT_FOUND), 0
    project_name, gets, certificate_id, arrived_at = row
    connection.execute("update submission set gets = gets + 1 where key = ?", (key,))
    step = script_of(project_name).get(gets)
    if arrived_at is None:
        return Verdict(Kind.NOT_FOUND, step), gets
    return Verdict(Kind.REPEATED, step, certificate_id, arrived_at), gets


def note(connection: sqlite3.Connection, noted: Noted) -> None:
    """Writes one line into the record of requests."""
    connection.execute(
        "insert into request (received_at, method, key, content_sha256, body_digest, try_no, misbehaviour, status,"
        " answer) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            noted.at.isoformat(),
            noted.method,
            noted.key,
            noted.content_sha256,
            noted.body_digest,
            noted.try_no,
            noted.misbehaviour,
            noted.status,
            noted.answer,
        ),
    )


def requests(connection: sqlite3.Connection, key: str | None, after: int, count: int) -> list[dict[str, object]]:
    """Lines of the record, oldest first, of one key or of all."""
    rows = connection.execute(
        "select * from request where id > ?1 and (?2 is null or key = ?2) order by id limit ?3", (after, key, count)
    )
    return [dict(row) for row in rows]


def certificates(connection: sqlite3.Connection, after: str, count: int) -> list[dict[str, object]]:
    """Stored certificates in the order of their keys, without anything of the authentication key."""
    rows = connection.execute(
        "select key, certificate_id, arrived_at, content_sha256, certificate from certificate"
        " where key > ? order by key limit ?",
        (after, count),
    )
    return [{**dict(row), "certificate": json.loads(row["certificate"])} for row in rows]


def count_certificates(connection: sqlite3.Connection) -> int:
    """How many certificates have arrived."""
    count: int = connection.execute("select count(*) from certificate").fetchone()[0]
    return count
