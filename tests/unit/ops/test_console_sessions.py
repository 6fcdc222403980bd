"""A session ends by itself, the unused go first when there are too many, and none of its secrets is printed."""

import hashlib
from collections.abc import Iterator

import pytest

from services.ops.web.console.sessions import IDLE_S_MAX, SESSION_S_MAX, SESSIONS_MAX, Sessions
from shared import clock
from shared.operator_door.operators import Operator, Operators

TOKEN = "a token of somebody"


@pytest.fixture
def hands() -> Iterator[clock.Hands]:
    """A clock that stands still."""
    with clock.standing_at(clock.now()) as held:
        yield held


@pytest.fixture
def sessions(hands: clock.Hands) -> Sessions:
    """Sessions of one known viewer."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return Sessions(Operators([Operator(name="night.watch", scope="viewer", token_sha256=(digest,))]))


def begun(sessions: Sessions) -> str:
    identity = sessions.begin(TOKEN)
    assert identity is not None
    return identity


def test_only_a_known_token_begins_a_session(sessions: Sessions) -> None:
    for token in ("", "wrong", TOKEN + " ", "x" * 10_000):
        assert sessions.begin(token) is None
    session = sessions.of(begun(sessions))

    assert session is not None
    assert session.operator.name == "night.watch"
    assert not session.may_act


def test_two_sessions_of_one_person_have_nothing_in_common(sessions: Sessions) -> None:
    first, second = begun(sessions), begun(sessions)
    one, other = sessions.of(first), sessions.of(second)

    assert first != second
    assert one is not None
    assert other is not None
    assert not one.fits(other.csrf)
    assert one.fits(one.csrf)


def test_a_session_that_nobody_uses_is_over(sessions: Sessions, hands: clock.Hands) -> None:
    identity = begun(sessions)
    hands.advance(IDLE_S_MAX - 1)
    used = sessions.of(identity)
    hands.advance(IDLE_S_MAX - 1)
    used_again = sessions.of(identity)
    hands.advance(IDLE_S_MAX + 1)

    assert used is used_again is not None
    assert sessions.of(identity) is None


def test_a_session_is_over_after_half_a_day_however_much_it_is_used(sessions: Sessions, hands: clock.Hands) -> None:
    identity = begun(sessions)
    step_s = IDLE_S_MAX / 2
    hands.advance(step_s - 1)
    for _ in range(int(SESSION_S_MAX // step_s) - 1):
        assert sessions.of(identity) is not None
        hands.advance(step_s)
    assert sessions.of(identity) is not None
    hands.advance(2)

    assert sessions.of(identity) is None


def test_of_too_many_sessions_the_one_unused_for_longest_goes(sessions: Sessions) -> None:
    first, second = begun(sessions), begun(sessions)
    for _ in range(SESSIONS_MAX - 2):
        begun(sessions)
    assert sessions.of(first) is not None
    begun(sessions)

    assert sessions.of(first) is not None
    assert sessions.of(second) is None


def test_neither_token_nor_mark_is_printed(sessions: Sessions) -> None:
    session = sessions.of(begun(sessions))

    assert session is not None
    assert TOKEN not in repr(session)
    assert session.csrf not in repr(session)
