"""An interim advance payment is judged beside the advance payment it follows: together they have a limit (rule 5)."""

import asyncio
import uuid
from typing import Any, Final

from services.issuer.domain.states import Conclusion
from shared.messages.core import GuaranteeConcluded
from shared.messages.intake import AcceptedLine, ApplicationAccepted
from tests.service.issuer.bench import Bench, accepted, change
from tests.unit.issuer.samples import ARRIVED_AT

INTERIM: Final = "interim_advance_payment"


def interim(earlier: str | None, amount: int = 10_000_000, customer_number: str = "C-0045678") -> ApplicationAccepted:
    """An application for an interim advance payment after an advance payment of 20,000,000 of 50,000,000 yen."""
    contractor = {"customer_number": customer_number, "name": "○○建設 株式会社", "jv_name": None}
    message = accepted(contractor=contractor)
    line = {**message.application["guarantees"][0], "kind": INTERIM, "amount": amount}
    line |= {"earlier_guarantee_number": earlier, "interim_approval": True}
    return message.model_copy(
        update={
            "application": {**message.application, "guarantees": [line]},
            "lines": (AcceptedLine(kind=INTERIM, certificate_form="electronic"),),
        }
    )


async def own_advance(bench: Bench, **places: Any) -> tuple[str, str]:
    """An issued advance payment of a customer of its own: the customer and the number."""
    customer = f"C-{uuid.uuid4().hex[:8]}"
    contractor = {"customer_number": customer, "name": "○○建設 株式会社", "jv_name": None}
    _, number, _ = await bench.issue(contractor=contractor, **places)
    return customer, number


async def state_of(bench: Bench, message: ApplicationAccepted) -> tuple[str, list[str]]:
    """The state of the interim guarantee, and the problems its portal was told of at first."""
    number = (await bench.numbers(message.application_id))[INTERIM]
    told = await bench.announced(message.application_id, "guarantee_status_changed", to_portal=True)
    problems = [f"{problem['code']} {problem['pointer']}" for problem in told[0].data["problems"]]
    return (await bench.row(number))["state"], problems


async def test_an_interim_advance_payment_within_the_limits_is_concluded_at_once(bench: Bench) -> None:
    customer, advance = await own_advance(bench)
    message = interim(advance, 10_000_000, customer)
    await bench.hear(message)

    assert await state_of(bench, message) == ("active", [])


async def test_one_yen_more_than_both_may_be_together_is_declined_with_the_reason(bench: Bench) -> None:
    customer, advance = await own_advance(bench)
    fits, over = interim(advance, 9_999_999, customer), interim(advance, 2, customer)
    await bench.hear(fits, over)

    assert await state_of(bench, fits) == ("active", [])
    assert await state_of(bench, over) == ("declined", ["together_over_maximum /guarantees/0/amount"])
    assert not await bench.announced(over.application_id, "certificate_created")


async def test_the_earlier_guarantee_must_be_the_same_customers_active_advance_payment(bench: Bench) -> None:
    _, advance = await own_advance(bench)
    _, waiting, _ = await bench.take_in(Conclusion.CORE)
    _, _, performance = await bench.issue()
    asked = [
        interim("99999-999999"),
        interim(None),
        interim(advance, customer_number="C-somebody"),
        interim(performance),
        interim(waiting),
    ]
    await bench.hear(*asked)
    where = "/guarantees/0/earlier_guarantee_number"

    assert [await state_of(bench, one) for one in asked] == [
        ("declined", [f"{code} {where}"])
        for code in (
            "earlier_guarantee_unknown",
            "earlier_guarantee_unknown",
            "earlier_guarantee_unknown",
            "earlier_guarantee_not_advance",
            "earlier_guarantee_not_active",
        )
    ]


async def test_a_repeat_does_not_count_itself_among_the_others(bench: Bench) -> None:
    customer, advance = await own_advance(bench)
    message = interim(advance, 10_000_000, customer)
    await bench.hear(message)
    await bench.hear(message)

    assert await state_of(bench, message) == ("active", [])
    assert len(await bench.announced(message.application_id, "guarantee_status_changed", to_portal=True)) == 1


async def test_it_waits_for_the_core_system_where_that_concludes_and_is_declined_without_it(bench: Bench) -> None:
    customer, advance = await own_advance(bench)
    good, bad = interim(advance, 10_000_000, customer), interim(advance, 10_000_001, customer)
    await bench.hear(good, concludes=Conclusion.CORE)
    await bench.hear(bad, concludes=Conclusion.CORE)
    late = GuaranteeConcluded(
        portal="portal-a", application_id=bad.application_id, kind=INTERIM, concluded_at=ARRIVED_AT
    )
    parked = await bench.hear(late)

    assert parked == [(f"portal-a/{bad.application_id}", "contradicts_decision")]
    assert (await state_of(bench, good))[0] == "awaiting_conclusion"
    assert (await state_of(bench, bad))[0] == "declined"


async def test_changes_of_either_keep_the_sum(bench: Bench) -> None:
    """The change of an advance payment counts the interim one on it: 60 % of 49,999,998 are 29,999,998."""
    customer, advance = await own_advance(bench)
    message = interim(advance, 10_000_000, customer)
    await bench.hear(message)
    lowered = {"customer_number": customer, "price": 49_999_998}
    over = change(advance, **lowered, amount=19_999_999)
    exact = change(advance, **lowered, amount=19_999_998)
    await bench.hear(over, exact)

    assert await bench.refusals(over) == [["together_over_maximum"]]
    assert await bench.refusals(exact) == []


async def test_two_processes_cannot_together_pass_the_limit(bench: Bench) -> None:
    customer, advance = await own_advance(bench)
    both = [interim(advance, 6_000_000, customer), interim(advance, 6_000_000, customer)]
    await asyncio.gather(*(bench.hear(one) for one in both))

    assert sorted([(await state_of(bench, one))[0] for one in both]) == ["active", "declined"]
