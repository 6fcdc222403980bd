"""A guarantee goes through its versions: changed, corrected, cancelled and terminated, each once and in its turn."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from services.issuer.domain.limits import general_terms
from services.issuer.domain.states import Conclusion
from shared.messages.intake import ChangeAccepted
from shared.messages.platform_bridge import CertificateRefused
from tests.service.issuer.bench import Bench, accepted, arrived, change
from tests.service.issuer.conftest import Door
from tests.unit.issuer.samples import ADDRESS, ARRIVED_AT

LIST = "/v1/guarantees"
RAISED: Mapping[str, Any] = {"price": 60_000_000, "amount": 24_000_000, "contract_date": "2026-06-01"}


def correction(number: str, base: int, **corrected: Any) -> ChangeAccepted:
    """What the office sends to mend a version."""
    named = {"portal": "office", "customer_number": None, "version_kind": "correction"}
    return change(number, base_version=base, corrections=corrected, **named)


def by_office(number: str, base: int, kind: str) -> ChangeAccepted:
    """変更取消 or 解約, which the office sends."""
    return change(number, base_version=base, version_kind=kind, portal="office", customer_number=None)


def refused(application_id: str, number: str, version: int) -> CertificateRefused:
    return CertificateRefused(
        portal="portal-a",
        application_id=application_id,
        guarantee_number=number,
        version=version,
        problem_type="certificate-refused",
        detail="工事名を確認してください。",
        refused_at=ARRIVED_AT,
    )


async def problems_of(bench: Bench, one: ChangeAccepted) -> list[dict[str, str]]:
    """The problems with which a change is kept."""
    kept: list[dict[str, str]] = json.loads(
        await bench.pool.fetchval("select problems from change where change_id = $1", one.change_id)
    )
    return kept


async def codes_of(bench: Bench, one: ChangeAccepted) -> list[str]:
    """Their codes."""
    return [problem["code"] for problem in await problems_of(bench, one)]


async def statuses(bench: Bench, application_id: str, number: str) -> list[str]:
    told = await bench.announced(application_id, "guarantee_status_changed", to_portal=True)
    return [one.data["to"] for one in told if one.subject == number]


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


async def test_a_second_version_is_never_announced_before_the_first_is_settled(bench: Bench) -> None:
    application_id, number, _ = await bench.take_in()
    early = change(number, **RAISED)
    await bench.hear(early)
    await bench.hear(arrived(application_id, number))
    first, second = change(number, **RAISED), change(number, amount=19_000_000)
    await bench.hear(first, second)

    assert await bench.refusals(early) == [["change_in_progress"]]
    assert (await bench.refusals(first), await bench.refusals(second)) == ([], [["change_in_progress"]])
    assert len(await bench.announced(application_id, "certificate_created")) == 2


async def test_two_processes_that_hear_two_changes_at_once_make_one_version(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    both = [change(number, amount=19_000_000), change(number, amount=18_000_000)]
    await asyncio.gather(*(bench.hear(one) for one in both))
    refusals = [await bench.refusals(one) for one in both]

    assert sorted(refusals) == [[], [["change_in_progress"]]]
    assert len(await bench.announced(application_id, "certificate_created")) == 2


async def test_the_same_change_again_tells_nothing_and_other_content_under_its_id_is_refused(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    one = change(number, **RAISED)
    again = one.model_copy(update={"change": one.change | {"submitted_at": "2026-06-02T10:00:00+09:00"}})
    other = one.model_copy(update={"change": one.change | {"amount": 23_000_000}})
    await bench.hear(one, again)
    await bench.hear(one)
    repeated = await bench.refusals(one)
    await bench.hear(other)
    await bench.hear(other)

    assert repeated == []
    ids = {row["message_id"] for row in await _refusal_rows(bench, one)}
    assert set(map(tuple, await bench.refusals(one))) == {("change_id_taken",)}
    assert len(ids) == 1
    assert await bench.history(number) == [(1, "new", "arrived"), (2, "change", "in_transit")]
    assert len(await bench.announced(application_id, "certificate_created")) == 2


async def _refusal_rows(bench: Bench, one: ChangeAccepted) -> list[Any]:
    return list(await bench.pool.fetch("select message_id from outbox where subject = $1", f"portal-a/{one.change_id}"))


async def test_a_refused_change_stays_refused_when_it_is_heard_again(bench: Bench) -> None:
    _, number, _ = await bench.issue()
    one = change(number, amount=20_000_001)
    await bench.hear(one)
    await bench.hear(one)

    assert await bench.refusals(one) == [["advance_over_maximum"]]


async def test_a_foreign_guarantee_looks_like_an_unknown_one(bench: Bench) -> None:
    _, number, _ = await bench.issue()
    unknown = change("99999-999999", **RAISED)
    other_customer = change(number, **RAISED, customer_number="C-somebody")
    other_portal = change(number, **RAISED, portal="portal-b")
    for one in (unknown, other_customer, other_portal):
        await bench.hear(one)
    rows = await bench.pool.fetch(
        "select problems from change where change_id = any($1::text[])",
        [one.change_id for one in (unknown, other_customer, other_portal)],
    )

    assert len({row["problems"] for row in rows}) == 1
    assert await bench.refusals(unknown) == await bench.refusals(other_customer) == [["guarantee_unknown"]]
    assert await bench.history(number) == [(1, "new", "arrived")]


async def test_what_is_not_active_cannot_be_changed(bench: Bench) -> None:
    _, waiting, _ = await bench.take_in(Conclusion.CORE)
    application_id, ended, _ = await bench.issue()
    await bench.hear(by_office(ended, 1, "termination"))
    await bench.hear(arrived(application_id, ended, version=2))
    early, late = change(waiting, **RAISED), change(ended, **RAISED, base_version=2)
    await bench.hear(early, late)

    assert await bench.refusals(early) == [["guarantee_not_active"]]
    assert await bench.refusals(late) == [["guarantee_terminated"]]
    assert await statuses(bench, application_id, ended) == ["in_transit", "active", "in_transit", "terminated"]
    assert (await bench.row(ended))["state"] == "terminated"


async def test_everything_that_stands_against_a_change_is_told_at_once_where_it_stands(bench: Bench) -> None:
    application_id, number, _ = await bench.issue()
    one = change(
        number,
        base_version=7,
        price=40_000_000,
        amount=50_000_000,
        works_until="2026-01-01",
        contract_date="2026-06-01",
    )
    await bench.hear(one)
    problems = await problems_of(bench, one)

    assert [(problem["code"], problem["pointer"]) for problem in problems] == [
        ("stale_version", "/base_version"),
        ("amount_over_base", "/amount"),
        ("works_end_before_start", "/works_until"),
        ("contract_after_works", "/contract_date"),
        ("advance_over_maximum", "/amount"),
    ]
    assert all(problem["message_ja"] and problem["message_en"] for problem in problems)
    assert await statuses(bench, application_id, number) == ["in_transit", "active"]


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


async def test_a_change_that_cannot_be_read_is_parked_and_its_neighbours_go_on(bench: Bench) -> None:
    _, number, _ = await bench.issue()
    bad, good = change(number, version_kind="renewal"), change(number, **RAISED)

    assert await bench.hear(bad, good) == [(f"portal-a/{bad.change_id}", "invalid_change")]
    assert await bench.history(number) == [(1, "new", "arrived"), (2, "change", "in_transit")]


async def test_terms_that_travelled_with_the_application_judge_its_changes(bench: Bench) -> None:
    """An obligee that cuts maxima below 100,000 yen keeps doing so for the changes of its guarantees."""
    message = accepted(contract__price=50_000_000)
    terms = _terms(maximum_unit_yen=1_000_000)
    await bench.hear(message.model_copy(update={"terms": terms}))
    number = (await bench.numbers(message.application_id))["advance_payment"]
    await bench.hear(arrived(message.application_id, number))
    over, exact = change(number, price=51_000_000, amount=20_400_000), change(number, price=51_000_000)
    await bench.hear(over, exact)

    assert await bench.refusals(over) == [["advance_over_maximum"]]
    assert await bench.refusals(exact) == []


def _terms(**other: Any) -> Any:
    return general_terms("222062", "三島市長").model_copy(update=other)
