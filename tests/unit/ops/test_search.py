"""People find works by a piece of a name, however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.search import folded, grams, wanted


@pytest.mark.parametrize("typed", ["ﾐｼﾏ建設", "ミシマ 建設", "ミシマ　建設"])
def test_half_and_full_width_and_blanks_do_not_count(typed: str) -> None:
    assert folded(typed) == "ミシマ建設"


@given(text=st.text(max_size=40), start=st.integers(0, 40), length=st.integers(1, 10))
def test_any_piece_of_a_name_asks_for_grams_the_name_has(text: str, start: int, length: int) -> None:
    whole = folded(text)
    piece = whole[start : start + length]

    assert set(wanted(piece)) <= set(grams(whole))


@given(text=st.text())
def test_no_text_can_break_a_search(text: str) -> None:
    assert "\x00" not in "".join(wanted(folded(text)))
