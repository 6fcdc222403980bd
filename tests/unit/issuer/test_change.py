"""What a change makes of a guarantee and its history, and what stands against one."""

from datetime import timedelta
from typing import Any

import pytest

from services.issuer.domain.change import Asked, Change, changed_by, digest_of, is_visible_to
from services.issuer.domain.events import arrive, refuse
from services.issuer.domain.guarantee import Guarantee
from services.issuer.domain.limits import general_terms
from services.issuer.domain.particulars import particulars_of
from services.issuer.domain.shown import is_visible
from services.issuer.domain.states import GuaranteeState
from shared.messages.intake import Terms
from tests.unit.issuer.samples import ARRIVED_AT, NUMBER, application, concluded, issued, moved, waiting

TERMS = general_terms("222062", "三島市長")


def form(kind: str, base: int, **fields: Any) -> dict[str, Any]:
    """A change of this kind on this base."""
    named = {
        "change_id": "C-1",
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": "C-0045678",
        "guarantee_number": NUMBER,
    }
    return {**named, "version_kind": kind, "base_version": base, **fields}


def asked(change: dict[str, Any], terms: Terms = TERMS, line: int = 0, beside: int = 0, **places: Any) -> Asked:
    """The change beside the application of the example, some places of which may be other ones."""
    read = application(**places)
    return Asked(Change.model_validate(change), particulars_of(read, read.guarantees[line]), terms, beside)


def problems(guarantee: Guarantee, change: dict[str, Any], **other: Any) -> list[tuple[str, str]]:
    """What stands against the change: codes and pointers."""
    outcome = changed_by(guarantee, asked(change, **other))
    return [] if isinstance(outcome, Guarantee) else [(one.code, one.pointer) for one in outcome]


def sent(guarantee: Guarantee, kind: str, base: int | None = None, **fields: Any) -> Guarantee:
    """The guarantee with the version that this change makes, on its way."""
    latest = guarantee.latest
    assert latest is not None
    outcome = changed_by(guarantee, asked(form(kind, base or latest.version, **fields)))
    assert isinstance(outcome, Guarantee), outcome
    return outcome


def came(guarantee: Guarantee, *kinds: str) -> Guarantee:
    """The guarantee after these changes, each of another amount and each arrived."""
    for kind in kinds:
        amount = guarantee.amount - 1
        values: dict[str, dict[str, Any]] = {
            "change": {"amount": amount},
            "correction": {"corrections": {"amount": amount}},
        }
        travelling = sent(guarantee, kind, **values.get(kind, {}))
        number = len(travelling.versions)
        guarantee = moved(arrive(travelling, number, ARRIVED_AT + timedelta(days=number), f"c-{number}"))
    return guarantee


def seen(guarantee: Guarantee) -> list[int]:
    """The versions that contractors see."""
    return [one.version for one in guarantee.versions if is_visible(one.kind, one.state, one.issued_at)]


def refused(guarantee: Guarantee) -> Guarantee:
    """The guarantee after the platform refused its latest version."""
    return moved(refuse(guarantee, len(guarantee.versions), ARRIVED_AT, "no"))


@pytest.mark.parametrize(
    ("kinds", "visible", "states"),
    [
        (["change"], [1, 2], ["superseded", "arrived"]),
        (["correction"], [2], ["corrected", "arrived"]),
        (["change", "correction"], [1, 3], ["superseded", "corrected", "arrived"]),
        (["change", "change_cancellation"], [1], ["superseded", "cancelled", "arrived"]),
        (["change", "correction", "change_cancellation"], [1], ["superseded", "corrected", "cancelled", "arrived"]),
        (
            ["change", "change", "change_cancellation", "change_cancellation"],
            [1],
            ["superseded", "cancelled", "cancelled", "superseded", "arrived"],
        ),
        (
            ["change", "change_cancellation", "correction"],
            [4],
            ["corrected", "cancelled", "superseded", "arrived"],
        ),
        (
            ["change", "change_cancellation", "change"],
            [1, 4],
            ["superseded", "cancelled", "superseded", "arrived"],
        ),
        (["termination"], [1, 2], ["superseded", "arrived"]),
    ],
)
def test_each_history_shows_what_holds_and_hides_what_was_mended_or_taken_back(
    kinds: list[str], visible: list[int], states: list[str]
) -> None:
    guarantee = came(issued(), *kinds)

    assert seen(guarantee) == visible
    assert [version.state for version in guarantee.versions] == states


def test_a_cancellation_gives_back_the_values_before_the_change() -> None:
    changed = came(issued(), "change")
    given_back = came(changed, "change_cancellation")

    assert (changed.amount, given_back.amount) == (19_999_999, 20_000_000)


def test_a_cancelled_correction_of_a_change_takes_the_whole_change_back() -> None:
    assert came(issued(), "change", "correction", "change_cancellation").amount == 20_000_000


def test_until_it_arrives_a_change_shows_nowhere() -> None:
    travelling = sent(issued(), "change", amount=1_000_000)

    assert (travelling.amount, seen(travelling)) == (20_000_000, [1])
    assert travelling.amount_at_most == 20_000_000
    assert sent(issued(), "change", price=60_000_000, amount=24_000_000).amount_at_most == 24_000_000


def test_a_termination_keeps_the_last_values_and_ends_the_guarantee_when_it_arrives() -> None:
    travelling = sent(came(issued(), "change"), "termination")
    ended = moved(arrive(travelling, 3, ARRIVED_AT, "c-3"))

    assert travelling.state is GuaranteeState.ACTIVE
    assert (ended.state, ended.amount) == (GuaranteeState.TERMINATED, 19_999_999)
    assert problems(ended, form("change", 3, amount=1)) == [("guarantee_terminated", "/guarantee_number")]


def test_the_mend_of_a_refused_change_is_that_change() -> None:
    """It takes over the refused values, supersedes what was in force, and can be cancelled as a change can."""
    turned_away = refused(sent(issued(), "change", amount=19_000_000))
    mend = sent(turned_away, "correction", corrections={"project_name": "第2号橋梁工事"})
    arrived = moved(arrive(mend, 3, ARRIVED_AT, "c-3"))

    assert (arrived.amount, arrived.project_name) == (19_000_000, "第2号橋梁工事")
    assert [version.state for version in arrived.versions] == ["superseded", "corrected", "arrived"]
    assert (seen(arrived), seen(came(arrived, "change_cancellation"))) == ([1, 3], [1])


def test_the_mend_of_a_refused_first_version_may_say_the_same_again() -> None:
    turned_away = refused(concluded())
    mend = sent(turned_away, "correction", corrections={"amount": 20_000_000})
    arrived = moved(arrive(mend, 2, ARRIVED_AT, "c-2"))

    assert (mend.problems, arrived.problems) == ((), ())
    assert (seen(arrived), [version.state for version in arrived.versions]) == ([2], ["corrected", "arrived"])
    assert problems(arrived, form("change_cancellation", 2)) == [("nothing_to_cancel", "/version_kind")]


def test_the_mend_of_a_refused_correction_corrects_what_is_in_force() -> None:
    turned_away = refused(sent(issued(), "correction", corrections={"amount": 19_000_000}))
    arrived = moved(arrive(sent(turned_away, "correction", corrections={"amount": 18_000_000}), 3, ARRIVED_AT, "c"))

    assert (seen(arrived), arrived.amount) == ([3], 18_000_000)
    assert [version.state for version in arrived.versions] == ["corrected", "corrected", "arrived"]


def test_a_refused_termination_is_not_mended_but_sent_again_after_a_correction() -> None:
    turned_away = refused(sent(issued(), "termination"))
    again = problems(turned_away, form("termination", 2))
    corrected = moved(arrive(sent(turned_away, "correction", corrections={"amount": 1}), 3, ARRIVED_AT, "c-3"))

    assert again == [("refused_version_unmended", "/guarantee_number")]
    assert (corrected.state, seen(corrected)) == (GuaranteeState.ACTIVE, [3])
    assert came(corrected, "termination").state is GuaranteeState.TERMINATED


def test_one_version_travels_at_a_time() -> None:
    travelling = sent(issued(), "change", amount=1)

    assert problems(travelling, form("change", 1, amount=2)) == [("change_in_progress", "/guarantee_number")]
    assert problems(concluded(), form("change", 1, amount=2)) == [("change_in_progress", "/guarantee_number")]


def test_a_base_is_stale_unless_it_is_the_latest_version_or_the_one_that_portals_see() -> None:
    given_back = came(issued(), "change", "change_cancellation")

    assert problems(came(issued(), "change"), form("change", 1, amount=1)) == [("stale_version", "/base_version")]
    assert problems(issued(), form("change", 2, amount=1)) == [("stale_version", "/base_version")]
    assert problems(given_back, form("change", 2, amount=1)) == [("stale_version", "/base_version")]
    assert problems(given_back, form("change", 1, amount=1)) == []
    assert problems(given_back, form("change", 3, amount=1)) == []


def test_a_change_that_changes_nothing_is_refused() -> None:
    assert problems(issued(), form("change", 1)) == [("changes_nothing", "")]
    assert problems(issued(), form("change", 1, amount=20_000_000, contract_date="2026-06-01")) == [
        ("changes_nothing", "")
    ]
    assert problems(issued(), form("correction", 1, corrections={"jv_name": None})) == [("changes_nothing", "")]


@pytest.mark.parametrize("state", ["awaiting", "unknown"])
def test_what_is_not_active_or_not_there_cannot_be_changed(state: str) -> None:
    outcome = changed_by(waiting() if state == "awaiting" else None, asked(form("change", 1, amount=1)))

    assert not isinstance(outcome, Guarantee)
    assert [one.code for one in outcome] == ["guarantee_not_active" if state == "awaiting" else "guarantee_unknown"]


def test_a_portal_knows_its_own_customers_guarantees_and_the_office_all() -> None:
    own = Change.model_validate(form("change", 1, amount=1))
    other = Change.model_validate(form("change", 1, amount=1, customer_number="C-other"))

    assert is_visible_to(issued(), "portal-a", own, by_office=False)
    assert not is_visible_to(issued(), "portal-b", own, by_office=False)
    assert not is_visible_to(issued(), "portal-a", other, by_office=False)
    assert is_visible_to(issued(), "office", other, by_office=True)
    assert not is_visible_to(None, "office", own, by_office=True)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"amount": 20_000_001}, [("advance_over_maximum", "/amount")]),
        ({"price": 49_999_999}, [("advance_over_maximum", "/price")]),
        ({"price": 49_999_999, "amount": 19_999_999}, []),
        ({"price": 49_999_999, "amount": 20_000_000}, [("advance_over_maximum", "/amount")]),
        ({"price": 0, "amount": 0}, [("not_positive", "/price"), ("not_positive", "/amount")]),
        ({"amount": 50_000_001}, [("amount_over_base", "/amount"), ("advance_over_maximum", "/amount")]),
        ({"fiscal_year_amount": 50_000_000, "amount": 1}, []),
        ({"fiscal_year_amount": 50_000_001, "amount": 1}, [("fiscal_year_amount_over_price", "/fiscal_year_amount")]),
        ({"fiscal_year_amount": 49_999_999}, [("advance_over_maximum", "/fiscal_year_amount")]),
        ({"works_until": "2026-01-21"}, []),
        ({"works_until": "2026-01-20"}, [("works_end_before_start", "/works_until")]),
        ({"works_until": "2026-06-01", "contract_date": "2026-06-01"}, []),
        ({"works_until": "2026-05-31", "contract_date": "2026-06-01"}, [("contract_after_works", "/contract_date")]),
    ],
)
def test_new_values_keep_the_rules_of_an_application_to_the_yen_and_the_day(
    change: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(issued(), form("change", 1, **change)) == found


@pytest.mark.parametrize(
    ("low_bid", "amount", "found"),
    [
        (False, 4_999_999, [("performance_under_minimum", "/corrections/amount")]),
        (False, 5_000_001, []),
        (True, 14_999_999, [("performance_under_minimum", "/corrections/amount")]),
        (True, 15_000_000, []),
    ],
)
def test_a_performance_guarantee_keeps_its_minimum_and_a_higher_one_for_a_low_bid(
    low_bid: bool, amount: int, found: list[tuple[str, str]]
) -> None:
    guarantee = concluded(line=1)
    change = form("correction", 1, corrections={"amount": amount})

    assert problems(guarantee, change, line=1, contract__low_bid=low_bid) == found


def test_a_performance_guarantee_has_no_depository() -> None:
    change = form("correction", 1, corrections={"depository": "○○銀行\u3000××支店"})

    assert problems(concluded(line=1), change, line=1) == [("depository_only_on_advance", "/corrections/depository")]


def test_this_years_amount_is_that_of_the_year_in_which_a_change_tells_it() -> None:
    works: dict[str, Any] = {"contract__works_until": "2028-03-25"}
    change = form("change", 1, fiscal_year_amount=30_000_000, amount=12_000_000, works_until="2028-03-25")
    outcome = changed_by(issued(), asked(change, **works))

    assert isinstance(outcome, Guarantee)
    said = outcome.versions[-1].particulars
    assert said is not None
    assert (said.fiscal_year, said.guarantee_until.isoformat()) == (2026, "2027-03-31")


def test_a_years_amount_that_is_corrected_away_takes_its_year_along() -> None:
    places: dict[str, Any] = {"contract__fiscal_year_amount": 50_000_000, "contract__fiscal_year": 2026}
    outcome = changed_by(issued(), asked(form("correction", 1, corrections={"fiscal_year_amount": None}), **places))

    assert isinstance(outcome, Guarantee)
    said = outcome.versions[-1].particulars
    assert said is not None
    assert (said.fiscal_year_amount, said.fiscal_year) == (None, None)


def since(day: str, *, excluded: bool = True, basis: str = "contract_date") -> Terms:
    """Terms of an obligee that takes electronic certificates since this day."""
    told = {
        "electronic_since": day,
        "electronic_basis": basis,
        "changes_of_older_contracts_excluded": excluded,
        "electronic_source": "架空の例",
    }
    return Terms.model_validate(TERMS.model_dump() | told)


def test_a_corrected_contract_date_is_judged_again() -> None:
    where = "/corrections/contract_date"
    last_day_before = form("correction", 1, corrections={"contract_date": "2025-12-31"})
    first_day = form("correction", 1, corrections={"contract_date": "2026-01-01"})

    assert problems(issued(), last_day_before, terms=since("2026-01-01")) == [("obligee_not_electronic_on_date", where)]
    assert problems(issued(), first_day, terms=since("2026-01-01")) == []
    assert problems(concluded(line=1), last_day_before, terms=since("2026-01-01"), line=1) == []


def test_a_change_of_an_older_contract_is_electronic_only_where_such_changes_count() -> None:
    change = form("change", 1, amount=1, contract_date="2026-06-01")

    assert problems(issued(), change, terms=since("2026-04-01")) == [
        ("obligee_not_electronic_on_date", "/contract_date")
    ]
    assert problems(issued(), change, terms=since("2026-04-01", excluded=False)) == []
    assert problems(issued(), change, terms=since("2025-12-11", basis="tender_notice_date")) == [
        ("obligee_not_electronic_on_date", "/contract_date")
    ]
    assert problems(issued(), change, terms=since("2025-12-10", basis="tender_notice_date")) == []


def test_advance_payments_on_one_contract_are_counted_together() -> None:
    change = form("change", 1, amount=19_000_000)

    assert problems(issued(), change, beside=11_000_000) == []
    assert problems(issued(), change, beside=11_000_001) == [("together_over_maximum", "/amount")]


def test_the_content_of_a_change_is_known_again_whenever_it_was_sent_and_however_its_keys_stand() -> None:
    one = form("change", 1, amount=1)
    later = dict(reversed((one | {"submitted_at": "2026-06-02T10:00:00+09:00"}).items()))

    assert digest_of(one) == digest_of(later)
    assert digest_of(one) != digest_of(one | {"amount": 2})
