"""What happens to a guarantee after its first day, from the portal's change to the platform and back."""

from typing import Any

from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example, with_platform
from tests.e2e.conftest import PORTAL, System
from tests.e2e.ledger import moment
from tests.eventually import eventually

REFUSED = "issuer.change_refused.v1"


def change(application: dict[str, Any], number: str, change_id: str, **fields: Any) -> dict[str, Any]:
    """A change of this application's guarantee, in the published shape."""
    return {
        "change_id": change_id,
        "portal": PORTAL,
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": application["contractor"]["customer_number"],
        "guarantee_number": number,
        "base_version": 1,
        "version_kind": "change",
        "corrections": {},
        "completion_mail": {"wanted": True, "address": "keiri@kensetsu.example"},
    } | fields


async def issued(portal: Portal, application: dict[str, Any]) -> str:
    """The number of its guarantee, once that is issued."""
    await portal.apply(application)
    answer = await portal.answers.wait_for(application["application_id"], ISSUED)
    assert isinstance(answer.data, dict)
    return str(answer.data["guarantee_number"])


async def arrived(system: System, portal: Portal, number: str, version: int) -> dict[str, Any]:
    """What the portal reads of a guarantee once this version arrived and stands in its history."""

    async def shown() -> dict[str, Any]:
        detail: dict[str, Any] = (await portal.doors.guarantee(number)).json()
        assert [row["version"] for row in detail["history"]][-1:] == [version], detail
        return detail

    detail: dict[str, Any] = await eventually(shown, within_s=40)
    [platform] = [row for row in await system.certificates() if row["key"] == f"{number}/{version}"]
    assert moment(platform["arrived_at"]) == moment(detail["history"][-1]["issued_at"])
    return detail


async def test_a_change_reaches_the_platform_as_the_second_version_with_the_same_key(
    system: System, portal: Portal
) -> None:
    application = example(PORTAL, "LATER-1")
    number = await issued(portal, application)
    before = (await portal.doors.reveal_key(number, "経理 太郎")).json()["auth_key"]
    await portal.change(change(application, number, "LATER-1-C", price=60_000_000, amount=24_000_000))
    detail = await arrived(system, portal, number, 2)
    after = (await portal.doors.reveal_key(number, "経理 太郎")).json()["auth_key"]
    url = system.place.url("platform-simulator") + "/v1/checks"

    assert before == after
    assert (detail["status"], detail["price"], detail["amount"]) == ("active", 60_000_000, 24_000_000)
    assert [row["version_kind_ja"] for row in detail["history"]] == ["新規", "変更"]
    async with system.http.post(url, json={"guarantee_number": number, "auth_key": after}) as confirmed:
        assert confirmed.status == 200


async def test_a_change_that_the_door_takes_and_the_issuer_refuses_is_told_with_its_reasons(
    system: System, portal: Portal
) -> None:
    application = example(PORTAL, "LATER-2")
    number = await issued(portal, application)
    reply = await portal.doors.change(change(application, number, "LATER-2-C", base_version=2, amount=20_000_001))
    refused = await portal.answers.wait_for("LATER-2-C", REFUSED)

    assert reply.status == 202
    assert isinstance(refused.data, dict)
    assert [(one["code"], one["pointer"]) for one in refused.data["problems"]] == [
        ("stale_version", "/base_version"),
        ("advance_over_maximum", "/amount"),
    ]


async def test_a_refused_certificate_lets_its_correction_through_to_the_platform(
    system: System, portal: Portal
) -> None:
    """The first version is refused for good, which settles it at the bridge; the 訂正 arrives as the second."""
    application = with_platform(example(PORTAL, "LATER-4"), "refuse")
    await portal.apply(application)

    async def refused() -> str:
        items = (await portal.doors.guarantees(application_id="LATER-4")).json()["items"]
        assert [item["status"] for item in items] == ["refused_by_platform"]
        return str(items[0]["guarantee_number"])

    number = await eventually(refused, within_s=40)
    by_office = {"portal": "office", "customer_number": None, "completion_mail": {"wanted": False, "address": None}}
    mend = change(
        application,
        number,
        "OFFICE-4",
        version_kind="correction",
        corrections={"project_name": "市道○○線道路改良工事"},
    )
    async with system.portal("office") as office:
        reply = await office.doors.change(mend | by_office)
    detail = await arrived(system, portal, number, 2)

    assert reply.status == 202, reply.body
    assert [(row["no"], row["version_kind_ja"]) for row in detail["history"]] == [(1, "訂正")]
    assert (detail["status"], detail["problems"]) == ("active", [])
    assert (await portal.doors.certificate(number, 1)).status == 404


async def test_the_office_takes_a_change_back_and_ends_the_guarantee(system: System, portal: Portal) -> None:
    application = example(PORTAL, "LATER-3")
    number = await issued(portal, application)
    await portal.change(change(application, number, "LATER-3-C", price=60_000_000, amount=24_000_000))
    await arrived(system, portal, number, 2)
    by_office = {"portal": "office", "customer_number": None, "completion_mail": {"wanted": False, "address": None}}
    async with system.portal("office") as office:
        cancelled = change(application, number, "OFFICE-1", base_version=2, version_kind="change_cancellation")
        taken = [await office.doors.change(cancelled | by_office)]
        await arrived(system, portal, number, 1)
        ended = change(application, number, "OFFICE-2", base_version=3, version_kind="termination")
        taken.append(await office.doors.change(ended | by_office))
        detail = await arrived(system, portal, number, 4)

    assert [reply.status for reply in taken] == [202, 202], [reply.body for reply in taken]
    assert (detail["status"], detail["price"]) == ("terminated", 50_000_000)
    assert [row["version_kind_ja"] for row in detail["history"]] == ["新規", "解約"]
