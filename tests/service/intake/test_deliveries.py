"""The door over AMQP: every delivery is answered, and the answer is the contract's."""

import json
import re
import uuid
from typing import Any

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage

from services.intake.handlers.sent import Sent
from shared import topology
from shared.envelope import Fact, decode_pack, encode
from tests.eventually import eventually
from tests.service.conftest import BrokerAs, DatabaseAs
from tests.service.intake.conftest import Intake, PortalQueue, Told
from tests.unit.intake.samples import body_of, changed

ACCEPTED = "intake.application_accepted.v1"
REJECTED = "intake.application_rejected.v1"
CONFLICTED = "intake.application_conflicted.v1"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00"


def _named(name: str, **changes: Any) -> bytes:
    return body_of(changed({"/application_id": name, **{f"/{key}": value for key, value in changes.items()}}))


async def test_a_good_application_is_accepted_and_everybody_hears_of_it(
    portal: PortalQueue, broker_as: BrokerAs
) -> None:
    body = body_of(changed({"/application_id": "D-1", "/guarantees/0/depository": "○○銀行 ××支店"}))
    await portal.send(body)
    (told,) = await portal.told(lambda told: told.data.get("application_id") == "D-1")

    assert told.type == ACCEPTED
    assert set(told.data) == {"application_id", "portal", "accepted_at", "remarks", "lines"}
    assert told.data["lines"] == [
        {"kind": "advance_payment", "certificate_form": "electronic"},
        {"kind": "contract_performance", "certificate_form": "paper"},
    ]
    assert [remark["code"] for remark in told.data["remarks"]] == ["depository_normalised"]
    assert told.headers["cloudEvents_subject"] == "portal-a/D-1"
    fact = await _heard_by_the_issuer(broker_as, "D-1")
    assert str(fact.id) == told.id
    form, terms = json.loads(fact.data)["application"], json.loads(fact.data)["terms"]
    assert form["guarantees"][0]["depository"] == "○○銀行\u3000××支店"
    assert form["contract"] == json.loads(body)["contract"]
    assert (terms["obligee_name"], terms["electronic_since"]) == ("三島市長", "2026-01-01")
    assert re.fullmatch(MOMENT, told.data["accepted_at"])


async def _heard_by_the_issuer(broker_as: BrokerAs, name: str) -> Fact:
    channel = await (await broker_as("issuer")).channel()
    queue = await channel.get_queue(topology.queue_of("issuer", ACCEPTED), ensure=False)
    heard: list[Fact] = []

    async def note(message: AbstractIncomingMessage) -> None:
        heard.extend(fact for fact in decode_pack(message.body) if isinstance(fact, Fact))
        await message.ack()

    await queue.consume(note)
    await eventually(lambda: any(fact.subject.endswith(f"/{name}") for fact in heard))
    return next(fact for fact in heard if fact.subject.endswith(f"/{name}"))


async def test_the_same_content_gets_the_same_answer_again(portal: PortalQueue) -> None:
    await portal.send(_named("D-2"))
    await portal.told(lambda told: told.data.get("application_id") == "D-2")
    document = changed({"/application_id": "D-2", "/submitted_at": "2026-01-16T00:00:00Z"})
    await portal.send(body_of(dict(reversed(document.items()))))
    first, second = await portal.told(lambda told: told.data.get("application_id") == "D-2", 2)

    assert (first.type, first.id, first.data) == (second.type, second.id, second.data)


async def test_other_content_under_an_accepted_id_is_conflicted_and_the_first_stands(portal: PortalQueue) -> None:
    await portal.send(_named("D-3"))
    await portal.told(lambda told: told.data.get("application_id") == "D-3")
    other = await portal.send(_named("D-3", receiving_office="沼津支店"))
    told = await portal.answer_to(other)

    assert told.type == CONFLICTED
    assert told.correlation_id == "D-3"
    assert told.data == {
        "portal": "portal-a",
        "application_id": "D-3",
        "message_id": other,
        "problems": [
            {
                "code": "application_id_taken",
                "pointer": "/application_id",
                "message_ja": "この申込番号は別の内容で受付済です。",
                "message_en": "This application id was accepted with other content.",
            }
        ],
    }


async def test_a_rejected_application_occupies_nothing(portal: PortalQueue) -> None:
    wrong = await portal.send(_named("D-4", receiving_office=""))
    told = await portal.answer_to(wrong)
    await portal.send(_named("D-4"))
    accepted = await portal.told(lambda told: told.data.get("application_id") == "D-4" and told.type == ACCEPTED)

    assert told.type == REJECTED
    assert told.data.get("application_id") == "D-4"
    assert [problem["pointer"] for problem in told.data["problems"]] == ["/receiving_office"]
    assert len(accepted) == 1


async def test_each_refusal_of_an_id_has_an_answer_of_its_own(portal: PortalQueue) -> None:
    one = await portal.answer_to(await portal.send(_named("D-5", receiving_office="")))
    two = await portal.answer_to(await portal.send(_named("D-5", receiving_office=5)))

    assert one.id != two.id
    assert (one.data["problems"][0]["code"], two.data["problems"][0]["code"]) == ("blank", "not_text")


async def test_what_cannot_be_read_is_answered_to_the_queues_portal_and_parked(
    portal: PortalQueue, database_as: DatabaseAs, broker_as: BrokerAs
) -> None:
    body = b'{"application_id": "D-6", "a\x00": 1'
    message_id = await portal.send(body)
    told = await portal.answer_to(message_id)
    record = await _parked(broker_as, message_id)

    assert told.type == REJECTED
    assert (told.data["portal"], told.data["application_id"]) == ("portal-a", None)
    assert [problem["code"] for problem in told.data["problems"]] == ["body_not_utf8"]
    assert (record["consumer"], record["code"]) == (topology.door_queue("portal-a"), "unreadable")
    intake_role = await database_as("intake")
    kept = await intake_role.fetchval("select body from submission where message_id = $1", message_id)
    assert kept == body


@pytest.mark.parametrize("word", ["application.submitted", "change.requested"])
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"application_id": 12, "change_id": 12, "portal": "portal-a"}'])
async def test_what_bears_no_readable_id_is_answered_under_its_message_id(
    portal: PortalQueue, word: str, body: bytes
) -> None:
    """A resend gets the very same answer, and another message with the same body an answer of its own."""
    first, other = f"R-{uuid.uuid4()}", f"R-{uuid.uuid4()}"
    again: list[Told] = []
    for times in (1, 2):
        await portal.send(body, first, word)
        again = await portal.told(lambda told: told.data.get("message_id") == first, times)
    told = await portal.answer_to(await portal.send(body, other, word))

    assert {answer.correlation_id for answer in again} == {first}
    assert told.correlation_id == other
    assert {answer.id for answer in again} != {told.id}
    assert len({answer.id for answer in again}) == 1


async def test_what_bears_neither_an_id_nor_a_message_id_is_answered_all_the_same(portal: PortalQueue) -> None:
    """A message id of which no character can be shown is none; clients rarely send a message quite without one."""
    answers: list[Told] = []
    for times in (1, 2):
        await portal.send(b'{"application_id": 12, "no": "message id"}', "\x01\x7f")
        answers = await portal.told(lambda told: told.type == REJECTED and told.data["message_id"] is None, times)
    first, second = answers

    assert first.correlation_id
    assert (first.id, first.correlation_id) == (second.id, second.correlation_id)


async def _parked(broker_as: BrokerAs, message_id: str) -> dict[str, Any]:
    channel = await (await broker_as("ops")).channel()
    queue = await channel.get_queue(topology.PARKED_QUEUE, ensure=False)
    records: list[dict[str, Any]] = []

    async def note(message: AbstractIncomingMessage) -> None:
        records.append(json.loads(message.body))
        await message.ack()

    await queue.consume(note)
    await eventually(lambda: any(record.get("message_id") == message_id for record in records))
    return next(record for record in records if record.get("message_id") == message_id)


async def test_a_portal_cannot_speak_for_another(portal: PortalQueue) -> None:
    told = await portal.answer_to(await portal.send(_named("D-7", portal="portal-b")))

    assert told.type == REJECTED
    assert [problem["code"] for problem in told.data["problems"]] == ["portal_mismatch"]


async def test_the_database_itself_keeps_an_accepted_id_from_being_taken_twice(
    portal: PortalQueue, database_as: DatabaseAs
) -> None:
    await portal.send(_named("D-8"))
    await portal.told(lambda told: told.data.get("application_id") == "D-8")
    role = await database_as("intake")
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await role.execute(
            "insert into submission (answer_id, portal, application_id, outcome, content_sha256, answered_at, answer,"
            " body) select gen_random_uuid(), portal, application_id, outcome, 'x', answered_at, answer, body"
            " from submission where application_id = 'D-8'"
        )

    assert refused.value.constraint_name == "an_accepted_application_occupies_its_id"


async def test_the_desk_can_send_a_parked_application_again(portal: PortalQueue, broker_as: BrokerAs) -> None:
    parked = Sent("portal-a", "application.submitted", _named("D-9", receiving_office=""), "D-9-message")
    channel = await (await broker_as("ops")).channel(publisher_confirms=True)
    message = aio_pika.Message(encode(parked.as_fact("2026-01-15T00:30:00Z")), headers={"replay": 1}, user_id="ops")
    await channel.default_exchange.publish(message, routing_key=topology.door_queue("portal-a"), mandatory=True)
    told = await portal.answer_to("D-9-message")

    assert (told.type, told.data["application_id"]) == (REJECTED, "D-9")


async def test_only_the_desk_can_replay_at_a_door(intake: Intake, broker_as: BrokerAs, portal: PortalQueue) -> None:
    """What looks like a replay but comes from a portal is a body like any other: an application that is no form."""
    exchange = await portal.channel.get_exchange(topology.APPLICATIONS, ensure=False)
    body = json.dumps([{"type": "application.submitted", "data": {}}]).encode()
    message = aio_pika.Message(body, message_id="fake-replay", headers={"replay": 1}, delivery_mode=2)
    await exchange.publish(message, routing_key="application.submitted.portal-a")
    told = await portal.answer_to("fake-replay")

    assert [problem["code"] for problem in told.data["problems"]] == ["body_not_an_object"]
    assert not intake.running.reasons_not_ready()
