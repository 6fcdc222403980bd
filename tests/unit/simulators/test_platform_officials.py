"""The official's page: who has number and key sees the certificate checked; who has not learns nothing (rule 15)."""

import asyncio
import hmac
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from simulators.ledger import Ledger, Survives
from simulators.platform import checks, store
from simulators.platform.certificate import read
from simulators.platform.keyed import KeyedDigest
from simulators.platform.magic import script_of
from simulators.platform.officials import OfficialsDoor
from tests.unit.simulators.conftest import TOKEN, Post
from tests.unit.simulators.issuing import AUTH_KEY, Issuer
from tests.unit.simulators.reading_pages import Page
from tests.unit.simulators.running import Reply, Running, running, serving_json

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7*7 }}"
AS_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def check(platform: Running, number: str, key: str) -> Reply:
    body = urlencode({"guarantee_number": number, "auth_key": key}).encode()
    return platform.call("POST", "/", body, AS_FORM)


def words(reply: Reply) -> str:
    return re.sub(r"\s+", " ", Page(reply.body.decode()).words)


def test_number_and_key_show_the_certificate_with_its_versions_and_its_signature_checked(
    platform: Running, issuer: Issuer, post: Post
) -> None:
    first = issuer.certificate()
    number = first["guarantee_number"]
    second = issuer.certificate(guarantee_number=number, version=2, version_kind="change", amount=24_000_000)
    post(first)
    arrived = datetime.fromisoformat(post(second).json()["arrived_at"])
    seen = check(platform, f" {number} ", "Ｚ28Y UE4J 3Bux")
    shown = words(seen)

    assert seen.status == 200
    assert "署名：正しいことを確認しました。" in shown
    assert f"電子保証発行日時 {arrived:%Y/%m/%d %H:%M} " in shown
    assert second["content_sha256"] in shown
    assert "証書に記されたダイジェストと一致" in shown
    assert "保証金額 24,000,000円" in shown
    assert "2 変更 最新" in shown
    assert "1 新規" in shown
    Page(seen.body.decode()).assert_in_order()


def test_the_key_is_in_no_page_no_header_no_address_and_no_log(issuer: Issuer, tmp_path: Path) -> None:
    settings = {"PORT": "0", "TOKEN": TOKEN, "STORAGE": str(tmp_path / "platform.sqlite")}
    with running("platform", {f"PLATFORM_SIM_{name}": text for name, text in settings.items()}) as program:
        certificate = issuer.certificate()
        number = certificate["guarantee_number"]
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = f'"{number}/1"'
        program.call("POST", "/v1/certificates", json.dumps(certificate).encode(), headers)
        replies = [check(program, number, AUTH_KEY), check(program, "99999-000009", AUTH_KEY)]
        replies += [check(program, "no number", AUTH_KEY), program.call("GET", f"/?auth_key={AUTH_KEY}")]
        program.process.terminate()
        log = program.output.read()

    assert [reply.status for reply in replies] == [200, 404, 422, 200]
    for reply in replies:
        assert AUTH_KEY not in reply.body.decode()
        assert AUTH_KEY not in json.dumps(dict(reply.headers))
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in reply.headers
    assert "simulator.stopped" in log
    assert AUTH_KEY not in log


def test_an_unknown_number_and_a_wrong_key_get_the_same_bytes(platform: Running, issuer: Issuer, post: Post) -> None:
    """The page repeats the number that was entered; apart from that not one byte differs, nor does a header."""
    certificate = issuer.certificate()
    post(certificate)
    known, unknown = certificate["guarantee_number"], "99999-000003"
    wrong, absent = check(platform, known, "wrongwrong12"), check(platform, unknown, "wrongwrong12")

    assert wrong.status == absent.status == 404
    assert wrong.body.replace(known.encode(), unknown.encode()) == absent.body
    assert {**wrong.headers, "Date": ""} == {**absent.headers, "Date": ""}
    assert "保証契約番号または認証キーが正しくありません。" in words(wrong)
    Page(wrong.body.decode()).assert_in_order()


@dataclass
class Hand:
    """The hand of a clock, moved by the test."""

    at_s: float = datetime(2026, 7, 1, 0, 0, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.at_s


@dataclass
class Desk:
    """The official's page on a clock of the test's own."""

    client: TestClient[web.Request, web.Application]
    ledger: Ledger
    hand: Hand

    async def check(self, number: str, key: str) -> tuple[int, str, dict[str, str]]:
        async with self.client.post("/", data={"guarantee_number": number, "auth_key": key}) as answer:
            return answer.status, re.sub(r"\s+", " ", Page(await answer.text()).words), dict(answer.headers)


@pytest.fixture
async def desk(issuer: Issuer) -> AsyncIterator[Desk]:
    """A page without published keys and with one certificate, 00000-777777."""
    ledger = Ledger(":memory:", store.SCHEMA, Survives.KILL)
    await ledger.open()
    keyed, hand = KeyedDigest(b"k" * 32), Hand()
    posted = read(json.dumps(issuer.certificate(guarantee_number="00000-777777")).encode())
    submission = store.Submission(
        key=posted.key,
        guarantee_number=posted.certificate.guarantee_number,
        version=1,
        project_name=posted.certificate.project_name,
        content_sha256=posted.certificate.content_sha256,
        kept=posted.kept,
        auth_key_digest=keyed.of_auth_key("00000-777777", AUTH_KEY),
        body_digest="",
        at=datetime.fromtimestamp(hand(), UTC),
    )
    await ledger.do(lambda db: store.judge_post(db, submission, script_of("")))
    application = web.Application()
    application.add_routes(OfficialsDoor(checks.Checking(ledger, keyed, hand), None).routes())
    async with TestClient(TestServer(application)) as client:
        yield Desk(client, ledger, hand)
    await ledger.close()


@pytest.mark.parametrize("number", ["00000-777777", "99999-000004"])
async def test_repeated_failure_locks_the_number_and_the_lock_says_when_it_opens(desk: Desk, number: str) -> None:
    told = [await desk.check(number, "wrongwrong12") for _ in range(checks.FAILURES_MAX)]
    desk.hand.at_s += 60.5
    status, shown, headers = await desk.check(number, AUTH_KEY)

    assert [one[0] for one in told] == [404] * checks.FAILURES_MAX
    assert "あと4回誤ると、この番号は15分間確認できなくなります。" in told[0][1]
    assert "しばらくのあいだ確認できなくなりました。" in told[-1][1]
    assert status == 429
    assert "2026年07月01日 09時15分00秒 以降に" in shown
    assert headers["Retry-After"] == "840"


async def test_guesses_at_the_same_moment_do_not_slip_past_the_lock(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(desk.check("00000-777777", f"guess{number}") for number in range(20)))

    assert sorted(status for status, _, _ in outcomes) == [404] * checks.FAILURES_MAX + [429] * 15


async def test_the_lock_opens_when_it_said_and_not_before(desk: Desk) -> None:
    for _ in range(checks.FAILURES_MAX):
        await desk.check("00000-777777", "wrongwrong12")
    desk.hand.at_s += checks.LOCKED_S - 0.001
    before, _, _ = await desk.check("00000-777777", AUTH_KEY)
    desk.hand.at_s += 0.001
    after, _, _ = await desk.check("00000-777777", AUTH_KEY)

    assert (before, after) == (429, 200)


async def test_what_cannot_be_looked_up_is_not_counted(desk: Desk) -> None:
    for _ in range(checks.FAILURES_MAX + 1):
        status, shown, _ = await desk.check("00000-777777", "no-key!")

        assert status == 422
        assert "誤りの回数には数えません" in shown
    assert (await desk.check("00000-777777", AUTH_KEY))[0] == 200


async def test_without_published_keys_the_page_does_not_claim_a_right_signature(desk: Desk) -> None:
    _, shown, _ = await desk.check("00000-777777", AUTH_KEY)

    assert "署名：確認できませんでした。" in shown
    assert "正しいことを確認しました" not in shown


async def test_a_certificate_that_was_touched_after_it_arrived_is_shown_as_touched(desk: Desk) -> None:
    def touch(connection: sqlite3.Connection) -> None:
        connection.execute("update certificate set certificate = replace(certificate, '20000000', '20000001')")

    await desk.ledger.do(touch)
    _, shown, _ = await desk.check("00000-777777", AUTH_KEY)

    assert "20,000,001円" in shown
    assert "署名：内容がダイジェストと一致しません。" in shown
    assert "内容が不一致" in shown


async def test_wrong_keys_and_unknown_numbers_cost_the_same_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same statements and one comparison in constant time, so that the time tells nothing either."""
    statements: list[str] = []
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    await desk.ledger.do(lambda db: db.set_trace_callback(statements.append))
    work = []
    for number in ("00000-777777", "99999-000005"):
        statements.clear()
        compared.clear()
        await desk.check(number, "wrongwrong12")
        work.append(([re.sub(r"\d{5}-\d{6}|x'[0-9a-f]+'", "?", one.lower()) for one in statements], list(compared)))

    assert work[0] == work[1]
    assert work[0][1] == [(32, 32)]
    assert any("check_failure" in one for one in work[0][0])


def test_a_signature_by_an_unpublished_key_is_shown_as_wrong(issuer: Issuer, tmp_path: Path) -> None:
    """Stored while no keys were given, looked at when others are published."""
    settings = {"PORT": "0", "TOKEN": TOKEN, "STORAGE": str(tmp_path / "platform.sqlite")}
    environment = {f"PLATFORM_SIM_{name}": text for name, text in settings.items()}
    certificate = issuer.certificate()
    number = certificate["guarantee_number"]
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    headers["Idempotency-Key"] = f'"{number}/1"'
    with running("platform", environment) as program:
        program.call("POST", "/v1/certificates", json.dumps(certificate).encode(), headers)
    with (
        serving_json(Issuer().jwks()) as url,
        running("platform", environment | {"PLATFORM_SIM_JWKS_URL": url}) as program,
    ):
        wrong = words(check(program, number, AUTH_KEY))
    with running("platform", environment | {"PLATFORM_SIM_JWKS_URL": "http://127.0.0.1:1/jwks.json"}) as program:
        unreachable = words(check(program, number, AUTH_KEY))

    assert "署名：正しくありません。" in wrong
    assert "署名：確認できませんでした。発行者の公開鍵を取得できません。" in unreachable


def test_nothing_a_certificate_says_becomes_part_of_the_page(platform: Running, issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate(
        project_name=HOSTILE, depository=HOSTILE, guarantor=HOSTILE, contractor={"name": HOSTILE, "jv_name": HOSTILE}
    )
    post(certificate)
    page = Page(check(platform, certificate["guarantee_number"], AUTH_KEY).body.decode())

    assert page.words.count(HOSTILE) >= 5
    assert not page.all("img")
    page.assert_in_order()


def test_what_is_typed_stays_text(platform: Running) -> None:
    reply = check(platform, HOSTILE, HOSTILE)
    page = Page(reply.body.decode())

    assert reply.status == 422
    assert [one["value"] for one in page.fields if one["id"] == "guarantee_number"] == [HOSTILE]
    assert [one.get("value") for one in page.fields if one["id"] == "auth_key"] == [None]
    page.assert_in_order()


def test_an_odd_stamp_of_the_platform_is_shown_in_japan_time(platform: Running, issuer: Issuer, post: Post) -> None:
    for marker in ("arrived-zone", "arrived-lower", "arrived-nanos", "arrived-seconds"):
        certificate = issuer.certificate(f"[platform:{marker}]")
        arrived = post(certificate).json()["arrived_at"].upper()
        expected = datetime.fromisoformat(arrived).timestamp()
        shown = words(check(platform, certificate["guarantee_number"], AUTH_KEY))
        found = re.search(r"電子保証発行日時 (\d{4}/\d\d/\d\d \d\d:\d\d) ", shown)

        assert found is not None, marker
        in_japan = datetime.strptime(found[1] + "+0900", "%Y/%m/%d %H:%M%z")
        assert 0 <= expected - in_japan.timestamp() < 60


def test_other_bodies_than_forms_are_turned_away(platform: Running) -> None:
    as_json = platform.call("POST", "/", b"{}", {"Content-Type": "application/json"})
    crowded = platform.call("POST", "/", b"&".join(b"a=1" for _ in range(65)), AS_FORM)

    assert (as_json.status, crowded.status) == (415, 400)
