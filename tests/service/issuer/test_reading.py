"""Portals read their own guarantees, the office reads all."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from services.issuer.domain.states import Conclusion
from services.issuer.papers.press import Press
from services.issuer.store import reading
from services.issuer.web import Printer, build_web
from shared import postgres
from shared.portals import Portals
from shared.service import Service
from shared.signing import canonical, signed_content, verify
from tests.conftest import Servers
from tests.service.issuer.bench import Bench, accepted, arrived
from tests.service.issuer.conftest import Door, served
from tests.unit.issuer.samples import ARRIVED_AT

LIST = "/v1/guarantees"


async def numbers_of(door: Door, caller: str = "portal-a", **query: str) -> list[str]:
    status, body, _ = await door.call("GET", LIST, caller=caller, query=query)
    assert status == 200, body
    return [item["guarantee_number"] for item in body["items"]]


async def test_the_list_shows_what_the_contract_says(bench: Bench, door: Door) -> None:
    application_id, number, paper = await bench.issue()
    status, body, _ = await door.call("GET", LIST, query={"application_id": application_id})

    assert status == 200
    assert [item["guarantee_number"] for item in body["items"]] == [paper, number]
    assert body["items"][1] == {
        "guarantee_number": number,
        "application_id": application_id,
        "kind": "advance_payment",
        "product_name": "前払金保証",
        "obligee_name": "三島市長",
        "project_name": "市道○○線道路改良工事",
        "contractor_name": "○○建設 株式会社",
        "price": 50_000_000,
        "amount": 20_000_000,
        "certificate_form": "electronic",
        "status": "active",
        "status_ja": "発行済",
        "issued_at": "2026-01-15T09:30:02.117+09:00",
    }
    assert (body["items"][0]["status_ja"], body["items"][0]["issued_at"]) == ("証書作成中", None)


async def test_every_filter_narrows_the_list(bench: Bench, door: Door) -> None:
    ours = {"customer_number": "C-77", "name": "ＡＢＣ建設 株式会社", "jv_name": None}
    application_id, number, paper = await bench.issue(contractor=ours, contract__project_name="第２号橋梁工事")
    await bench.issue()
    both = [paper, number]

    assert await numbers_of(door, customer_number="C-77") == both
    assert await numbers_of(door, contractor="abc建設") == both
    assert await numbers_of(door, project="第2号橋", customer_number="C-77") == both
    assert await numbers_of(door, project="100%", customer_number="C-77") == []
    assert await numbers_of(door, application_id=application_id, kind="advance_payment") == [number]
    assert await numbers_of(door, application_id=application_id, certificate_form="paper") == [paper]
    assert await numbers_of(door, application_id=application_id, issued_from="2026-01-15") == [number]
    assert await numbers_of(door, application_id=application_id, issued_from="2026-01-16") == []
    assert await numbers_of(door, number=number) == [number]


async def test_pages_follow_each_other_without_gap_or_repeat(bench: Bench, door: Door) -> None:
    ours = {"customer_number": "C-pages", "name": "○○建設 株式会社", "jv_name": None}
    for _ in range(3):
        await bench.take_in(contractor=ours)
    everything = await numbers_of(door, customer_number="C-pages")
    paged: list[str] = []
    query = {"customer_number": "C-pages", "limit": "4"}
    while True:
        _, body, _ = await door.call("GET", LIST, query=query)
        paged += [item["guarantee_number"] for item in body["items"]]
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]

    assert paged == everything == sorted(everything, reverse=True)
    assert len(paged) == 6


async def test_a_search_through_very_many_rows_goes_on_from_where_it_stopped(
    bench: Bench, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page looks at a few rows only: it may be short, and its cursor leads on until everything was looked at."""
    monkeypatch.setattr(reading, "SCANNED_ROWS_MAX", 4)
    ours = {"customer_number": "C-scanned", "name": "○○建設 株式会社", "jv_name": None}
    sought = [(await bench.take_in(contractor=ours, contract__project_name="探す工事"))[1:] for _ in range(2)]
    for _ in range(5):
        await bench.take_in(contractor=ours)
    pages: list[list[str]] = []
    query = {"customer_number": "C-scanned", "project": "探す", "limit": "3"}
    while True:
        _, body, _ = await door.call("GET", LIST, query=query)
        pages.append([item["guarantee_number"] for item in body["items"]])
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]

    assert pages[:2] == [[], []]
    assert [number for page in pages for number in page] == sorted((n for pair in sought for n in pair), reverse=True)


async def test_a_page_stays_true_while_the_table_grows(bench: Bench, door: Door) -> None:
    ours = {"customer_number": "C-growing", "name": "○○建設 株式会社", "jv_name": None}
    await bench.take_in(contractor=ours)
    await bench.take_in(contractor=ours)
    before = await numbers_of(door, customer_number="C-growing")
    _, first, _ = await door.call("GET", LIST, query={"customer_number": "C-growing", "limit": "2"})
    await bench.take_in(contractor=ours)
    rest = await numbers_of(door, customer_number="C-growing", cursor=first["next_cursor"])

    assert [item["guarantee_number"] for item in first["items"]] + rest == before


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
        {"kind": "bid"},
        {"contractor": "a\x00b"},
        {"issued_from": "5"},
        {"issued_from": "0001-01-01"},
    ],
)
async def test_a_list_that_cannot_be_asked_for_is_answered_with_a_problem(door: Door, query: dict[str, str]) -> None:
    status, body, headers = await door.call("GET", LIST, query=query)

    assert (status, body["errors"][0]["code"]) == (422, "parameter_invalid")
    assert headers["content-type"] == "application/problem+json"


async def test_the_overview_shows_the_latest_arrived_version_with_its_history(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    status, body, headers = await door.call("GET", f"{LIST}/{number}")

    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert (body["depository"], body["jv_name"], body["guarantee_until"]) == ("○○銀行　××支店", None, "2026-12-25")
    assert body["completion_mail"] == {"wanted": True, "state": "waiting", "refusal": None}
    assert body["history"] == [
        {
            "no": 1,
            "version": 1,
            "version_kind": "new",
            "version_kind_ja": "新規",
            "issued_at": "2026-01-15T09:30:02.117+09:00",
            "state": None,
            "note": None,
        }
    ]


async def test_before_the_arrival_the_history_is_empty_for_a_portal_and_complete_for_the_office(
    bench: Bench, door: Door
) -> None:
    _, number, _ = await bench.take_in()
    _, ours, _ = await door.call("GET", f"{LIST}/{number}")
    _, offices, _ = await door.call("GET", f"{LIST}/{number}", caller="office")

    assert (ours["status_ja"], ours["history"]) == ("電子証書送信中", [])
    assert (ours["portal"], offices["portal"]) == ("portal-a", "portal-a")
    assert [(row["no"], row["version"], row["state"]) for row in offices["history"]] == [(None, 1, "in_transit")]


async def test_a_guarantee_that_waits_for_its_conclusion_can_be_read(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.take_in(Conclusion.CORE)
    status, body, _ = await door.call("GET", f"{LIST}/{number}")

    assert (status, body["status_ja"], body["completion_mail"]["wanted"]) == (200, "引受審査中", True)


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("GET", ""),
        ("POST", "/auth-key"),
        ("POST", "/key-notice"),
        ("GET", "/certificates/1"),
        ("POST", "/completion-mail"),
    ],
)
async def test_another_portals_guarantee_does_not_exist_and_the_office_sees_all(
    bench: Bench, door: Door, method: str, below: str
) -> None:
    _, number, _ = await bench.issue()
    body = {"viewer": "三島 太郎"} if method == "POST" else None
    path = f"{LIST}/{number}{below}"

    assert (await door.call(method, path, body=body, caller="portal-b"))[0] == 404
    assert (await door.call(method, f"{LIST}/00000-99999x{below}", body=body))[0] == 404
    assert (await door.call(method, f"{LIST}/99999-999999{below}", body=body))[0] == 404
    assert (await door.call(method, path, body=body, caller=""))[0] == 401
    assert (await door.call(method, path, body=body, caller="office"))[0] in {200, 202}
    assert number not in await numbers_of(door, caller="portal-b")
    assert await numbers_of(door, caller="office", number=number) == [number]


async def test_the_certificate_is_signed_data_that_verifies_with_the_published_keys(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, certificate, _ = await door.call("GET", f"{LIST}/{number}/certificates/1")
    status, jwks, headers = await door.call("GET", "/.well-known/jwks.json", caller="")

    assert (status, headers["cache-control"]) == (200, "public, max-age=300")
    assert "auth_key" not in certificate
    assert verify(canonical(signed_content(certificate)), certificate["signature"], jwks)


async def test_a_certificate_that_is_not_issued_or_not_there_is_not_shown(bench: Bench, door: Door) -> None:
    _, number, paper = await bench.take_in()

    async def asked(path: str, caller: str = "portal-a") -> Any:
        return (await door.call("GET", f"{LIST}/{path}", caller=caller))[0]

    assert await asked(f"{number}/certificates/1") == 409
    assert await asked(f"{number}/certificates/1", "office") == 200
    assert await asked(f"{paper}/certificates/1") == 409
    assert await asked(f"{paper}/certificates/1", "office") == 409
    assert await asked(f"{number}/certificates/2") == 404
    assert await asked(f"{number}/certificates/0") == 422


async def test_a_corrected_version_is_hidden_from_portals_and_kept_for_the_office(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    await bench.pool.execute("update version set state = 'corrected' where guarantee_number = $1", number)
    path = f"{LIST}/{number}/certificates/1"

    assert (await door.call("GET", path))[0] == 404
    assert (await door.call("GET", path, caller="office"))[0] == 200
    assert (await door.call("GET", f"{LIST}/{number}"))[1]["history"] == []


async def test_portals_read_only_what_came_from_them(bench: Bench, door: Door) -> None:
    message = accepted("portal-b")
    await bench.hear(message)
    number = (await bench.numbers(message.application_id))["advance_payment"]
    arrival = arrived(message.application_id, number).model_copy(update={"portal": "portal-b"})
    await bench.hear(arrival)

    assert await numbers_of(door, caller="portal-b", application_id=message.application_id, kind="advance_payment") == [
        number
    ]
    assert await numbers_of(door, application_id=message.application_id) == []
    status, body, _ = await door.call("GET", f"{LIST}/{number}", caller="portal-b")
    assert (status, datetime.fromisoformat(body["issued_at"])) == (200, ARRIVED_AT)


async def test_a_database_that_is_away_is_answered_503(stack: Servers, bench: Bench) -> None:
    closed = await postgres.open_pool(stack.database_url("issuer"), "issuer", connections_max=1)
    await closed.close()
    means = bench.means()
    service = cast(Service, SimpleNamespace(pool=closed))
    printer = Printer(Press(), None)
    app = build_web(service, Portals.load(stack.portals_file), means.ring, means.signing.jwks(), printer)
    async with served(app) as url, aiohttp.ClientSession() as http:
        status, body, headers = await Door(url, stack, http).call("GET", LIST)

    assert (status, body["code"]) == (503, "unavailable")
    assert int(headers["retry-after"]) > 0
