"""The flyer's story, from the portal's application to the key that an official types in."""

from itertools import islice
from random import Random
from typing import Any

from simulators.portal.client import ACCEPTED, ISSUED, REJECTED, Portal
from simulators.portal.samples import example, samples, with_platform
from tests.e2e.conftest import PORTAL, System
from tests.e2e.ledger import account, moment
from tests.eventually import eventually

KINDS_OF_TROUBLE = ("503", "reset-after", "slow-2", "500", "unreadable", "409")


async def told(portal: Portal, application_id: str, message_type: str) -> dict[str, Any]:
    """The body of the first answer of this type."""
    answer = await portal.answers.wait_for(application_id, message_type)
    assert isinstance(answer.data, dict)
    return answer.data


async def test_an_application_becomes_a_guarantee_with_the_platforms_own_time(system: System, portal: Portal) -> None:
    """発行日時 is the arrival time in the platform's answer, and nobody is told before it is recorded."""
    application = example(PORTAL, "STORY-1")

    await portal.apply(application)
    accepted = await told(portal, "STORY-1", ACCEPTED)
    issued = await told(portal, "STORY-1", ISSUED)

    assert accepted["lines"] == [{"kind": "advance_payment", "certificate_form": "electronic"}]
    number = issued["guarantee_number"]
    remembered = [row for row in await system.certificates() if row["key"] == f"{number}/1"]
    assert [moment(row["arrived_at"]) for row in remembered] == [moment(issued["issued_at"])]
    detail = (await portal.doors.guarantee(number)).json()
    assert moment(detail["issued_at"]) == moment(issued["issued_at"])
    assert (detail["status"], detail["status_ja"]) == ("active", "発行済")
    assert [row["version_kind_ja"] for row in detail["history"]] == ["新規"]


async def test_the_mail_carries_number_and_time_but_never_the_key(system: System, portal: Portal) -> None:
    """The key is read on the portal after login; a mail can be read by anybody on its way."""
    await portal.apply(example(PORTAL, "STORY-2"))
    issued = await told(portal, "STORY-2", ISSUED)
    number = issued["guarantee_number"]
    key = (await portal.doors.reveal_key(number, "経理 太郎")).json()["auth_key"]

    async def mail() -> str:
        found = [mail for mail in await system.mails() if number in mail["text"]]
        assert len(found) == 1
        assert found[0]["subject"] == "電子保証（認証キー）発行完了のお知らせ"
        return str(found[0]["text"] + found[0]["html"])

    text = await eventually(mail)
    assert number in text
    assert key not in text


async def test_an_official_confirms_the_certificate_with_number_and_key(system: System, portal: Portal) -> None:
    """What the portal reveals is what the platform accepts; any other key is refused."""
    await portal.apply(example(PORTAL, "STORY-3"))
    issued = await told(portal, "STORY-3", ISSUED)
    number = issued["guarantee_number"]
    key = (await portal.doors.reveal_key(number, "経理 太郎")).json()["auth_key"]
    url = system.place.url("platform-simulator") + "/v1/checks"

    async with system.http.post(url, json={"guarantee_number": number, "auth_key": key}) as right:
        assert right.status == 200
    async with system.http.post(url, json={"guarantee_number": number, "auth_key": key[::-1]}) as wrong:
        assert wrong.status != 200


async def test_both_doors_judge_alike(system: System, portal: Portal) -> None:
    """The same content over HTTP after AMQP is the same application; other content is answered as a conflict."""
    application = example(PORTAL, "STORY-4")

    first = await portal.doors.apply(application)
    again = await portal.doors.apply(application)
    other = await portal.doors.apply({**application, "message_to_guarantor": "別の内容です。"})
    await portal.apply(application)
    await portal.answers.wait_for("STORY-4", ISSUED)

    assert (first.status, again.status, other.status) == (202, 200, 409)
    listed = await portal.doors.guarantees(application_id="STORY-4")
    assert len(listed.json()["items"]) == 1


async def test_a_platform_in_trouble_delays_and_loses_nothing(system: System, portal: Portal) -> None:
    """Late answers, refusals for now, resets after storing: the platform's first arrival time still stands."""
    applications = [with_platform(example(PORTAL, f"TROUBLE-{trouble}"), trouble) for trouble in KINDS_OF_TROUBLE]
    for application in applications:
        await portal.apply(application)
    for application in applications:
        await portal.answers.wait_for(application["application_id"], ISSUED, timeout_s=40)

    async def settled() -> bool:
        return (await account(system, portal, applications)).clean

    assert await eventually(settled)


async def test_a_mixture_of_applications_ends_as_it_must(system: System, portal: Portal) -> None:
    """Electronic and paper lines, accepted and rejected ones: each ends, with the outside agreeing."""
    seed = Random().randrange(10**6)
    taken = list(islice(samples(PORTAL, seed), 40))
    for sample in taken:
        await portal.apply(sample.application)

    async def settled() -> bool:
        told = await account(system, portal, [sample.application for sample in taken])
        assert told.clean, (seed, told)
        return True

    await eventually(settled, within_s=40)
    for sample in taken:
        verdict = ACCEPTED if sample.accepted else REJECTED
        await portal.answers.wait_for(sample.application["application_id"], verdict)
