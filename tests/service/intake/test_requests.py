"""The door over HTTP: what the contract promises for each status, and what can be read back."""

import asyncio
import json
from typing import Any

import pytest

from services.intake.domain.body import BODY_BYTES_MAX
from shared import turnstile
from tests.eventually import eventually
from tests.service.conftest import DatabaseAs
from tests.service.intake.conftest import Intake, PortalQueue
from tests.unit.intake.samples import GONE, body_of, changed

APPLICATIONS = "/v1/applications"


def _named(name: str, changes: dict[str, Any] | None = None) -> bytes:
    return body_of(changed({"/application_id": name, **(changes or {})}))


async def _count(database_as: DatabaseAs, name: str) -> int:
    role = await database_as("intake")
    return int(await role.fetchval("select count(*) from submission where application_id = $1", name))


async def test_a_good_application_is_202_and_the_same_again_200(intake: Intake, portal: PortalQueue) -> None:
    first = await intake.call("POST", APPLICATIONS, body=_named("H-1"))
    again = await intake.call("POST", APPLICATIONS, body=_named("H-1", {"/submitted_at": "2026-01-15T00:30:00Z"}))
    told = await portal.told(lambda told: told.data.get("application_id") == "H-1", 2)

    assert (first[0], again[0]) == (202, 200)
    assert first[1] == again[1] == {"application_id": "H-1", "status_url": "/v1/applications/H-1", "remarks": []}
    assert told[0].id == told[1].id
    assert told[0].data == told[1].data


async def test_other_content_under_an_accepted_id_is_409(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("H-2"))
    status, told, headers = await intake.call("POST", APPLICATIONS, body=_named("H-2", {"/contract/price": 49_999_999}))

    assert (status, headers["content-type"]) == (409, "application/problem+json")
    assert [problem["code"] for problem in told["errors"]] == ["application_id_taken"]


async def test_a_bad_application_is_422_with_everything_at_once_and_occupies_nothing(intake: Intake) -> None:
    bad = {"/contract/price": "50000000", "/contact/phone": GONE, "/completion_mail/address": "keiri"}
    status, told, _ = await intake.call("POST", APPLICATIONS, body=_named("H-3", bad))
    mended = await intake.call("POST", APPLICATIONS, body=_named("H-3"))

    assert (status, mended[0]) == (422, 202)
    assert [(problem["code"], problem["pointer"]) for problem in told["errors"]] == [
        ("not_an_integer", "/contract/price"),
        ("missing", "/contact/phone"),
        ("mail_address_malformed", "/completion_mail/address"),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'\xef\xbb\xbf{"a": 1}', b"[" * 100_000])
async def test_what_cannot_be_read_is_422(intake: Intake, body: bytes) -> None:
    for path in (APPLICATIONS, f"{APPLICATIONS}/check", "/v1/changes"):
        status, told, _ = await intake.call("POST", path, body=body)

        assert status == 422
        assert told["errors"][0]["code"].startswith("body_")


async def test_a_body_over_the_limit_is_413_unread(intake: Intake) -> None:
    async def endless() -> Any:
        for _ in range(BODY_BYTES_MAX // 1024 + 2):
            yield b" " * 1024

    frame = len(_named("H-4")) - 1
    most = _named("H-4")[:-1] + b" " * (BODY_BYTES_MAX - frame - 1) + b"}"
    assert len(most) == BODY_BYTES_MAX
    assert (await intake.call("POST", APPLICATIONS, body=most))[0] == 202
    status, refusal, _ = await intake.call("POST", APPLICATIONS, body=most + b" ")
    assert (status, refusal["code"]) == (413, "too_large")
    assert [(problem["code"], problem["pointer"]) for problem in refusal["errors"]] == [("body_too_large", "")]
    url, headers = f"{intake.url}{APPLICATIONS}", {"Authorization": f"Bearer {intake.stack.token('portal-a')}"}
    async with intake.http.post(url, data=endless(), headers=headers) as told:
        assert told.status == 413


@pytest.mark.parametrize("path", [APPLICATIONS, f"{APPLICATIONS}/x", "/v1/obligees", "/v1/problems"])
async def test_without_a_token_there_is_nothing_to_see(intake: Intake, path: str) -> None:
    assert (await intake.call("GET", path, token=""))[0] == 401
    assert (await intake.call("GET", path, token="wrong"))[0] == 401
    assert (await intake.call("POST", APPLICATIONS, token="", body=_named("H-5")))[0] == 401


async def test_a_full_house_asks_to_come_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_overloaded() -> bool:
        return True

    monkeypatch.setattr(intake.service, "is_overloaded", is_overloaded)
    monkeypatch.setattr(turnstile, "ROOM_S_MAX", 0.1)
    status, told, headers = await intake.call("POST", APPLICATIONS, body=_named("H-6"))

    assert (status, told["code"]) == (429, "too_many_requests")
    assert int(headers["retry-after"]) > 0


async def test_a_check_judges_and_stores_nothing(intake: Intake, database_as: DatabaseAs) -> None:
    check = f"{APPLICATIONS}/check"
    good = await intake.call("POST", check, body=_named("H-7", {"/guarantees/0/depository": "第3銀行"}))
    bad = await intake.call("POST", check, body=_named("H-7", {"/contract/price": 0}))

    assert good[0] == 200
    assert (good[1]["guarantee_until"], good[1]["terms"]["advance_works_percent"]) == ("2026-12-25", 40)
    assert [line["ratio_percent"] for line in good[1]["lines"]] == ["40.0%", "10.0%"]
    assert [remark["code"] for remark in good[1]["remarks"]] == ["depository_normalised"]
    assert bad[0] == 422
    assert await _count(database_as, "H-7") == 0


async def test_a_check_tells_that_an_id_is_taken(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("H-8"))
    same = await intake.call("POST", f"{APPLICATIONS}/check", body=_named("H-8"))
    other = await intake.call("POST", f"{APPLICATIONS}/check", body=_named("H-8", {"/receiving_office": "沼津支店"}))

    assert (same[0], other[0]) == (200, 409)


async def test_an_application_is_read_back_and_a_refusal_only_until_it_is_accepted(intake: Intake) -> None:
    path = f"{APPLICATIONS}/H-9%2F%7E1"
    await intake.call("POST", APPLICATIONS, body=_named("H-9/~1", {"/contract/price": 0}))
    refused = await intake.call("GET", path)
    receipt = await intake.call("POST", APPLICATIONS, body=_named("H-9/~1"))
    await intake.call("POST", APPLICATIONS, body=_named("H-9/~1", {"/receiving_office": "沼津支店"}))
    accepted = await intake.call("GET", receipt[1]["status_url"])

    assert (refused[1]["outcome"], refused[1]["application"]) == ("rejected", None)
    assert refused[1]["problems"][0]["code"] == "not_positive"
    assert (accepted[1]["outcome"], accepted[1]["application"]["contract"]["price"]) == ("accepted", 50_000_000)
    assert [line["certificate_form"] for line in accepted[1]["lines"]] == ["electronic", "paper"]


@pytest.mark.parametrize("name", ["never", "a%00b", "%E4%B8%89", "..%2F.."])
async def test_what_was_never_sent_is_404(intake: Intake, name: str) -> None:
    assert (await intake.call("GET", f"{APPLICATIONS}/{name}"))[0] == 404


async def test_the_list_goes_from_new_to_old_by_cursor(intake: Intake) -> None:
    for number in range(5):
        await intake.call("POST", APPLICATIONS, body=_named(f"H-10-{number}"))
    seen: list[str] = []
    path = f"{APPLICATIONS}?limit=2&outcome=accepted"
    while len(seen) < 5:
        _, page, _ = await intake.call("GET", path)
        seen += [item["application_id"] for item in page["items"]]
        assert len(page["items"]) <= 2
        path = f"{APPLICATIONS}?limit=2&outcome=accepted&cursor={page['next_cursor']}"

    assert seen[:5] == [f"H-10-{number}" for number in reversed(range(5))]


async def test_the_last_page_leads_nowhere(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("H-11"))
    _, page, _ = await intake.call("GET", f"{APPLICATIONS}?application_id=H-11&limit=1")

    assert ([item["application_id"] for item in page["items"]], page["next_cursor"]) == (["H-11"], None)


@pytest.mark.parametrize("query", ["cursor=x", "cursor=0", "cursor=99999999999999999999", "limit=0", "limit=201"])
async def test_a_query_that_makes_no_sense_is_422(intake: Intake, query: str) -> None:
    assert (await intake.call("GET", f"{APPLICATIONS}?{query}"))[0] == 422


async def test_a_portal_reads_its_own_and_the_office_everybodys(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("H-12"))
    of_b = [await intake.call("GET", f"{APPLICATIONS}/H-12", portal="portal-b")]
    of_b += [await intake.call("GET", f"{APPLICATIONS}{more}", portal="portal-b") for more in ("?portal=portal-a",)]
    office = await intake.call("GET", f"{APPLICATIONS}/H-12?portal=portal-a", portal="office")
    office_list = await intake.call("GET", f"{APPLICATIONS}?application_id=H-12", portal="office")

    assert [status for status, _, _ in of_b] == [404, 403]
    assert office[1]["portal"] == office_list[1]["items"][0]["portal"] == "portal-a"


async def test_two_portals_may_use_the_same_id(intake: Intake) -> None:
    one = await intake.call("POST", APPLICATIONS, body=_named("H-13"))
    two = await intake.call("POST", APPLICATIONS, body=_named("H-13", {"/portal": "portal-b"}), portal="portal-b")

    assert (one[0], two[0]) == (202, 202)


async def test_of_many_at_once_with_one_id_exactly_one_content_is_accepted(
    intake: Intake, portal: PortalQueue, database_as: DatabaseAs
) -> None:
    """Both doors and many connections race for one id; the others are told that it is taken."""
    contents = [_named("H-14", {"/receiving_office": f"第{number}支店"}) for number in range(8)]
    sent, answered = await asyncio.gather(
        asyncio.gather(*(portal.send(content) for content in contents)),
        asyncio.gather(*(intake.call("POST", APPLICATIONS, body=content) for content in contents)),
    )

    def types() -> list[str]:
        told = [told for told in portal.answers if told.data.get("application_id") == "H-14"]
        return [one.type for one in told if one.data.get("message_id") in {*sent, None} or "lines" in one.data]

    await eventually(lambda: len(types()) >= 16)
    role = await database_as("intake")
    rows = await role.fetch("select outcome, count(*) from submission where application_id = 'H-14' group by 1")
    assert dict(map(tuple, rows))["accepted"] == 1
    statuses = sorted(status for status, _, _ in answered)
    assert set(statuses) <= {200, 202, 409}
    assert statuses.count(409) == 7
    assert types().count("intake.application_accepted.v1") == 2


async def test_a_rejection_over_http_is_told_to_the_queue_too(intake: Intake, portal: PortalQueue) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("H-15", {"/contract/price": 0}))
    (told,) = await portal.told(lambda told: told.data.get("application_id") == "H-15")

    assert told.type == "intake.application_rejected.v1"
    assert told.data["message_id"] is None
    assert json.dumps(told.data["problems"])
