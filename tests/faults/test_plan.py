"""A plan follows from its seed alone, and a storm has enough of everything."""

from tests.faults.plan import KINDS, KINDS_OF_OWN_SERVERS, quick, storm
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
    assert len(storm(7, 1).faults) == len(KINDS) + len(KINDS_OF_OWN_SERVERS)
