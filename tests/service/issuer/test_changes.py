"""A guarantee goes through its versions: changed, corrected, cancelled and terminated, electronic or on paper."""

import json

from tests.service.issuer.bench import Bench, arrived, change
from tests.service.issuer.changing import RAISED, by_office, codes_of, correction, refused, statuses
from tests.service.issuer.conftest import Door
from tests.unit.issuer.samples import ADDRESS

LIST = "/v1/guarantees"


async def test_a_change_is_issued_as_the_second_version_under_the_same_key(bench: Bench, door: Door) -> None:
    application_id, number, _ = await bench.issue()
    await bench.hear(change(number, **RAISED, completion_mail={"wanted": True, "address": ADDRESS}))
    _, on_its_way, _ = await door.call("GET", f"{LIST}/{number}")
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    _, shown, _ = await door.call("GET", f"{LIST}/{number}")
    first, second = await bench.announced(application_id, "certificate_created")
    issued = await bench.announced(application_id, "guarantee_issued")

    assert (on_its_way["status"], on_its_way["price"], on_its_way["version"]) == ("in_transit", 50_000_000, 1)
    assert (shown["status"], shown["price"], shown["amount"], shown["version"]) == ("active", 60_000_000, 24_000_000, 2)
    assert [(row["no"], row["version"], row["version_kind_ja"]) for row in shown["history"]] == [
        (1, 1, "新規"),
        (2, 2, "変更"),
    ]
    assert (second.subject, second.data["sealed_auth_key"]) == (f"{number}/2", first.data["sealed_auth_key"])
    certificate = json.loads(second.data["certificate"])
    assert {name: certificate[name] for name in ("version", "version_kind", "price", "amount", "contract_date")} == {
        "version": 2,
        "version_kind": "change",
        "price": 60_000_000,
        "amount": 24_000_000,
        "contract_date": "2026-01-20",
    }
    assert [(one.subject, one.data["completion_mail"]["wanted"]) for one in issued] == [
        (f"{number}/1", True),
        (f"{number}/2", True),
    ]
    assert await bench.history(number) == [(1, "new", "superseded"), (2, "change", "arrived")]
    assert await statuses(bench, application_id, number) == ["in_transit", "active", "in_transit", "active"]


async def test_a_portal_can_tell_by_its_change_id_what_became_of_its_change(bench: Bench) -> None:
    """The office's changes have ids too, but in a book of their own, so they are not told to the portal."""
    application_id, number, _ = await bench.issue()
    asked = change(number, **RAISED)
    await bench.hear(asked)
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    await bench.hear(correction(number, 2, project_name="市道○○線道路改良工事(その2)"))
    await bench.hear(refused(application_id, number, 3))
    issued = await bench.announced(application_id, "guarantee_issued", to_portal=True)
    inside = await bench.announced(application_id, "guarantee_issued")
    moved = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)

    assert [(one.data["version"], one.data["change_id"]) for one in issued] == [(1, None), (2, asked.change_id)]
    assert [(one.data["to"], one.data["version"], one.data["change_id"]) for one in moved if one.subject == number] == [
        ("in_transit", 1, None),
        ("active", 1, None),
        ("in_transit", 2, asked.change_id),
        ("active", 2, asked.change_id),
        ("in_transit", 3, None),
        ("refused_by_platform", 3, None),
    ]
    assert not any("change_id" in one.data for one in inside), "hearers know the fact of before by its content"


async def test_a_change_on_paper_ends_with_a_status_that_bears_its_version(bench: Bench, door: Door) -> None:
    application_id, _, paper = await bench.issue()
    asked = change(paper, price=60_000_000, amount=6_000_000)
    await bench.hear(asked)
    _, shown, _ = await door.call("GET", f"{LIST}/{paper}")
    moved = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)
    told = [one.data for one in moved if one.subject == paper]

    assert [(one["from"], one["to"], one["version"], one["change_id"]) for one in told] == [
        ("requested", "paper_ordered", 1, None),
        ("paper_ordered", "paper_ordered", 2, asked.change_id),
    ]
    assert (shown["status"], shown["version"], shown["issued_at"], shown["history"]) == ("paper_ordered", 2, None, [])


async def test_a_refused_certificate_is_mended_by_a_correction_and_the_office_sees_why(
    bench: Bench, door: Door
) -> None:
    application_id, number, _ = await bench.take_in()
    await bench.hear(refused(application_id, number, 1))
    portals_try = change(number, **RAISED)
    await bench.hear(portals_try)
    _, waiting, _ = await door.call("GET", f"{LIST}/{number}", caller="office")
    await bench.hear(correction(number, 1, project_name="市道○○線道路改良工事(その2)"))
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    _, ours, _ = await door.call("GET", f"{LIST}/{number}")
    _, offices, _ = await door.call("GET", f"{LIST}/{number}", caller="office")

    assert await bench.refusals(portals_try) == [["refused_version_unmended"]]
    assert waiting["history"][0]["note"] == "certificate-refused: 工事名を確認してください。"
    assert [(row["no"], row["version"], row["version_kind"]) for row in ours["history"]] == [(1, 2, "correction")]
    assert [(row["no"], row["version"], row["state"]) for row in offices["history"]] == [
        (None, 1, "corrected"),
        (1, 2, "arrived"),
    ]
    assert (ours["project_name"], ours["status"], ours["problems"]) == (
        "市道○○線道路改良工事(その2)",
        "active",
        [],
    )
    assert (await door.call("GET", f"{LIST}/{number}/certificates/1"))[0] == 404


async def test_a_cancelled_change_gives_the_values_back_and_is_seen_by_the_office_only(
    bench: Bench, door: Door
) -> None:
    application_id, number, _ = await bench.issue()
    too_early = by_office(number, 1, "change_cancellation")
    await bench.hear(too_early)
    await bench.hear(change(number, **RAISED))
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    await bench.hear(by_office(number, 2, "change_cancellation"))
    await bench.hear(arrived(application_id, number, version=3, certificate_id="c-3"))
    _, ours, _ = await door.call("GET", f"{LIST}/{number}")
    asked = [
        (await door.call("GET", f"{LIST}/{number}/certificates/{version}", caller=caller))[0]
        for caller in ("portal-a", "office")
        for version in (1, 2, 3)
    ]
    await bench.hear(change(number, amount=19_000_000, base_version=1))

    assert await codes_of(bench, too_early) == ["nothing_to_cancel"]
    assert (ours["price"], ours["amount"], ours["version"], len(ours["history"])) == (50_000_000, 20_000_000, 1, 1)
    assert asked == [200, 404, 404, 200, 200, 200]
    assert await bench.history(number) == [
        (1, "new", "superseded"),
        (2, "change", "cancelled"),
        (3, "change_cancellation", "arrived"),
        (4, "change", "in_transit"),
    ]


async def test_a_change_on_paper_is_another_order_without_key_platform_or_mail(bench: Bench, door: Door) -> None:
    application_id, _, paper = await bench.take_in()
    raised = change(paper, price=60_000_000, amount=6_000_000, completion_mail={"wanted": True, "address": ADDRESS})
    lowered = change(paper, amount=6_500_000, base_version=2)
    await bench.hear(raised, lowered)
    ordered = await bench.announced(application_id, "paper_ordered")
    _, shown, _ = await door.call("GET", f"{LIST}/{paper}")

    assert [(one.data["version"], one.data["version_kind"], one.data["amount"]) for one in ordered] == [
        (1, "new", 5_000_000),
        (2, "change", 6_000_000),
        (3, "change", 6_500_000),
    ]
    assert await bench.history(paper) == [
        (1, "new", "superseded"),
        (2, "change", "superseded"),
        (3, "change", "ordered"),
    ]
    assert (shown["price"], shown["amount"], shown["version"], shown["history"]) == (60_000_000, 6_500_000, 3, [])
    assert await statuses(bench, application_id, paper) == ["paper_ordered"] * 3
    assert len(await bench.announced(application_id, "certificate_created")) == 1
    assert not await bench.announced(application_id, "guarantee_issued")


async def test_a_terminated_paper_guarantee_is_ended_with_its_order(bench: Bench) -> None:
    _, _, paper = await bench.take_in()
    await bench.hear(by_office(paper, 1, "termination"))

    assert (await bench.row(paper))["state"] == "terminated"
    assert await bench.history(paper) == [(1, "new", "superseded"), (2, "termination", "ordered")]


async def test_a_sibling_below_its_minimum_is_remarked_on_both_and_refuses_nothing(bench: Bench, door: Door) -> None:
    application_id, number, paper = await bench.issue()
    await bench.hear(change(number, **RAISED))
    [*_, told] = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    remarks = [(await door.call("GET", f"{LIST}/{one}"))[1]["remarks"] for one in (number, paper)]
    await bench.hear(change(paper, price=60_000_000, amount=6_000_000))
    mended = [(await door.call("GET", f"{LIST}/{one}"))[1]["remarks"] for one in (number, paper)]

    assert [remark["code"] for remark in told.data["remarks"]] == ["sibling_below_minimum"]
    assert remarks[0] == remarks[1] == told.data["remarks"]
    assert "6,000,000円" in remarks[0][0]["message_ja"]
    assert mended == [[], []]
