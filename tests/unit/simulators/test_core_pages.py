"""The office's pages in front of an outside that the test plays: what is shown, what is taken, what is turned away.

What comes of a decision or a change in the real system is told in tests/browser.
"""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from simulators.core import office as reading
from simulators.core import pages
from simulators.core.desk import SCHEMA, Desk
from simulators.core.doors import OfficeDoors
from simulators.core.office import Office
from simulators.core.pages import OfficeDoor
from simulators.ledger import Ledger, Survives
from tests.unit.simulators.around_the_office import Bench, office_pages
from tests.unit.simulators.folders import NUMBER, example, guarantee, row
from tests.unit.simulators.reading_pages import Page

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7*7 }}"
AWAITING = {"status": "awaiting_conclusion", "status_ja": "引受審査中"}


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(pages, "SETTLES_S_MAX", 0.1)
    async with office_pages() as opened:
        yield opened


ONE = f"/guarantees/{NUMBER}"


async def test_a_guarantee_that_waits_is_listed_and_shows_contact_and_message(bench: Bench) -> None:
    bench.outside.guarantee = guarantee(**AWAITING)
    bench.outside.application["message_to_guarantor"] = "至急お願いします。"
    _, listed = await bench.get("/")
    _, shown = await bench.get(ONE)

    assert ONE in listed.addresses
    assert "引受審査中" in listed.words
    for words in ("至急お願いします。", "三島 太郎", "055-000-0000", "工務部", "静岡支店", "送信元 portal-a"):
        assert words in shown.words


@pytest.mark.parametrize("typed", [NUMBER, "00000000001", "０００００－０００００１", " 00000 000001 "])
async def test_a_number_is_found_however_it_is_typed(bench: Bench, typed: str) -> None:
    status, page = await bench.get(f"/?{urlencode({'number': typed})}")

    assert (status, bench.outside.numbers) == (200, [NUMBER])
    assert ONE in page.addresses


@pytest.mark.parametrize("typed", ["abc", "00000-00000", "1", "00000-0000012"])
async def test_what_is_no_number_is_a_slip_at_its_field_and_is_not_searched_for(bench: Bench, typed: str) -> None:
    status, page = await bench.get(f"/?{urlencode({'number': typed})}")
    [field] = [one for one in page.fields if one["id"] == "number"]

    assert (status, bench.outside.listed) == (422, 0)
    assert (field["aria-invalid"], field["aria-describedby"], field["value"]) == ("true", "told", typed)
    assert "保証契約番号として読めません。" in page.words


@pytest.mark.parametrize("path", ["/", "/?tab=attention", "/?tab=all", "/?contractor=x", "/orders", "/?tab=nothing"])
async def test_every_list_stands_empty_and_full(bench: Bench, path: str) -> None:
    status, _ = await bench.get(path)

    assert status == 200


@pytest.mark.parametrize(("asked", "kept"), [("tab=attention", "tab=attention"), ("contractor=x", "contractor=x")])
async def test_a_list_that_ends_early_leads_on_to_what_it_has_not_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, asked: str, kept: str
) -> None:
    """Nothing is out of reach, however many newer guarantees there are."""
    monkeypatch.setattr(reading, "SCANNED_PAGES_MAX", 2)
    bench.outside.pages = 3
    _, shown = await bench.get(f"/?{asked}")
    following = f"/?{kept}&cursor={NUMBER}"

    assert bench.outside.cursors == [None, NUMBER]
    assert following in shown.addresses
    _, rest = await bench.get(following)
    assert bench.outside.cursors == [None, NUMBER, NUMBER]
    assert not any("cursor=" in address for address in rest.addresses)


async def test_what_was_read_is_shown_to_the_last_even_beyond_a_full_page(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SHOWN_ITEMS_ENOUGH", 2)
    bench.outside.pages = 3
    _, shown = await bench.get("/?tab=all")
    _, rest = await bench.get(f"/?tab=all&cursor={NUMBER}")

    assert (shown.addresses.count(ONE), rest.addresses.count(ONE)) == (2, 1)


async def test_an_empty_stretch_of_a_list_is_not_taken_for_its_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SCANNED_PAGES_MAX", 1)
    bench.outside.pages = 2
    _, shown = await bench.get("/?tab=awaiting")
    _, rest = await bench.get(f"/?tab=awaiting&cursor={NUMBER}")

    assert "この範囲には、該当する保証はありません。続きを見てください。" in shown.words
    assert "これより古いものには、該当する保証はありません。" in rest.words


async def test_concluding_announces_the_line_of_the_portals_application(bench: Bench) -> None:
    bench.outside.guarantee = guarantee(**AWAITING)
    form = {"event_id": "e-1", "message_from_guarantor": " ありがとうございます。\r\n "}
    answers = [await bench.post(f"{ONE}/conclusion", form) for _ in range(2)]
    keys, facts, ids = zip(*bench.broker.published, strict=True)

    assert [(status, location) for status, location, _ in answers] == [(303, f"{ONE}?done=concluded")] * 2
    assert set(keys) == {"core.guarantee_concluded.v1"}
    assert facts[0] | {"concluded_at": ""} == example("guarantee_concluded") | {
        "concluded_at": "",
        "message_from_guarantor": "ありがとうございます。",
    }
    assert ids == ("e-1", "e-1")


async def test_declining_needs_a_reason_and_names_the_line(bench: Bench) -> None:
    bench.outside.guarantee = guarantee(kind="contract_performance", **AWAITING)
    without = await bench.post(f"{ONE}/refusal", {"reason": "  "})
    given = await bench.post(f"{ONE}/refusal", {"reason": "決算書をご提出ください。"})
    [(key, fact, _)] = bench.broker.published

    assert without[0] == 422
    assert "お引受できない理由を入力してください。" in without[2]
    assert given[:2] == (303, f"{ONE}?done=declined")
    assert key == "core.guarantee_declined.v1"
    assert fact["kind"] == "contract_performance"
    assert [(one["pointer"], one["message_ja"]) for one in fact["problems"]] == [
        ("/guarantees/1", "決算書をご提出ください。")
    ]


async def test_what_is_decided_is_not_decided_again(bench: Bench) -> None:
    status, _, words = await bench.post(f"{ONE}/conclusion", {})

    assert (status, bench.broker.published) == (409, [])
    assert "引受の判断は、すでに済んでいます。" in words


async def test_a_broker_that_is_away_is_said_and_nothing_is_claimed(bench: Bench) -> None:
    bench.outside.guarantee = guarantee(**AWAITING)
    bench.broker.is_away = True
    status, _, words = await bench.post(f"{ONE}/conclusion", {})

    assert status == 503
    assert "二重には処理されません" in words


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
@pytest.mark.parametrize("path", ["conclusion", "refusal", "correction", "change_cancellation", "termination"])
async def test_no_other_site_can_send_a_form(bench: Bench, path: str, site: str | None) -> None:
    bench.outside.guarantee = guarantee(**AWAITING)
    headers = {"Origin": "https://evil.example"} | ({"Sec-Fetch-Site": site} if site else {})
    status, _, _ = await bench.post(f"{ONE}/{path}", {"confirmed": "yes", "reason": "x"}, **headers)

    assert status == 403
    assert (bench.broker.published, bench.outside.sent) == ([], [])


@pytest.mark.parametrize("kind", ["change_cancellation", "termination"])
async def test_what_cannot_be_undone_is_confirmed_by_a_person(bench: Bench, kind: str) -> None:
    _, form = await bench.get(f"{ONE}/{kind}")
    unconfirmed = await bench.post(f"{ONE}/{kind}", {})
    confirmed = await bench.post(f"{ONE}/{kind}", {"confirmed": "yes"})

    assert any(one["id"] == "confirmed" and "checked" not in one for one in form.fields)
    assert unconfirmed[0] == 422
    assert "チェックを入れてください。" in unconfirmed[2]
    assert confirmed[:2] == (303, f"{ONE}?done={kind}")
    assert [sent["version_kind"] for sent in bench.outside.sent] == [kind]


async def test_nothing_from_outside_becomes_part_of_a_page(bench: Bench) -> None:
    told = [{"code": "x", "pointer": "", "message_ja": HOSTILE, "message_en": "x"}]
    named = dict.fromkeys(("obligee_name", "project_name", "contractor_name", "jv_name", "depository"), HOSTILE)
    shown = named | {"message_from_guarantor": HOSTILE, "problems": told, "remarks": told, "status_ja": HOSTILE}
    bench.outside.guarantee = guarantee(row(1, note=HOSTILE), **shown)
    bench.outside.application |= {
        "message_to_guarantor": HOSTILE,
        "contact": dict.fromkeys(("department", "title", "name", "phone"), HOSTILE),
        "paper_delivery": HOSTILE,
    }
    entry = {"portal": "portal-a", "change_id": HOSTILE, "answered_at": "2026-07-01T00:00:00Z"}
    bench.outside.requests = [entry | {"outcome": "rejected", "problems": told}]
    look = dict.fromkeys(("portal", "viewer", "address", "shown_by"), HOSTILE)
    bench.outside.looks = {"items": [look | {"revealed_at": "2026-07-01T00:00:00Z"}], "has_more": False}
    for path in ("/?tab=all", ONE, f"{ONE}/termination", f"/?project={HOSTILE.replace('&', '%26')}"):
        status, page = await bench.get(path)

        assert status == 200
        assert HOSTILE in page.words
        assert not page.all("img")


async def test_an_unknown_number_and_a_foreign_word_are_not_found(bench: Bench) -> None:
    for path in ("/guarantees/99999-999999", "/guarantees/abc", "/guarantees/..%2Fx"):
        status, page = await bench.get(path)

        assert status == 404
        assert "この保証契約番号の保証はありません。" in page.words


async def test_an_outside_that_is_away_is_said(bench: Bench) -> None:
    elsewhere = OfficeDoors("http://127.0.0.1:1", "http://127.0.0.1:1", "t")
    async with elsewhere:
        application = web.Application()
        ledger = Ledger(":memory:", SCHEMA, Survives.KILL)
        await ledger.open()
        application.add_routes(OfficeDoor(Office(elsewhere, Desk(ledger)), Desk(ledger), bench.broker).routes())
        async with TestClient(TestServer(application)) as client, client.get("/") as answer:
            text = re.sub(r"\s+", " ", Page(await answer.text()).words)
        await ledger.close()

    assert answer.status == 502
    assert "応答していません。" in text
