"""Accepted applications become guarantees, keys, certificates and paper orders."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from services.issuer.domain.states import Conclusion
from services.issuer.handlers.conclusion import CONCLUDED_AHEAD_MAX, DECISION_BYTES_MAX
from shared import clock
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.problems import Problem
from shared.signing import verify
from tests.service.issuer.bench import ELECTRONIC, PAPER, Bench, accepted

CONCLUDED_AT = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
DECLINED = Problem(code="underwriting_declined", pointer="", message_ja="お引受できません。", message_en="Declined.")


def concluded_by_core(application_id: str, kind: str = ELECTRONIC) -> GuaranteeConcluded:
    return GuaranteeConcluded.model_validate(
        {"portal": "portal-a", "application_id": application_id, "kind": kind, "concluded_at": CONCLUDED_AT}
    )


def declined_by_core(application_id: str, kind: str = ELECTRONIC) -> GuaranteeDeclined:
    return GuaranteeDeclined.model_validate(
        {
            "portal": "portal-a",
            "application_id": application_id,
            "kind": kind,
            "declined_at": CONCLUDED_AT,
            "problems": [DECLINED],
            "message_from_guarantor": "ご連絡ください。",
        }
    )


async def test_an_electronic_line_gets_a_sealed_key_and_a_signed_certificate_at_once(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    row, means = await bench.row(number), bench.means()
    [created] = await bench.announced(application_id, "certificate_created")

    certificate = json.loads(row["certificate"])
    assert certificate["guarantee_number"] == number
    assert certificate["guarantor"] == "○○建設業保証株式会社"
    assert verify(row["certificate"].encode(), row["signature"], means.signing.jwks())
    assert len(means.ring.open(row["sealed_auth_key"], associated=number)) == 12
    assert created.subject == f"{number}/1"
    assert {name: created.data[name] for name in ("certificate", "content_sha256", "signature", "sealed_auth_key")} == {
        name: row[name] for name in ("certificate", "content_sha256", "signature", "sealed_auth_key")
    }
    assert datetime.fromisoformat(created.data["concluded_at"]) == datetime.fromisoformat(certificate["concluded_at"])


async def test_the_key_stands_nowhere_in_clear(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    auth_key = bench.means().ring.open((await bench.row(number))["sealed_auth_key"], associated=number)
    tables = await bench.pool.fetch(
        """
        select g::text || v::text as stored from guarantee g join version v using (guarantee_number)
         where application_id = $1
        union all select convert_from(body, 'utf8') from outbox where correlation = $2
        """,
        application_id,
        f"portal-a/{application_id}",
    )

    assert len(tables) > 3
    assert not [row["stored"] for row in tables if auth_key in row["stored"]]


async def test_a_paper_line_is_ordered_at_the_office_and_has_neither_key_nor_certificate(bench: Bench) -> None:
    application_id, _, number = await bench.take_in()
    row = await bench.row(number)
    [ordered] = await bench.announced(application_id, "paper_ordered")

    assert (row["version_state"], row["sealed_auth_key"], row["certificate"]) == ("ordered", None, None)
    assert (ordered.data["guarantee_number"], ordered.data["receiving_office"]) == (number, "静岡支店")
    assert not await bench.announced(application_id, "paper_ordered", to_portal=True)


async def test_the_portal_is_told_number_and_status_of_each_line_and_never_the_sealed_key(bench: Bench) -> None:
    application_id, electronic, paper = await bench.take_in()
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert {
        (one.data["guarantee_number"], one.data["from"], one.data["to"], one.data["status_ja"]) for one in told
    } == {
        (electronic, "requested", "in_transit", "電子証書送信中"),
        (paper, "requested", "paper_ordered", "証書作成中"),
    }
    assert not await bench.announced(application_id, "certificate_created", to_portal=True)


async def test_a_batch_gives_every_line_a_number_of_its_own_in_the_order_of_the_facts(bench: Bench) -> None:
    messages = [accepted() for _ in range(20)]
    await bench.hear(*messages)
    numbers = [await bench.numbers(message.application_id) for message in messages]

    given = [one[kind] for one in numbers for kind in (ELECTRONIC, PAPER)]
    assert len(set(given)) == 40
    assert given == sorted(given)


async def test_the_same_application_again_changes_nothing_and_tells_nothing(bench: Bench) -> None:
    message = accepted()
    await bench.hear(message, message)
    before = await bench.numbers(message.application_id)
    await bench.hear(message)

    assert await bench.numbers(message.application_id) == before
    assert len(await bench.announced(message.application_id, "certificate_created")) == 1
    assert len(await bench.announced(message.application_id, "guarantee_status_changed", to_portal=True)) == 2


async def test_two_processes_that_hear_one_application_make_one_guarantee(bench: Bench) -> None:
    messages = [accepted() for _ in range(10)]
    await asyncio.gather(bench.hear(*messages), bench.hear(*reversed(messages)))

    for message in messages:
        assert len(await bench.numbers(message.application_id)) == 2
        assert len(await bench.announced(message.application_id, "certificate_created")) == 1


async def test_a_form_that_cannot_be_read_is_parked_and_its_neighbours_go_on(bench: Bench) -> None:
    bad, good = accepted(contract__price="many"), accepted()
    parked = await bench.hear(bad, good)

    assert parked == [(f"portal-a/{bad.application_id}", "invalid_form")]
    assert not await bench.numbers(bad.application_id)
    assert await bench.numbers(good.application_id)


async def test_a_key_that_another_guarantee_has_is_drawn_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _, number, _ = await bench.take_in()
    taken = bench.means().ring.open((await bench.row(number))["sealed_auth_key"], associated=number)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "random_text", lambda _alphabet, _length: taken)
        message = accepted()
        with pytest.raises(Exception, match="drew the same authentication key") as raised:
            await bench.hear(message)

    assert type(raised.value).__name__ == "AuthKeyTaken"
    assert not await bench.numbers(message.application_id)
    await bench.hear(message)
    assert len(await bench.numbers(message.application_id)) == 2


async def test_with_the_core_system_a_guarantee_waits_until_it_is_concluded(bench: Bench) -> None:
    application_id, number, paper = await bench.take_in(Conclusion.CORE)
    waiting = await bench.row(number)
    parked = await bench.hear(concluded_by_core(application_id), concluded_by_core(application_id, PAPER))
    row = await bench.row(number)
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert (waiting["state"], waiting["sealed_auth_key"], waiting["version_state"]) == (
        "awaiting_conclusion",
        None,
        None,
    )
    assert (parked, row["state"], row["version_state"]) == ([], "active", "in_transit")
    assert json.loads(row["certificate"])["concluded_at"] == "2026-01-15T11:00:00.000+09:00"
    assert [one.data["to"] for one in told if one.subject == number] == ["awaiting_conclusion", "in_transit"]
    assert (await bench.row(paper))["version_state"] == "ordered"
    assert len(await bench.announced(application_id, "certificate_created")) == 1
    assert len(await bench.announced(application_id, "paper_ordered")) == 1


async def test_a_declined_guarantee_is_told_with_its_reasons(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in(Conclusion.CORE)
    await bench.hear(declined_by_core(application_id))
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    last = next(one.data for one in reversed(told) if one.subject == number)
    assert (last["from"], last["to"], last["status_ja"]) == ("awaiting_conclusion", "declined", "お引受できません")
    assert (last["problems"], last["message_from_guarantor"]) == ([DECLINED.model_dump()], "ご連絡ください。")
    assert (await bench.row(number))["sealed_auth_key"] is None


async def test_repeats_of_the_core_system_are_ignored_and_contradictions_parked(bench: Bench) -> None:
    application_id, _, _ = await bench.take_in(Conclusion.CORE)
    parked = await bench.hear(concluded_by_core(application_id), concluded_by_core(application_id))
    against = await bench.hear(declined_by_core(application_id))
    unknown = await bench.hear(concluded_by_core("A-nobody-knows"))

    assert parked == []
    assert against == [(f"portal-a/{application_id}", "contradicts_decision")]
    assert unknown == [("portal-a/A-nobody-knows", "unknown_guarantee")]
    assert len(await bench.announced(application_id, "certificate_created")) == 1


async def test_a_decision_too_long_for_one_message_is_parked_and_moves_nothing(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in(Conclusion.CORE)
    decision = concluded_by_core(application_id)
    parked = await bench.hear(decision.model_copy(update={"message_from_guarantor": "長" * DECISION_BYTES_MAX}))
    waiting = await bench.row(number)
    await bench.hear(decision.model_copy(update={"message_from_guarantor": "長" * 20_000}))

    assert parked == [(f"portal-a/{application_id}", "decision_too_long")]
    assert waiting["state"] == "awaiting_conclusion"
    assert (await bench.row(number))["state"] == "active"


async def test_a_conclusion_after_an_automatic_one_is_a_repeat(bench: Bench) -> None:
    application_id, _, _ = await bench.take_in()

    assert await bench.hear(concluded_by_core(application_id)) == []
    assert len(await bench.announced(application_id, "certificate_created")) == 1


async def test_a_conclusion_that_lies_ahead_of_our_clock_is_parked(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in(Conclusion.CORE)
    ahead = clock.now() + CONCLUDED_AHEAD_MAX * 2
    parked = await bench.hear(concluded_by_core(application_id).model_copy(update={"concluded_at": ahead}))

    assert parked == [(f"portal-a/{application_id}", "concluded_in_the_future")]
    assert (await bench.row(number))["state"] == "awaiting_conclusion"
