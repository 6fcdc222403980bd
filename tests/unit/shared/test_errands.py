"""How long a row waits, and what is remembered of a try."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errands import Claimed, Later, OurFault
from shared.errands.backoff import BACKOFF_S_MAX, BACKOFF_S_MIN, OUTSIDE_WISH_S_MAX, postponed, writable
from shared.errands.store import _first_true

ROW = Claimed(
    "e", "k", b"", 1, unknown_before=False, token=1, correlation="c", traceparent=None, created_at=datetime.now(UTC)
)


@pytest.mark.parametrize(("attempts", "most_s"), [(1, 1), (2, 2), (3, 4), (8, 128), (9, 256), (10, 300), (10_000, 300)])
def test_the_back_off_doubles_up_to_a_cap_and_at_least_half_of_it_is_waited(attempts: int, most_s: float) -> None:
    waits = [postponed(replace(ROW, attempts=attempts), Later("closed"))[1] for _ in range(50)]

    assert all(most_s / 2 <= wait_s <= most_s for wait_s in waits)
    assert len(set(waits)) > 1
    assert most_s <= BACKOFF_S_MAX
    assert min(waits) >= BACKOFF_S_MIN / 2


@pytest.mark.parametrize(("wish_s", "wait_s"), [(0.0, 0.0), (17.5, 17.5), (-3.0, 0.0), (10.0**9, OUTSIDE_WISH_S_MAX)])
def test_the_wish_of_the_outside_is_neither_shortened_nor_jittered(wish_s: float, wait_s: float) -> None:
    assert postponed(ROW, Later("busy", after_s=wish_s)) == (ROW, wait_s, "busy", False, False)


def test_our_fault_burns_no_attempt_and_a_cut_leaves_the_outcome_unknown() -> None:
    assert postponed(ROW, OurFault("401")) == (ROW, 0.0, "401", False, True)
    assert postponed(ROW, Later("cut", after_s=1, unknown=True)) == (ROW, 1, "cut", True, False)


def test_whatever_the_outside_says_can_be_written() -> None:
    assert writable("a\x00b\udcffc 断") == "ab?c 断"


@pytest.mark.parametrize(
    ("leasable", "most", "leased"),
    [([True, True, True], 2, [1, 1, 0]), ([False, True, True], 1, [0, 1, 0]), ([True], 0, [0]), ([], 5, [])],
)
def test_only_the_first_rows_that_may_be_called_now_are_leased(
    leasable: list[bool], most: int, leased: list[int]
) -> None:
    assert _first_true(leasable, most) == leased
