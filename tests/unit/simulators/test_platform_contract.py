"""After: the platform keeps section 4 of the contracts. How: certificates over real HTTP to the running program."""

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.simulators.conftest import TOKEN, Post
from tests.unit.simulators.issuing import AUTH_KEY, Issuer
from tests.unit.simulators.running import Reply, Running, running

REFUSED = "https://platform.example/problems/certificate-refused"
KEY_REUSED = "https://platform.example/problems/idempotency-key-reused"


def read(platform: Running, certificate: dict[str, Any]) -> Reply:
    path = f"/v1/certificates/{certificate['guarantee_number']}/{certificate['version']}"
    return platform.call("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})


def test_a_certificate_arrives_once_and_every_repeat_tells_the_same_time(
    platform: Running, issuer: Issuer, post: Post
) -> None:
    certificate = issuer.certificate()
    before = read(platform, certificate)
    first, second = post(certificate), post(certificate)
    after = read(platform, certificate)

    assert [before.status, first.status, second.status, after.status] == [404, 201, 200, 200]
    assert first.json() == second.json() == after.json()
    assert first.json().keys() == {"certificate_id", "arrived_at"}
    assert datetime.fromisoformat(first.json()["arrived_at"]).utcoffset() is not None


def test_another_signature_over_the_same_content_is_a_repeat(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate()
    first = post(certificate)
    second = post(certificate | {"auth_key": "another12345"})

    assert (first.status, second.status) == (201, 200)


def test_other_content_under_the_same_key_is_a_reused_key(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate()
    post(certificate)
    other = post(issuer.certificate(guarantee_number=certificate["guarantee_number"], amount=1))

    assert (other.status, other.json()["type"]) == (422, KEY_REUSED)


def test_unknown_fields_are_kept_and_signed(issuer: Issuer, post: Post) -> None:
    assert post(issuer.certificate(novelty={"since": "2027"})).status == 201


def test_many_tries_at_once_store_one_certificate(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate()
    with ThreadPoolExecutor(8) as pool:
        statuses = [reply.status for reply in pool.map(post, [certificate] * 8)]

    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c | {"amount": 20_000_001},
        lambda c: c | {"content_sha256": "0" * 64},
        lambda c: c | {"signature": c["signature"][:-4] + "AAAA"},
        lambda c: c | {"signature": "bm90IGEgaGVhZGVy..AAAA"},
        lambda c: {name: value for name, value in c.items() if name != "auth_key"},
        lambda c: c | {"version": True},
        lambda c: c | {"obligee": "三島市長"},
    ],
)
def test_a_certificate_that_is_not_what_it_says_is_malformed(
    issuer: Issuer, post: Post, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    reply = post(spoil(issuer.certificate()))

    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/problem+json")
    assert AUTH_KEY not in reply.body.decode()


@pytest.mark.parametrize("key", ["00000-000001/1", '"00000-999999/1"', '"', '"00000-000001/1";x', ""])
def test_a_key_must_be_the_quoted_name_of_the_version(issuer: Issuer, post: Post, key: str) -> None:
    assert post(issuer.certificate(), Idempotency_Key=key).status == 400


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}', b"[" * 100_000, b" " * 300_000])
def test_a_body_that_is_no_certificate_is_malformed(platform: Running, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Idempotency-Key": '"x"'}

    assert platform.call("POST", "/v1/certificates", body, headers).status == 400


def test_without_the_token_nothing_opens(platform: Running, issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate()
    refused = post(certificate, Authorization="Bearer wrong")

    assert refused.status == 401
    assert platform.call("GET", "/admin/requests").status == 401
    assert platform.call("POST", "/admin/mode", b'{"mode":"503"}').status == 401
    assert read(platform, certificate).status == 404


def test_every_request_is_on_record_with_its_answer(issuer: Issuer, post: Post, admin: Callable[..., Any]) -> None:
    certificate = issuer.certificate("[platform:503]")
    key = f"{certificate['guarantee_number']}/1"
    post(certificate)
    post(certificate)
    lines = admin("GET", f"/admin/requests?key={key}")["requests"]

    assert [line["status"] for line in lines] == [503, 201]
    assert [line["misbehaviour"] for line in lines] == ["503", None]
    assert {line["content_sha256"] for line in lines} == {certificate["content_sha256"]}
    assert len({line["body_digest"] for line in lines}) == 1


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "platform.sqlite"


def test_what_arrived_survives_a_kill_and_the_key_lies_nowhere(storage: Path, issuer: Issuer) -> None:
    environment = {
        "PLATFORM_SIM_PORT": "0",
        "PLATFORM_SIM_TOKEN": TOKEN,
        "PLATFORM_SIM_STORAGE": str(storage),
    }
    certificate = issuer.certificate("[platform:repeat-200]")
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    headers["Idempotency-Key"] = f'"{certificate["guarantee_number"]}/1"'
    body = json.dumps(certificate).encode()
    with running("platform", environment) as program:
        first = program.call("POST", "/v1/certificates", body, headers)
        program.kill()
    with running("platform", environment) as program:
        again = program.call("POST", "/v1/certificates", body, headers)
        check = json.dumps({"guarantee_number": certificate["guarantee_number"], "auth_key": AUTH_KEY}).encode()
        checked = program.call("POST", "/v1/checks", check)
        exit_code = program.stop()

    assert (first.json(), checked.status) == (again.json(), 200)
    assert exit_code == 0
    assert all(AUTH_KEY.encode() not in file.read_bytes() for file in storage.parent.iterdir())
    with sqlite3.connect(storage) as connection:
        assert connection.execute("select count(*) from certificate").fetchone() == (1,)
    connection.close()
