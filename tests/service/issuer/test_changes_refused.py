"""A change is decided once, in its turn, and refused with every reason; what is not the asker's looks unknown."""

import asyncio
from typing import Any

from services.issuer.domain.limits import general_terms
from services.issuer.domain.states import Conclusion
from shared.messages.intake import ChangeAccepted
from tests.service.issuer.bench import Bench, accepted, arrived, change
from tests.service.issuer.changing import RAISED, by_office, problems_of, statuses


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
