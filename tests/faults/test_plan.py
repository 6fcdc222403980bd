"""A plan follows from its seed alone, and a storm has enough of everything."""

from random import Random

from shared.errands.backoff import BACKOFF_S_MAX
from tests.faults.kinds.outside import PlatformAway
from tests.faults.plan import KINDS, KINDS_OF_OWN_SERVERS, KINDS_ONCE, away, quick, storm
from tests.faults.workload import ROUGH, applications

FAULTS = 200
KINDS_MIN = 20


def test_the_same_seed_gives_the_same_plan_and_the_same_applications() -> None:
    assert storm(7, FAULTS) == storm(7, FAULTS)
    assert quick(7) == quick(7)
    assert applications(7, 50, ROUGH) == applications(7, 50, ROUGH)


def test_another_seed_gives_another_plan() -> None:
    assert storm(7, FAULTS) != storm(8, FAULTS)
    assert quick(7) != quick(8)


def test_a_storm_has_all_the_faults_asked_for_and_more_than_enough_kinds() -> None:
    plan = storm(7, FAULTS)

    assert len(plan.faults) == len(plan.lines) >= FAULTS
    assert len({fault.kind for fault in plan.faults}) >= KINDS_MIN


def test_every_kind_comes_at_least_once_however_short_the_storm() -> None:
    names = {type(fault).__name__ for fault in storm(7, 1).faults}

    assert names == {type(fault).__name__ for fault in storm(7, FAULTS).faults}
    assert len(storm(7, 1).faults) == len(KINDS) + len(KINDS_ONCE) + len(KINDS_OF_OWN_SERVERS)


def test_what_must_be_struck_is_what_was_asked_for() -> None:
    assert (storm(7, FAULTS).struck_min, storm(7, FAULTS).kinds_min) == (FAULTS, KINDS_MIN)
    assert len(storm(7, FAULTS).faults) > FAULTS
    assert 0 < quick(7).struck_min < len(quick(7).faults)


def test_servers_that_are_not_ours_are_neither_killed_nor_alarmed() -> None:
    plan = storm(7, FAULTS, own_servers=False)
    kinds = {fault.kind for fault in plan.faults}
    of_servers = {draw(Random(1)).kind for draw in KINDS_OF_OWN_SERVERS}

    assert {"rabbitmq killed", "postgres restarted", "memory alarm", "disk alarm"} <= of_servers
    assert not kinds & of_servers
    assert len(plan.faults) > FAULTS
    assert len(kinds) >= KINDS_MIN


def test_the_platform_is_away_for_longer_than_any_row_waits() -> None:
    (fault,) = away(7).faults

    assert isinstance(fault, PlatformAway)
    assert fault.lasts_s > BACKOFF_S_MAX
