"""The papers over HTTP: who gets them, what is noted of it, and what a busy press answers."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest
import structlog

from services.issuer.papers.content import Advice
from services.issuer.papers.press import Press
from services.issuer.store.papers import overview
from services.issuer.web import Printer, build_web, reveal
from services.issuer.web.papers import preferred
from shared.portals import Portals
from shared.service import Service
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.service.issuer.bench import Bench, arrived, change
from tests.service.issuer.changing import RAISED, by_office
from tests.service.issuer.conftest import PLATFORM_PAGE, Door, served
from tests.service.issuer.test_wishes import kept_in
from tests.unit.issuer.papers.notices import opened, squeezed, words_of
from tests.unit.issuer.samples import ARRIVED_AT

LIST = "/v1/guarantees"
VIEWER = {"viewer": "三島 太郎"}
AS_PDF = {"Accept": "application/pdf"}


async def looks_at(bench: Bench, number: str) -> list[tuple[str, str, str]]:
    asked = "select portal, viewer, address from auth_key_reveal where guarantee_number = $1"
    rows = await bench.pool.fetch(asked, number)
    return [tuple(row) for row in rows]


async def key_of(bench: Bench, number: str) -> str:
    sealed = (await bench.row(number))["sealed_auth_key"]
    return bench.means().ring.open(sealed, associated=number)


async def test_the_key_notice_is_a_look_at_the_key_and_noted_as_one(
    bench: Bench, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(reveal, "logger", structlog.wrap_logger(structlog.ReturnLogger(), processors=[kept_in(lines)]))
    _, number, _ = await bench.issue()
    status, paper, headers = await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER)
    words, key = words_of(paper), await key_of(bench, number)

    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/pdf", "no-store")
    for said in (key, number, "○○建設 株式会社 様", "50,000,000 円", "電子保証発行日時2026/01/15 09:30", PLATFORM_PAGE):
        assert squeezed(said) in words
    assert await looks_at(bench, number) == [("portal-a", "三島 太郎", "127.0.0.1")]
    assert len(lines) == 1
    assert key not in lines[0]


async def test_after_a_cancelled_change_the_notice_tells_what_holds_again_and_when_that_was_issued(
    bench: Bench, door: Door
) -> None:
    application_id, number, _ = await bench.issue()
    hours = timedelta(hours=1)
    await bench.hear(change(number, **RAISED))
    await bench.hear(arrived(application_id, number, version=2, arrived_at=ARRIVED_AT + hours, certificate_id="c-2"))
    _, changed, _ = await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER)
    await bench.hear(by_office(number, 2, "change_cancellation"))
    await bench.hear(
        arrived(application_id, number, version=3, arrived_at=ARRIVED_AT + 2 * hours, certificate_id="c-3")
    )
    _, cancelled, _ = await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER)
    _, shown, _ = await door.call("GET", f"{LIST}/{number}")

    assert squeezed("電子保証発行日時2026/01/15 10:30") in words_of(changed)
    assert squeezed("電子保証発行日時2026/01/15 09:30") in words_of(cancelled)
    assert squeezed("50,000,000 円") in words_of(cancelled)
    assert shown["issued_at"] == shown["history"][-1]["issued_at"] == "2026-01-15T09:30:02.117+09:00"


async def test_a_downloaded_paper_has_a_name_for_every_program(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, _, notice = await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER)
    _, _, certificate = await door.call("GET", f"{LIST}/{number}/certificates/1", headers=AS_PDF)
    names = quote("認証キーのお知らせ_"), quote("電子証書_")

    assert notice["content-disposition"] == (
        f"attachment; filename=\"key-notice-{number}.pdf\"; filename*=UTF-8''{names[0]}{number}.pdf"
    )
    assert certificate["content-disposition"] == (
        f"attachment; filename=\"certificate-{number}-1.pdf\"; filename*=UTF-8''{names[1]}{number}_1.pdf"
    )


async def test_no_notice_before_the_arrival_on_paper_or_without_a_viewer(bench: Bench, door: Door) -> None:
    _, number, paper = await bench.take_in()
    early, on_paper = [await door.call("POST", f"{LIST}/{one}/key-notice", body=VIEWER) for one in (number, paper)]
    nobody = await door.call("POST", f"{LIST}/{number}/key-notice", body={})

    assert (early[0], early[1]["code"]) == (409, "not_issued")
    assert (on_paper[0], on_paper[1]["code"]) == (409, "not_issued")
    assert nobody[0] == 422
    assert await looks_at(bench, number) == []


async def test_the_notice_tells_the_advice_of_the_terms_once_these_are_kept(bench: Bench, stack: Servers) -> None:
    _, number, _ = await bench.issue()
    advice = {"submit_to": "○○市 契約検査課", "mail_subject": None, "advice_ja": "一行目\n二行目"}
    connection = await asyncpg.connect(f"{stack.superuser_url.rpartition('/')[0]}/{stack.database}")
    await connection.execute("set search_path to issuer")
    changing = connection.transaction()
    await changing.start()
    await connection.execute("alter table application add column if not exists terms jsonb")
    before = await overview(connection, number, None)
    await connection.execute("update application set terms = $1", json.dumps({"key_notice": advice}))
    after = await overview(connection, number, None)
    await changing.rollback()
    await connection.close()

    assert before is not None
    assert after is not None
    assert before.advice == Advice()
    assert after.advice == Advice(**advice)
    assert after.guarantee_until.isoformat() == "2026-12-25"


async def test_the_certificate_is_json_unless_a_pdf_is_asked_for(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    path = f"{LIST}/{number}/certificates/1"
    _, data, plain = await door.call("GET", path)
    status, paper, headers = await door.call("GET", path, headers=AS_PDF)
    attached = json.loads(opened(paper).attachments["certificate.json"][0])

    assert (plain["content-type"], plain["vary"]) == ("application/json", "Accept")
    assert (status, headers["content-type"], headers["vary"]) == (200, "application/pdf", "Accept")
    assert attached == data
    assert data["content_sha256"] in words_of(paper)
    assert await key_of(bench, number) not in words_of(paper)
    assert (await door.call("GET", path, headers={"Accept": "text/html"}))[0] == 406


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/pdf", "application/pdf"),
        ("application/*", "application/json"),
        ("application/pdf, */*;q=0.1", "application/pdf"),
        ("application/pdf;q=0.5, application/json;q=0.9", "application/json"),
        ("application/pdf, application/json;q=0", "application/pdf"),
        ("*/*, application/json;q=0", "application/pdf"),
        ("APPLICATION/PDF ; Q=0.3", "application/pdf"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/html", None),
        ("application/pdf;q=0", None),
        ("application/pdf;q=x", None),
        ("", None),
    ],
)
def test_the_better_liked_media_type_is_served(accept: str, media: str | None) -> None:
    assert preferred(accept) == media


async def test_a_hidden_version_has_no_paper_for_portals_and_one_for_the_office(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, waiting, _ = await bench.take_in()
    await bench.pool.execute("update version set state = 'corrected' where guarantee_number = $1", number)

    async def asked(one: str, caller: str) -> Any:
        return (await door.call("GET", f"{LIST}/{one}/certificates/1", caller=caller, headers=AS_PDF))[0]

    assert [await asked(number, caller) for caller in ("portal-a", "office")] == [404, 200]
    assert [await asked(waiting, caller) for caller in ("portal-a", "office")] == [409, 200]


class Counting(Press):
    """A press that counts what it prints, and has no place for anybody while it is told so."""

    printed = 0

    async def print(self, order: bytes) -> bytes:
        self.printed += 1
        return await super().print(order)


@pytest.fixture
async def counted(stack: Servers, bench: Bench, door: Door) -> Any:
    """A door of its own with a press that counts, and that press."""
    press = Counting(workers_max=1, waiting_max=0)
    service = SimpleNamespace(pool=bench.pool, unit_of_work=lambda: unit_of_work(bench.desk, "issuer.web"))
    means = bench.means()
    app = build_web(
        cast(Service, service),
        Portals.load(stack.portals_file),
        means.ring,
        means.signing.jwks(),
        Printer(press, None),
    )
    async with served(app) as url, aiohttp.ClientSession() as http:
        yield Door(url, stack, http), press
    await press.close()


async def test_a_certificate_is_printed_once_and_a_notice_every_time(counted: Any, bench: Bench) -> None:
    door, press = counted
    _, number, _ = await bench.issue()
    papers = [await door.call("GET", f"{LIST}/{number}/certificates/1", headers=AS_PDF) for _ in range(2)]
    after_certificates = press.printed
    for _ in range(2):
        await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER)

    assert papers[0][1] == papers[1][1]
    assert after_certificates == 1
    assert press.printed == 3
    assert len(await looks_at(bench, number)) == 2


async def test_a_busy_press_asks_to_come_back_and_notes_no_look(counted: Any, bench: Bench) -> None:
    door, press = counted
    _, number, _ = await bench.issue()
    with press.place():
        answers = [
            await door.call("POST", f"{LIST}/{number}/key-notice", body=VIEWER),
            await door.call("GET", f"{LIST}/{number}/certificates/1", headers=AS_PDF),
        ]
        as_json = await door.call("GET", f"{LIST}/{number}/certificates/1")

    assert [(status, body["code"], int(headers["retry-after"]) > 0) for status, body, headers in answers] == [
        (503, "unavailable", True)
    ] * 2
    assert as_json[0] == 200
    assert await looks_at(bench, number) == []
