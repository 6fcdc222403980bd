"""Portals read their own guarantees, the office reads all; keys leave only with a note of who looked."""

from datetime import datetime
from typing import Any

import pytest

from services.issuer.domain.guarantee import MAILS_PER_VERSION_MAX
from services.issuer.domain.states import Conclusion
from shared.logs import configure
from shared.messages.notifier import MailSent
from shared.signing import canonical, signed_content, verify
from tests.service.issuer.bench import Bench, accepted, arrived
from tests.service.issuer.conftest import Door
from tests.unit.issuer.samples import ADDRESS, ARRIVED_AT

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
        "issued_at": "2026-01-15T09:30:02.117000+09:00",
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


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
        {"kind": "bid"},
        {"contractor": "a\x00b"},
        {"issued_from": "5"},
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
            "issued_at": "2026-01-15T09:30:02.117000+09:00",
            "state": None,
        }
    ]


async def test_before_the_arrival_the_history_is_empty_for_a_portal_and_complete_for_the_office(
    bench: Bench, door: Door
) -> None:
    _, number, _ = await bench.take_in()
    _, ours, _ = await door.call("GET", f"{LIST}/{number}")
    _, offices, _ = await door.call("GET", f"{LIST}/{number}", caller="office")

    assert (ours["status_ja"], ours["history"]) == ("電子証書送信中", [])
    assert [(row["no"], row["version"], row["state"]) for row in offices["history"]] == [(None, 1, "in_transit")]


async def test_a_guarantee_that_waits_for_its_conclusion_can_be_read(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.take_in(Conclusion.CORE)
    status, body, _ = await door.call("GET", f"{LIST}/{number}")

    assert (status, body["status_ja"], body["completion_mail"]["wanted"]) == (200, "引受審査中", True)


@pytest.mark.parametrize(
    ("method", "below"),
    [("GET", ""), ("POST", "/auth-key"), ("GET", "/certificates/1"), ("POST", "/completion-mail")],
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


async def test_the_key_is_revealed_with_a_note_of_who_looked(
    bench: Bench, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("issuer")
    _, number, _ = await bench.issue()
    status, body, headers = await door.call("POST", f"{LIST}/{number}/auth-key", body={"viewer": " 三島 太郎 "})
    noted = await bench.pool.fetch("select portal, viewer from auth_key_reveal where guarantee_number = $1", number)
    line = next(line for line in capsys.readouterr().out.splitlines() if "auth_key.revealed" in line)

    sealed = (await bench.row(number))["sealed_auth_key"]
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert body == {"guarantee_number": number, "auth_key": bench.means().ring.open(sealed, associated=number)}
    assert [tuple(row) for row in noted] == [("portal-a", "三島 太郎")]
    assert "三島 太郎" in line
    assert body["auth_key"] not in line


async def test_a_key_is_not_revealed_before_the_arrival_nor_without_a_viewer(bench: Bench, door: Door) -> None:
    _, number, paper = await bench.take_in()
    early = await door.call("POST", f"{LIST}/{number}/auth-key", body={"viewer": "三島 太郎"})
    on_paper = await door.call("POST", f"{LIST}/{paper}/auth-key", body={"viewer": "三島 太郎"})
    answers = [await door.call("POST", f"{LIST}/{number}/auth-key", body=body) for body in ({}, {"viewer": " "}, b"{")]
    noted = await bench.pool.fetchval("select count(*) from auth_key_reveal where guarantee_number = $1", number)

    assert (early[0], early[1]["code"]) == (409, "not_issued")
    assert (on_paper[0], on_paper[1]["code"]) == (409, "not_issued")
    assert [(status, body["errors"][0]["pointer"]) for status, body, _ in answers] == [
        (422, "/viewer"),
        (422, "/viewer"),
        (422, ""),
    ]
    assert noted == 0


async def test_a_body_that_is_too_large_is_refused(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()

    assert (await door.call("POST", f"{LIST}/{number}/auth-key", body={"viewer": "三" * 4096}))[0] == 413


async def test_the_certificate_is_signed_data_that_verifies_with_the_published_keys(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, certificate, _ = await door.call("GET", f"{LIST}/{number}/certificates/1")
    status, jwks, headers = await door.call("GET", "/.well-known/jwks.json", caller="")

    assert (status, headers["cache-control"]) == (200, "public, max-age=300")
    assert "auth_key" not in certificate
    assert verify(canonical(signed_content(certificate)), certificate["signature"], jwks)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/pdf, */*;q=0.1", 200),
        ("application/pdf", 406),
        ("application/pdf, application/json;q=0", 406),
    ],
)
async def test_a_certificate_is_served_as_json_only(bench: Bench, door: Door, accept: str, status: int) -> None:
    _, number, _ = await bench.issue()

    assert (await door.call("GET", f"{LIST}/{number}/certificates/1", headers={"Accept": accept}))[0] == status


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


def sent(application_id: str, number: str) -> MailSent:
    return MailSent(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=1,
        message_id="<m@guarantor.example>",
        sent_at=ARRIVED_AT,
    )


async def test_a_mail_is_sent_again_as_another_occasion_of_which_the_portal_hears_nothing(
    bench: Bench, door: Door
) -> None:
    application_id, number, _ = await bench.issue()
    await bench.hear(sent(application_id, number))
    status, body, _ = await door.call("POST", f"{LIST}/{number}/completion-mail", body={"address": "soumu@a.example"})
    first, second = await bench.announced(application_id, "guarantee_issued")

    assert (status, body) == (202, {"wanted": True, "state": "waiting"})
    assert first.message_id != second.message_id
    assert (first.subject, first.data["issued_at"]) == (second.subject, second.data["issued_at"])
    assert first.data["completion_mail"]["address"] == ADDRESS
    assert second.data["completion_mail"]["address"] == "soumu@a.example"
    assert len(await bench.announced(application_id, "guarantee_issued", to_portal=True)) == 1


async def test_a_mail_that_waits_is_not_doubled(bench: Bench, door: Door) -> None:
    application_id, number, _ = await bench.issue()
    answers = [await door.call("POST", f"{LIST}/{number}/completion-mail", body=body) for body in (None, b"", b"{}")]

    assert [(status, body["state"]) for status, body, _ in answers] == [(202, "waiting")] * 3
    assert len(await bench.announced(application_id, "guarantee_issued")) == 1


async def test_a_mail_that_cannot_be_sent_is_refused_with_the_reason(bench: Bench, door: Door) -> None:
    _, early, _ = await bench.take_in()
    _, unwished, _ = await bench.issue(completion_mail={"wanted": False, "address": None})

    async def asked(number: str, body: Any = None) -> tuple[int, str]:
        status, told, _ = await door.call("POST", f"{LIST}/{number}/completion-mail", body=body)
        return status, told["errors"][0]["code"] if "errors" in told else told.get("code", "")

    assert await asked(early) == (409, "not_issued")
    assert await asked(unwished) == (422, "mail_address_needed")
    assert await asked(unwished, {"address": "nobody at all"}) == (422, "field_invalid")
    assert await asked(unwished, {"address": ADDRESS}) == (202, "")


async def test_mails_about_one_version_have_a_limit(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    await bench.pool.execute(
        "update version set mail_state = 'sent', mail_ordinal = $2 where guarantee_number = $1",
        number,
        MAILS_PER_VERSION_MAX,
    )
    status, body, headers = await door.call("POST", f"{LIST}/{number}/completion-mail", body={})

    assert (status, body["code"]) == (429, "too_many_mails")
    assert int(headers["retry-after"]) > 0


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
