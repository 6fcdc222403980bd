"""After: the official's check tells nothing to who does not know the key (domain, rule 15)."""

import json
import sqlite3
from collections.abc import Iterator

import pytest

from simulators.platform import checks, store
from tests.unit.simulators.conftest import Post
from tests.unit.simulators.issuing import AUTH_KEY, Issuer
from tests.unit.simulators.running import Reply, Running


def check(platform: Running, number: str, key: str) -> Reply:
    body = json.dumps({"guarantee_number": number, "auth_key": key}).encode()
    return platform.call("POST", "/v1/checks", body)


def test_number_and_key_open_the_certificate_with_its_versions(platform: Running, issuer: Issuer, post: Post) -> None:
    first = issuer.certificate()
    number = first["guarantee_number"]
    second = issuer.certificate(guarantee_number=number, version=2, version_kind="change", amount=24_000_000)
    arrivals = [post(first).json()["arrived_at"], post(second).json()["arrived_at"]]
    seen = check(platform, number, AUTH_KEY).json()

    assert [version["arrived_at"] for version in seen["versions"]] == arrivals
    assert [version["certificate"]["amount"] for version in seen["versions"]] == [20_000_000, 24_000_000]
    assert seen["latest"] == 2
    assert AUTH_KEY not in json.dumps(seen)


def test_an_unknown_number_and_a_wrong_key_get_one_and_the_same_answer(
    platform: Running, issuer: Issuer, post: Post
) -> None:
    certificate = issuer.certificate()
    post(certificate)
    wrong = check(platform, certificate["guarantee_number"], "wrongwrong12")
    unknown = check(platform, "99999-000001", AUTH_KEY)

    assert (wrong.status, wrong.body) == (unknown.status, unknown.body) == (404, wrong.body)


@pytest.mark.parametrize("known", [True, False])
def test_repeated_failure_locks_the_number_even_for_the_right_key(
    platform: Running, issuer: Issuer, post: Post, known: bool
) -> None:
    certificate = issuer.certificate()
    number = certificate["guarantee_number"] if known else "99999-000002"
    if known:
        post(certificate)
    failures = [check(platform, number, f"wrong{turn}").status for turn in range(checks.FAILURES_MAX)]
    locked = check(platform, number, AUTH_KEY)

    assert failures == [404] * checks.FAILURES_MAX
    assert locked.status == 429
    assert 0 < int(locked.headers["Retry-After"]) <= checks.LOCKED_S


@pytest.fixture
def empty() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(store.SCHEMA)
    yield connection
    connection.close()


def test_the_lock_opens_when_the_failures_are_old(empty: sqlite3.Connection) -> None:
    def judged(at_s: float) -> checks.Match | checks.NoMatch | checks.Locked:
        return checks.judge(empty, "00000-000001", b"x" * 32, b"y" * 32, at_s)

    told = [judged(float(second)) for second in range(checks.FAILURES_MAX)]

    assert told == [checks.NoMatch(left) for left in (4, 3, 2, 1, 0)]
    assert judged(5.0) == checks.Locked(checks.LOCKED_S - 5.0)
    assert judged(checks.LOCKED_S + 0.5) == checks.NoMatch(0)
