"""What officials type is mended where that is certain, and nowhere else."""

import pytest

from simulators.platform.entry import entered

KEY = "Z28YUE4J3Bux"


@pytest.mark.parametrize(
    "typed",
    [
        "00000-000001",
        " 00000-000001\n",
        "00000000001",
        "０００００－０００００１",
        "00000−000001",
        "00000ー000001",
        "00000 - 000 001",
        "00000-000001\u200b",
        "\ufeff00000\u3000000001",
    ],
)
def test_a_number_is_found_in_any_width_with_any_hyphen_and_spaces(typed: str) -> None:
    entry = entered(typed, KEY)

    assert (entry.number, entry.shown, entry.is_whole) == ("00000-000001", "00000-000001", True)


@pytest.mark.parametrize(
    "typed",
    ["Z28YUE4J3Bux", " Z28Y UE4J 3Bux ", "Ｚ２８ＹＵＥ４Ｊ３Ｂｕｘ", "Z28YUE4J\u30003Bux", "Z28Y\u200bUE4J3Bux\r\n"],
)
def test_a_key_is_found_in_any_width_and_with_spaces(typed: str) -> None:
    assert entered("00000-000001", typed).auth_key == KEY


def test_look_alikes_are_never_guessed() -> None:
    """A 0 that should be an O would be another key, and trying both would be two tries in one check."""
    typed = "0Oo1lIi2Zz5S8B"

    assert entered("00000-000001", typed).auth_key == typed


@pytest.mark.parametrize("typed", ["", "   ", "0000-000001", "00000-00000a", "000000000011", "00000–000–001", "保証"])
def test_what_cannot_be_a_number_is_told_and_goes_back_into_its_field(typed: str) -> None:
    entry = entered(typed, KEY)

    assert not entry.is_whole
    assert entry.number_problem
    assert entry.key_problem is None
    assert entry.shown == typed.strip()


@pytest.mark.parametrize("typed", ["", "\u3000", "Z28Y-UE4J", "Z28YUE4J3Bu×", "é", "１" * 65, "①②"])
def test_what_cannot_be_a_key_is_told(typed: str) -> None:
    entry = entered("00000-000001", typed)

    assert not entry.is_whole
    assert entry.key_problem


def test_an_entry_shows_its_number_and_never_its_key() -> None:
    assert KEY not in repr(entered("00000-000001", KEY))
