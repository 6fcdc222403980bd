"""The one door to time and dice: what it gives is aware, bounded, and can be held still by a test."""

import random
import string
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared import clock


def test_now_is_aware_and_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_monotonic_never_runs_backwards() -> None:
    first = clock.monotonic_s()

    assert clock.monotonic_s() >= first


def test_a_standing_clock_moves_only_when_told() -> None:
    new_year = datetime(2026, 1, 1, tzinfo=clock.TOKYO)
    with clock.standing_at(new_year) as hands:
        started_s = clock.monotonic_s()
        hands.advance(90)

        assert clock.now() == datetime(2025, 12, 31, 15, 1, 30, tzinfo=UTC)
        assert clock.now().tzinfo is UTC
        assert clock.monotonic_s() - started_s == pytest.approx(90)

    assert clock.now() > new_year


def test_standing_clocks_nest_and_the_outer_one_comes_back_after_an_error() -> None:
    outer, inner = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    with clock.standing_at(outer):
        with pytest.raises(RuntimeError), clock.standing_at(inner):
            raise RuntimeError

        assert clock.now() == outer


def test_a_clock_cannot_stand_at_a_naive_time() -> None:
    with pytest.raises(ValueError, match="aware"), clock.standing_at(datetime(2026, 1, 1)):  # noqa: DTZ001 - on purpose
        pass


def test_a_fault_run_sets_the_time_of_day_wrong_and_right_again_and_nothing_else(tmp_path: Path) -> None:
    told = tmp_path / "wrong_by_s"
    told.touch()
    clock.jump_by(clock.told_by(told))
    try:
        right, even_s = clock.now(), clock.monotonic_s()
        told.write_text("-0000000000003600.000\n")
        behind = clock.now()
        told.write_text("+0000000000086400.000\n")
        ahead = clock.now()
        elapsed_s = clock.monotonic_s() - even_s
    finally:
        clock.jump_by(None)

    assert abs(right - datetime.now(UTC)) < timedelta(seconds=60)
    assert timedelta(minutes=59) < right - behind < timedelta(minutes=61)
    assert timedelta(hours=23) < ahead - right < timedelta(hours=25)
    assert 0 <= elapsed_s < 60
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=60)


def test_jitter_stays_between_half_and_whole_and_spreads() -> None:
    waits = [clock.jittered(8.0, random.Random(seed)) for seed in range(200)]

    assert all(4.0 <= wait <= 8.0 for wait in waits)
    assert max(waits) - min(waits) > 3.5


def test_jitter_with_a_seed_can_be_had_again() -> None:
    assert clock.jittered(8.0, random.Random(7)) == clock.jittered(8.0, random.Random(7))


def test_drawn_identifiers_and_secrets_have_the_shape_that_was_asked_for() -> None:
    assert clock.new_uuid().version == 4
    assert len(clock.random_bytes(12)) == 12
    assert len(clock.random_text("ab", 40)) == 40
    assert set(clock.random_text("ab", 200)) == {"a", "b"}


def test_every_character_of_a_drawn_text_has_the_same_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """62 characters do not divide 256 values; the values left over are drawn again."""
    monkeypatch.setattr("shared.clock.secrets.token_bytes", lambda _: bytes(range(256)))
    alphabet = string.ascii_letters + string.digits
    shares = Counter(clock.random_text(alphabet, 248))

    assert set(shares.values()) == {4}
    assert set(shares) == set(alphabet)
