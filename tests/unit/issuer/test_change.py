"""What a change makes of a guarantee and its history, and what its life has against one."""

import pytest

from services.issuer.domain.change import Change, changed_by, is_visible_to
from services.issuer.domain.events import arrive
from services.issuer.domain.guarantee import Guarantee
from services.issuer.domain.states import GuaranteeState
from tests.unit.issuer.changing import asked, came, form, problems, refused, seen, sent
from tests.unit.issuer.samples import ARRIVED_AT, concluded, issued, moved, waiting


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
