"""The change door, both doors: what the contract promises for each answer, and what the issuer hears of a good one."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage

from services.intake import handlers
from services.intake.handlers.sent import Sent
from shared import clock, topology
from shared.messages.intake import ChangeAccepted
from shared.work import unit_of_work
from tests.eventually import eventually
from tests.service.conftest import BrokerAs, DatabaseAs
from tests.service.intake.conftest import Intake, PortalQueue
from tests.unit.intake.changes import CHANGE, CORRECTION
from tests.unit.intake.samples import EXAMPLE, REGISTRY, body_of, changed

ACCEPTED = "intake.change_accepted.v1"
REJECTED = "intake.change_rejected.v1"
CHANGES = "/v1/changes"
WORD = "change.requested"


def _named(name: str, changes: dict[str, Any] | None = None, base: dict[str, Any] = CHANGE) -> bytes:
    return body_of(changed({"/change_id": name, **(changes or {})}, base))


async def test_a_good_change_is_accepted_and_the_portal_gets_the_published_shape(portal: PortalQueue) -> None:
    await portal.send(_named("C-1"), word=WORD)
    (told,) = await portal.told(lambda told: told.data.get("change_id") == "C-1")

    assert told.type == ACCEPTED
    assert set(told.data) == {"portal", "change_id", "guarantee_number", "accepted_at", "remarks"}
    assert told.data["guarantee_number"] == "00000-000001"
    assert told.headers["cloudEvents_subject"] == "portal-a/C-1"


async def test_what_is_announced_of_a_change_is_its_normalised_form(intake: Intake) -> None:
    run = clock.random_text("abcdefghij", 8)
    body = _named(run, {"/works_until": "令和8年12月25日", "/completion_mail/wanted": False})
    async with unit_of_work(intake.running.desk(), topology.door_queue("portal-a")) as work:
        await handlers.answer_all(REGISTRY, [Sent("portal-a", WORD, body, run)], work)
        inside = [row for row in work.announcements if row.type == ACCEPTED and row.journalled]
    kept = await _kept(intake, run)

    assert len(inside) == 1
    assert kept.change["works_until"] == "2026-12-25"
    assert kept.change["completion_mail"] == {"wanted": False, "address": None}
    assert set(kept.change) == set(CHANGE)


async def _kept(intake: Intake, name: str) -> ChangeAccepted:
    async with intake.service.pool.acquire() as connection:
        answer = await connection.fetchval(
            "select answer::text from change_submission where change_id = $1 and outcome = 'accepted'", name
        )
    return ChangeAccepted.model_validate_json(answer)


async def test_the_same_content_gets_the_same_answer_again(portal: PortalQueue) -> None:
    await portal.send(_named("C-2"), word=WORD)
    await portal.told(lambda told: told.data.get("change_id") == "C-2")
    later = changed({"/change_id": "C-2", "/submitted_at": "2026-06-02T00:00:00Z"}, CHANGE)
    await portal.send(body_of(dict(reversed(later.items()))), word=WORD)
    first, second = await portal.told(lambda told: told.data.get("change_id") == "C-2", 2)

    assert (first.type, first.id, first.data) == (second.type, second.id, second.data)


async def test_other_content_under_an_accepted_id_is_rejected_and_the_first_stands(
    portal: PortalQueue, intake: Intake
) -> None:
    await portal.send(_named("C-3"), word=WORD)
    await portal.told(lambda told: told.data.get("change_id") == "C-3")
    told = await portal.answer_to(await portal.send(_named("C-3", {"/amount": 1}), word=WORD))
    read = await intake.call("GET", f"{CHANGES}/C-3")

    assert told.type == REJECTED
    assert told.data["guarantee_number"] == "00000-000001"
    assert told.data["problems"] == [
        {
            "code": "change_id_taken",
            "pointer": "/change_id",
            "message_ja": "この変更番号は別の内容で受付済です。",
            "message_en": "This change id was accepted with other content.",
        }
    ]
    assert (read[1]["outcome"], read[1]["change"]["amount"]) == ("accepted", 24_000_000)


async def test_a_change_and_an_application_may_bear_the_same_id(intake: Intake) -> None:
    application = await intake.call("POST", "/v1/applications", body=body_of({**EXAMPLE, "application_id": "C-4"}))
    change = await intake.call("POST", CHANGES, body=_named("C-4"))

    assert (application[0], change[0]) == (202, 202)


async def test_a_rejected_change_tells_everything_and_occupies_nothing(portal: PortalQueue) -> None:
    wrong = {"/base_version": 0, "/price": None, "/amount": None}
    told = await portal.answer_to(await portal.send(_named("C-5", wrong), word=WORD))
    unreadable = await portal.answer_to(await portal.send(b"[]", word=WORD))
    await portal.send(_named("C-5"), word=WORD)
    (accepted,) = await portal.told(lambda told: told.data.get("change_id") == "C-5" and told.type == ACCEPTED)

    assert [problem["code"] for problem in told.data["problems"]] == ["base_version_not_positive", "changes_nothing"]
    assert (unreadable.data["change_id"], unreadable.data["guarantee_number"]) == (None, None)
    assert [problem["code"] for problem in unreadable.data["problems"]] == ["body_not_an_object"]
    assert accepted.data["remarks"] == []


async def test_over_http_a_change_is_202_then_200_then_409(intake: Intake) -> None:
    first = await intake.call("POST", CHANGES, body=_named("C-6"))
    again = await intake.call("POST", CHANGES, body=_named("C-6", {"/submitted_at": "2026-06-02T00:00:00Z"}))
    other = await intake.call("POST", CHANGES, body=_named("C-6", {"/amount": 1}))
    bad = await intake.call("POST", CHANGES, body=_named("C-6-bad", {"/amount": 0}))

    assert (first[0], again[0], other[0], bad[0]) == (202, 200, 409, 422)
    assert first[1] == again[1] == {"change_id": "C-6", "status_url": "/v1/changes/C-6", "remarks": []}
    assert other[2]["content-type"] == "application/problem+json"
    assert [problem["pointer"] for problem in bad[1]["errors"]] == ["/amount"]


async def test_the_office_corrects_and_a_portal_does_not(intake: Intake) -> None:
    office = await intake.call("POST", CHANGES, body=_named("C-7", base=CORRECTION), portal="office")
    portal = await intake.call("POST", CHANGES, body=_named("C-7", {"/portal": "portal-a"}, CORRECTION))

    assert (office[0], portal[0]) == (202, 422)
    assert [problem["code"] for problem in portal[1]["errors"]] == ["missing", "version_kind_for_office_only"]


async def test_a_check_judges_and_stores_nothing(intake: Intake, database_as: DatabaseAs) -> None:
    good = await intake.call("POST", f"{CHANGES}/check", body=_named("C-8", {"/works_until": "R8.12.25"}))
    bad = await intake.call("POST", f"{CHANGES}/check", body=_named("C-8", {"/amount": 0}))
    role = await database_as("intake")

    assert (good[0], bad[0]) == (200, 422)
    assert good[1]["change"]["works_until"] == "2026-12-25"
    assert await role.fetchval("select count(*) from change_submission where change_id = 'C-8'") == 0
    await intake.call("POST", CHANGES, body=_named("C-8"))
    taken = await intake.call("POST", f"{CHANGES}/check", body=_named("C-8", {"/amount": 1}))
    assert taken[0] == 409


async def test_changes_are_read_back_by_id_by_guarantee_and_by_their_own_portal_only(intake: Intake) -> None:
    number = {"/guarantee_number": "00009-000009"}
    for name, more in (("C-9-1", number), ("C-9-2", {**number, "/amount": 0}), ("C-9-3", number)):
        await intake.call("POST", CHANGES, body=_named(name, more))
    listed = await intake.call("GET", f"{CHANGES}?guarantee_number=00009-000009&limit=2")
    older = await intake.call("GET", f"{CHANGES}?guarantee_number=00009-000009&cursor={listed[1]['next_cursor']}")
    foreign = await intake.call("GET", f"{CHANGES}?guarantee_number=00009-000009", portal="portal-b")
    office = await intake.call("GET", f"{CHANGES}?guarantee_number=00009-000009&outcome=accepted", portal="office")
    one = await intake.call("GET", f"{CHANGES}/C-9-2")

    assert [item["change_id"] for item in listed[1]["items"]] == ["C-9-3", "C-9-2"]
    assert [item["change_id"] for item in older[1]["items"]] == ["C-9-1"]
    assert (older[1]["next_cursor"], foreign[1]["items"]) == (None, [])
    assert [item["change_id"] for item in office[1]["items"]] == ["C-9-3", "C-9-1"]
    assert (one[1]["outcome"], one[1]["change"], one[1]["problems"][0]["code"]) == ("rejected", None, "not_positive")
    assert (await intake.call("GET", f"{CHANGES}/C-9-1", portal="portal-b"))[0] == 404
    assert (await intake.call("GET", f"{CHANGES}/C-9-1?portal=portal-a", portal="office"))[1]["change"]["amount"]
    assert (await intake.call("GET", f"{CHANGES}/C-9-1?portal=portal-a", portal="portal-b"))[0] == 403


async def test_of_many_at_once_with_one_id_exactly_one_content_is_accepted(
    intake: Intake, portal: PortalQueue, database_as: DatabaseAs
) -> None:
    contents = [_named("C-10", {"/amount": 1 + number}) for number in range(6)]
    _, answered = await asyncio.gather(
        asyncio.gather(*(portal.send(content, word=WORD) for content in contents)),
        asyncio.gather(*(intake.call("POST", CHANGES, body=content) for content in contents)),
    )
    role = await database_as("intake")

    def told() -> int:
        return len([one for one in portal.answers if one.data.get("change_id") == "C-10"])

    await eventually(lambda: told() >= 2 * len(contents))
    rows = await role.fetch("select outcome, count(*) from change_submission where change_id = 'C-10' group by 1")
    assert dict(map(tuple, rows))["accepted"] == 1
    assert [status for status, _, _ in answered].count(409) == len(contents) - 1


async def test_the_database_itself_keeps_an_accepted_id_from_being_taken_twice(
    intake: Intake, database_as: DatabaseAs
) -> None:
    await intake.call("POST", CHANGES, body=_named("C-11"))
    role = await database_as("intake")
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await role.execute(
            "insert into change_submission (answer_id, portal, change_id, outcome, content_sha256, answered_at, answer,"
            " body) select gen_random_uuid(), portal, change_id, outcome, 'x', answered_at, answer, body"
            " from change_submission where change_id = 'C-11'"
        )

    assert refused.value.constraint_name == "an_accepted_change_occupies_its_id"


async def test_what_cannot_be_read_is_parked_besides(portal: PortalQueue, broker_as: BrokerAs) -> None:
    message_id = await portal.send(b'{"change_id": ', word=WORD)
    await portal.answer_to(message_id)
    channel = await (await broker_as("ops")).channel()
    queue = await channel.get_queue(topology.PARKED_QUEUE, ensure=False)
    parked: list[dict[str, Any]] = []

    async def note(message: AbstractIncomingMessage) -> None:
        parked.append(json.loads(message.body))
        await message.ack()

    await queue.consume(note)
    await eventually(lambda: any(record.get("message_id") == message_id for record in parked))
