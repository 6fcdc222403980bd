"""Turns: nobody is lost, everybody's own order stands, and a flood is passed."""

from hypothesis import given
from hypothesis import strategies as st

from shared.turns import in_turns, portal_of

THINGS = st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=40)


@given(THINGS)
def test_everything_stays_and_each_owners_things_stay_in_order(things: list[tuple[str, int]]) -> None:
    turned = list(in_turns(things, lambda thing: thing[0]))

    for owner in "abc":
        assert [thing for thing in turned if thing[0] == owner] == [thing for thing in things if thing[0] == owner]
    assert len(turned) == len(things)


@given(st.integers(1, 500))
def test_the_only_thing_of_a_quiet_owner_is_the_second_at_the_latest(flood: int) -> None:
    turned = list(in_turns([*("a" * flood), "b"], str))

    assert turned.index("b") == 1


def test_the_one_that_waits_longest_is_the_first() -> None:
    assert list(in_turns("aabb", str)) == ["a", "b", "a", "b"]
    assert list(in_turns("bbaa", str)) == ["b", "a", "b", "a"]


def test_the_portal_stands_in_front_of_the_application() -> None:
    assert portal_of("portal-a/A-2026/1") == "portal-a"
    assert portal_of("") == ""
