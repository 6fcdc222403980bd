"""What a change is called and whether it came before; and that nothing that is sent goes unanswered."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.body import Unreadable
from services.intake.domain.change import judge_change
from services.intake.domain.decision import Book, Outcome, Refuse, Repeat, decide
from services.intake.domain.verdict import Bad, Judged
from tests.unit.intake import mutations
from tests.unit.intake.changes import CHANGE, judged_change, refusal_of_change
from tests.unit.intake.samples import DOOR, body_of


def test_an_accepted_id_repeats_or_conflicts_as_with_applications() -> None:
    first, other = judged_change({}), judged_change({"/amount": 1})
    later = judged_change({"/submitted_at": "2026-06-02T00:00:00Z"})
    decision = decide(Book.CHANGES, other, first.digest)

    assert decide(Book.CHANGES, later, first.digest) == Repeat()
    assert isinstance(decision, Refuse)
    assert decision.outcome is Outcome.CONFLICTED
    assert [(told.code, told.pointer) for told in decision.problems] == [("change_id_taken", "/change_id")]


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"change_id": "A-1", "guarantee_number": "00000-000001"}, ("A-1", "00000-000001")),
        ({"change_id": 5, "guarantee_number": "1"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_a_change_is_refused_by_name_where_it_can_be_read(document: object, names: tuple[Any, Any]) -> None:
    refused = judge_change(body_of(document), DOOR)

    assert isinstance(refused, Judged)
    assert (refused.id, refused.guarantee_number) == names


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'\xef\xbb\xbf{"a": 1}', b"[" * 100_000])
def test_what_cannot_be_read_is_told_as_with_applications(body: bytes) -> None:
    ((code, pointer),) = refusal_of_change(body)

    assert (code.startswith("body_"), pointer) == (True, "")


@given(dice=st.randoms(use_true_random=True))
@settings(max_examples=1_000, deadline=None)
def test_every_body_ends_as_exactly_one_of_good_bad_and_unreadable(dice: random.Random) -> None:
    result = judge_change(mutations.change_body(dice), DOOR)

    if isinstance(result, Unreadable):
        assert result.problems
    elif isinstance(result.verdict, Bad):
        assert result.verdict.problems
        assert all("{" not in told.message_ja + told.message_en for told in result.verdict.problems)
    else:
        assert result.verdict.change["change_id"] == result.id
        assert set(result.verdict.change) == set(CHANGE)
