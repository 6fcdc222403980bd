"""The official's door: number and authentication key in, the certificate and its versions out (domain, rule 15)."""

import hmac
import json
import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators import clock
from simulators.ledger import Ledger
from simulators.platform.answers import Answer, refusal, send
from simulators.platform.keyed import KEY_BYTES, KeyedDigest
from simulators.platform.outage import Outage

FAILURES_MAX = 5
LOCKED_S = 900.0
PROBLEM_NO_MATCH = "https://platform.example/problems/no-match"
PROBLEM_LOCKED = "https://platform.example/problems/checks-locked"


class Check(BaseModel):
    """What the official enters."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    guarantee_number: Annotated[str, Field(min_length=1, max_length=32)]
    auth_key: Annotated[str, Field(min_length=1, max_length=64, repr=False)]


@dataclass(frozen=True, slots=True)
class Match:
    """Number and key belong together; versions oldest first."""

    versions: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Unknown number or wrong key; nobody outside can tell which. `tries_left` until the number is locked."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class Locked:
    """Too many failures for this number; the right key is not even looked at."""

    seconds_left: float


def judge(
    connection: sqlite3.Connection, guarantee_number: str, candidate: bytes, decoy: bytes, at_s: float
) -> Match | NoMatch | Locked:
    """Compares a candidate digest with the one of the latest version, or with the decoy when there is none.

    Known and unknown numbers take the same statements, which give as many rows of the same size, and count the same
    failures. Certificates are read only for who has shown the key.
    """
    failures = connection.execute(
        "select at_s from check_failure where guarantee_number = ? and at_s > ? order by at_s desc limit ?",
        (guarantee_number, at_s - LOCKED_S, FAILURES_MAX),
    ).fetchall()
    [expected] = connection.execute(
        "select coalesce((select auth_key_digest from certificate where guarantee_number = ?"
        " order by version desc limit 1), ?)",
        (guarantee_number, decoy),
    ).fetchone()
    # Nobody can make a candidate that is the decoy: one is a digest under a secret key, the other is random.
    same = hmac.compare_digest(candidate, expected)
    if len(failures) == FAILURES_MAX:
        return Locked(failures[-1]["at_s"] + LOCKED_S - at_s)
    if same:
        return Match(_versions(connection, guarantee_number))
    connection.execute("delete from check_failure where at_s <= ?", (at_s - LOCKED_S,))
    connection.execute("insert into check_failure (guarantee_number, at_s) values (?, ?)", (guarantee_number, at_s))
    return NoMatch(FAILURES_MAX - len(failures) - 1)


def _versions(connection: sqlite3.Connection, guarantee_number: str) -> list[dict[str, object]]:
    rows = connection.execute(
        "select version, certificate_id, arrived_at, certificate from certificate"
        " where guarantee_number = ? order by version",
        (guarantee_number,),
    )
    return [_version(row) for row in rows]


def _version(row: sqlite3.Row) -> dict[str, object]:
    given = json.loads(row["certificate"])
    return {
        "version": row["version"],
        "version_kind": given["version_kind"],
        "certificate_id": row["certificate_id"],
        "arrived_at": row["arrived_at"],
        "certificate": given,
    }


class Checking:
    """One check after the other, for programs and for people, with one count of failures. `epoch_s` is its clock."""

    def __init__(self, ledger: Ledger, keyed: KeyedDigest, epoch_s: Callable[[], float] = clock.epoch_s) -> None:
        self._ledger = ledger
        self._keyed = keyed
        self._epoch_s = epoch_s
        self._decoy = clock.random_bytes(KEY_BYTES)

    async def check(self, guarantee_number: str, auth_key: str) -> tuple[Match | NoMatch | Locked, datetime]:
        """The outcome, and when it was judged. A failure is committed before it is told."""
        candidate = self._keyed.of_auth_key(guarantee_number, auth_key)
        at_s = self._epoch_s()
        outcome = await self._ledger.do(lambda db: judge(db, guarantee_number, candidate, self._decoy, at_s))
        return outcome, datetime.fromtimestamp(at_s, clock.TOKYO)


class ChecksDoor:
    """`POST /v1/checks`, open to everybody: the key is what one must know."""

    def __init__(self, checking: Checking, outage: Outage) -> None:
        self._checking = checking
        self._outage = outage

    async def post(self, request: web.Request) -> web.StreamResponse:
        """200 with the versions, 404 for anything that does not match, 429 while the number is locked."""
        early = self._outage.answer(clock.now())
        if early is not None:
            return await send(request, early)
        try:
            check = Check.model_validate_json(await request.read())
        except ValidationError:
            return await send(request, refusal("malformed", 400, "guarantee_number and auth_key are asked for."))
        outcome, _ = await self._checking.check(check.guarantee_number, check.auth_key)
        return await send(request, _answer(check.guarantee_number, outcome))


def _answer(guarantee_number: str, outcome: Match | NoMatch | Locked) -> Answer:
    match outcome:
        case Match(versions):
            body = {"guarantee_number": guarantee_number, "latest": versions[-1]["version"], "versions": versions}
            headers = {"Cache-Control": "no-store"}
            return Answer("match", 200, json.dumps(body, ensure_ascii=False).encode(), headers=headers)
        case NoMatch():
            return refusal("no_match", 404, "保証契約番号または認証キーが正しくありません。", PROBLEM_NO_MATCH)
        case Locked(seconds_left):
            wait = str(max(1, math.ceil(seconds_left)))
            detail = "誤りが続いたため、しばらく確認できません。"
            return refusal("locked", 429, detail, PROBLEM_LOCKED, Retry_After=wait)
