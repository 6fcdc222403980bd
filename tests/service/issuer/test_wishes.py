"""A key leaves only with a note of who looked, and a mail is wished again without ever being doubled."""

from typing import Any

import pytest
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.issuer.domain.mails import MAILS_PER_VERSION_MAX
from services.issuer.web import reveal
from shared.messages.notifier import MailSent
from tests.service.issuer.bench import Bench
from tests.service.issuer.conftest import Door
from tests.unit.issuer.samples import ADDRESS, ARRIVED_AT

LIST = "/v1/guarantees"


def kept_in(lines: list[str]) -> Processor:
    """A processor that keeps every line of a log, as text."""

    def keep(logger: WrappedLogger, method: str, event: EventDict) -> str:
        lines.append(str(event))
        return lines[-1]

    return keep


async def test_the_key_is_revealed_with_a_note_of_who_looked(
    bench: Bench, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(reveal, "logger", structlog.wrap_logger(structlog.ReturnLogger(), processors=[kept_in(lines)]))
    _, number, _ = await bench.issue()
    status, body, headers = await door.call("POST", f"{LIST}/{number}/auth-key", body={"viewer": " 三島 太郎 "})
    asked = "select portal, viewer, address from auth_key_reveal where guarantee_number = $1"
    noted = await bench.pool.fetch(asked, number)
    (line,) = lines

    sealed = (await bench.row(number))["sealed_auth_key"]
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert body == {"guarantee_number": number, "auth_key": bench.means().ring.open(sealed, associated=number)}
    assert [tuple(row) for row in noted] == [("portal-a", "三島 太郎", "127.0.0.1")]
    assert "三島 太郎" in line
    assert "127.0.0.1" in line
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
    _, told, _ = await door.call("POST", f"{LIST}/{unwished}/completion-mail", body={"address": "nobody at all"})
    assert told["errors"][0]["message_ja"] == "送信できるメールアドレスではありません。"
    assert told["errors"][0]["message_en"] == "This is not a mail address we can send to."
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
