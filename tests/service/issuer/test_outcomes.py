"""What became outside of certificates and mails is recorded, and told."""

import asyncio
from datetime import timedelta

from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import CertificateHeld, CertificateRefused, CertificateReleased
from tests.service.issuer.bench import Bench, arrived
from tests.unit.issuer.samples import ADDRESS, ARRIVED_AT


def refused(application_id: str, number: str) -> CertificateRefused:
    return CertificateRefused(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=1,
        problem_type="certificate-refused",
        detail="発注者コードを確認してください。",
        refused_at=ARRIVED_AT,
    )


def sent(application_id: str, number: str) -> MailSent:
    return MailSent(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=1,
        message_id="<m@guarantor.example>",
        sent_at=ARRIVED_AT,
    )


def bounced(application_id: str, number: str) -> MailRefused:
    return MailRefused(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=1,
        message_id="<m@guarantor.example>",
        smtp_code=550,
        reason="no such user",
        refused_at=ARRIVED_AT,
    )


async def test_the_arrival_time_of_the_platform_becomes_the_time_of_issue(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    row = await bench.row(number)
    [issued] = await bench.announced(application_id, "guarantee_issued")

    assert row["issued_at"] == row["arrived_at"] == ARRIVED_AT
    assert (row["version_state"], row["certificate_id"], row["mail_state"]) == ("arrived", f"c-{number}", "waiting")
    assert issued.data["completion_mail"] == {"wanted": True, "address": ADDRESS}
    assert (issued.data["contractor_name"], issued.data["product_name"]) == ("○○建設 株式会社", "前払金保証")


async def test_the_portal_is_told_of_the_issue_without_the_mails_data(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    [told] = await bench.announced(application_id, "guarantee_issued", to_portal=True)
    changes = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert set(told.data) == {
        *("portal", "application_id", "guarantee_number", "kind", "version", "version_kind", "issued_at"),
        "change_id",
    }
    assert told.data["change_id"] is None
    assert [one.data["to"] for one in changes if one.subject == number] == ["in_transit", "active"]


async def test_the_first_arrival_stands_whatever_comes_later(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    later = arrived(application_id, number, arrived_at=ARRIVED_AT + timedelta(hours=1), certificate_id="c-other")
    parked = await bench.hear(arrived(application_id, number), later)
    parked += await bench.hear(later)
    row = await bench.row(number)

    assert parked == []
    assert (row["issued_at"], row["certificate_id"]) == (ARRIVED_AT, f"c-{number}")
    assert len(await bench.announced(application_id, "guarantee_issued")) == 1


async def test_arrivals_of_what_is_not_known_are_parked_and_their_neighbours_recorded(bench: Bench) -> None:
    application_id, number, paper = await bench.take_in()
    parked = await bench.hear(
        arrived(application_id, "99999-999999"),
        arrived(application_id, number, version=2),
        arrived(application_id, paper),
        arrived(application_id, number),
    )

    assert parked == [
        ("99999-999999/1", "unknown_guarantee"),
        (f"{number}/2", "unknown_version"),
        (f"{paper}/1", "version_not_in_transit"),
    ]
    assert (await bench.row(number))["version_state"] == "arrived"


async def test_a_refusal_is_final_and_told_with_a_problem(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    parked = await bench.hear(refused(application_id, number), refused(application_id, number))
    late = await bench.hear(arrived(application_id, number))
    row = await bench.row(number)
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert (parked, late) == ([], [(f"{number}/1", "version_not_in_transit")])
    assert (row["version_state"], row["issued_at"]) == ("refused", None)
    assert row["refusal"] == "certificate-refused: 発注者コードを確認してください。"
    assert [one.data["to"] for one in told if one.subject == number] == ["in_transit", "refused_by_platform"]
    assert [problem["code"] for problem in told[-1].data["problems"]] == ["refused_by_platform"]
    assert not await bench.announced(application_id, "guarantee_issued")


async def test_what_became_of_the_mail_is_kept(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    await bench.hear(bounced(application_id, number))
    first = await bench.row(number)
    await bench.hear(sent(application_id, number), sent(application_id, number))
    second = await bench.row(number)

    assert (first["mail_state"], first["mail_refusal"]) == ("refused", "550 no such user")
    assert (second["mail_state"], second["mail_refusal"]) == ("sent", None)


async def test_news_of_a_mail_that_nobody_wished_is_parked(bench: Bench) -> None:
    application_id, number, _ = await bench.issue(completion_mail={"wanted": False, "address": None})

    assert (await bench.row(number))["mail_state"] == "none"
    assert await bench.hear(sent(application_id, number)) == [(f"{number}/1", "no_mail_wished")]


async def test_batches_that_hear_of_the_same_guarantees_in_other_orders_do_not_block_each_other(bench: Bench) -> None:
    taken = [await bench.issue() for _ in range(10)]
    numbers = [(application_id, number) for application_id, number, _ in taken]
    await asyncio.gather(
        bench.hear(*(sent(*one) for one in numbers)),
        bench.hear(*(arrived(*one) for one in reversed(numbers))),
        bench.hear(*(bounced(*one) for one in reversed(numbers))),
    )

    states = {(await bench.row(number))["mail_state"] for _, number in numbers}
    assert states == {"sent"}


async def test_announcements_carry_the_trace_of_their_cause(bench: Bench) -> None:
    application_id, _, _ = await bench.issue()
    bodies = await bench.pool.fetch(
        "select convert_from(body, 'utf8') as body from outbox where correlation = $1 and length(body) > 0"
        " and exchange = 'hosho.events'",
        f"portal-a/{application_id}",
    )

    assert len(bodies) == 3
    assert all("00-0af7651916cd43dd8448eb211c80319c" in row["body"] for row in bodies)


async def test_a_held_certificate_is_told_as_such_until_it_goes_on(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    named = arrived(application_id, number).model_dump()
    held = CertificateHeld.model_validate(named | {"reason": "an odd time of arrival", "held_at": ARRIVED_AT})
    released = CertificateReleased.model_validate(named | {"released_at": ARRIVED_AT + timedelta(minutes=1)})
    parked = await bench.hear(held, held)
    waiting = await bench.pool.fetchval("select hold_reason from version where guarantee_number = $1", number)
    parked += await bench.hear(released)
    parked += await bench.hear(held)
    parked += await bench.hear(arrived(application_id, number))
    parked += await bench.hear(held)
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert (parked, waiting) == ([], "an odd time of arrival")
    assert [one.data["to"] for one in told if one.subject == number] == ["in_transit", "held", "in_transit", "active"]
    assert "odd" not in str([one.data for one in told])


async def test_late_news_of_the_first_mail_does_not_settle_the_second(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    await bench.pool.execute("update version set mail_ordinal = 2 where guarantee_number = $1", number)
    await bench.hear(bounced(application_id, number))
    after_the_first = await bench.row(number)
    await bench.hear(sent(application_id, number).model_copy(update={"ordinal": 2}))

    assert (after_the_first["mail_state"], after_the_first["mail_refusal"]) == ("waiting", None)
    assert (await bench.row(number))["mail_state"] == "sent"
