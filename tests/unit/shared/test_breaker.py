"""When a stage stops calling, how it asks whether its outside is back, and how it starts again."""

import random
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errands import Hold, Later, OurFault, Outcome, Settled, Sign
from shared.errands.breaker import (
    EDGES,
    FAILURES_TO_OPEN,
    FAILURES_TO_OPEN_AGAIN,
    OUR_FAULT_PROBE_S,
    PROBE_S_MAX,
    PROBE_S_MIN,
    RAMP_S,
    WAIT_S_MAX,
    WAIT_S_MIN,
    WISH_S_MAX,
    Breaker,
    Circuit,
    Edge,
    Step,
    Tidings,
    grown,
    judge,
    moved,
    ramped,
    tidings_of,
)

FAILED: Final = Later("reset", unknown=True, sign=Sign.FAILING)
REFUSED_FOR_NOW: Final = Later("busy with this one", after_s=5.0)
SUCCESS: Final = Settled("the answer")
PROBING: Final = Circuit(Breaker.PROBING, rounds=2, probe_key="probe")


def told(circuit: Circuit, *batch: tuple[str, Outcome]) -> Step | None:
    return judge(circuit, tidings_of(batch))


def after(circuit: Circuit, *batches: list[tuple[str, Outcome]]) -> Circuit:
    for batch in batches:
        step = told(circuit, *batch)
        circuit = step.circuit if step is not None else circuit
    return circuit


def failures(count: int, first: int = 0) -> list[tuple[str, Outcome]]:
    return [(f"row-{number}", FAILED) for number in range(first, first + count)]


def test_so_many_different_rows_failing_one_after_another_open_the_breaker_and_one_fewer_does_not() -> None:
    singly = [failures(1, first=number) for number in range(FAILURES_TO_OPEN)]

    assert after(Circuit(), *singly[:-1]).breaker is Breaker.CLOSED
    assert after(Circuit(), *singly).breaker is Breaker.OPEN
    assert after(Circuit(), failures(FAILURES_TO_OPEN)).breaker is Breaker.OPEN


def test_one_row_that_always_fails_never_opens_the_breaker_for_all() -> None:
    again: list[tuple[str, Outcome]] = [("poison", FAILED)]
    circuit = after(Circuit(), *[again] * 1_000)

    assert circuit.breaker is Breaker.CLOSED
    assert circuit.failing == ("poison",)


def test_a_success_among_the_failures_shows_that_the_outside_is_there() -> None:
    nearly = after(Circuit(), failures(FAILURES_TO_OPEN - 1))
    batch = [*failures(50, first=100), ("good", SUCCESS)]

    assert not tidings_of(batch).are_bad
    assert after(nearly, batch).failing == ()
    assert after(nearly, [("good", SUCCESS)], failures(FAILURES_TO_OPEN - 1)).breaker is Breaker.CLOSED


@pytest.mark.parametrize("outcome", [REFUSED_FOR_NOW, Hold("a person must look"), Later("no key")])
def test_what_is_about_one_row_says_nothing_about_the_stage(outcome: Outcome) -> None:
    batch = [(f"{number}", outcome) for number in range(100)]

    assert not tidings_of(batch).are_bad
    assert told(Circuit(), *batch) is None
    assert told(Circuit(Breaker.RAMPING), *batch) is None


def test_a_stage_that_starts_again_is_believed_sooner_to_be_away() -> None:
    assert FAILURES_TO_OPEN_AGAIN < FAILURES_TO_OPEN
    assert after(Circuit(Breaker.RAMPING), failures(FAILURES_TO_OPEN_AGAIN)).breaker is Breaker.OPEN
    assert after(Circuit(Breaker.RAMPING), failures(FAILURES_TO_OPEN_AGAIN - 1)).breaker is Breaker.RAMPING


def test_rows_that_failed_before_are_no_news_while_the_stage_starts_again() -> None:
    old = failures(FAILURES_TO_OPEN)
    told = tidings_of(old, [key for key, _ in old])

    assert judge(Circuit(Breaker.RAMPING), told) is None
    assert getattr(judge(Circuit(), told), "edge", None) is Edge.KEPT_FAILING


def test_only_the_failure_of_the_row_that_probes_counts_against_the_probe() -> None:
    late = told(PROBING, *failures(30))
    failed = told(PROBING, ("probe", FAILED))

    assert late is None
    assert failed is not None
    assert (failed.edge, failed.circuit) == (Edge.FAILED_PROBE, Circuit(Breaker.OPEN, rounds=3))


def test_the_first_success_closes_the_breaker_whoever_brings_it() -> None:
    for circuit in (PROBING, Circuit(Breaker.OPEN, rounds=5)):
        step = told(circuit, ("another", SUCCESS), *failures(30))
        assert step is not None
        assert (step.edge, step.circuit.breaker) == (Edge.ANSWERED, Breaker.RAMPING)


@pytest.mark.parametrize("outcome", [Hold("odd"), REFUSED_FOR_NOW])
def test_a_probe_that_tells_nothing_is_followed_by_another_soon(outcome: Outcome) -> None:
    step = told(PROBING, ("probe", outcome))

    assert step is not None
    assert (step.edge, step.circuit) == (Edge.TOLD_NOTHING, Circuit(Breaker.OPEN, rounds=2))
    assert PROBE_S_MIN / 2 <= (step.for_s or 0) <= PROBE_S_MIN


def test_probes_come_in_growing_and_jittered_intervals_up_to_a_cap() -> None:
    waits: list[float] = []
    circuit = PROBING
    for _ in range(12):
        step = told(replace(circuit, breaker=Breaker.PROBING, probe_key="probe"), ("probe", FAILED))
        assert step is not None
        circuit = step.circuit
        waits.append(step.for_s or 0)
    drawn = {(told(PROBING, ("probe", FAILED)) or Step(PROBING)).for_s for _ in range(20)}

    assert all(grown(PROBE_S_MIN, PROBE_S_MAX, 2 + n) / 2 <= wait <= PROBE_S_MAX for n, wait in enumerate(waits))
    assert waits[0] <= grown(PROBE_S_MIN, PROBE_S_MAX, 2) < PROBE_S_MAX
    assert min(waits[-5:]) >= PROBE_S_MAX / 2
    assert len(drawn) > 1


def test_our_fault_stops_the_stage_at_once_and_is_probed_no_more_often_than_every_minute() -> None:
    for circuit in (Circuit(), PROBING, Circuit(Breaker.RAMPING), Circuit(Breaker.WAITING)):
        step = told(circuit, ("good", SUCCESS), ("probe", OurFault("401")))
        assert step is not None
        assert (step.edge, step.circuit.breaker, step.for_s) == (Edge.WAS_OUR_FAULT, Breaker.OPEN, OUR_FAULT_PROBE_S)
        assert step.reason == "401"


@pytest.mark.parametrize(("wish_s", "for_s"), [(0.0, 0.0), (17.5, 17.5), (-3.0, 0.0), (10.0**9, WISH_S_MAX)])
def test_one_wish_lets_the_whole_stage_wait_up_to_a_cap(wish_s: float, for_s: float) -> None:
    asked = Later("503", after_s=wish_s, sign=Sign.WAIT)
    step = told(Circuit(), ("one", asked), ("two", REFUSED_FOR_NOW), ("three", SUCCESS))

    assert step is not None
    assert (step.edge, step.circuit.breaker, step.for_s) == (Edge.ASKED_TO_WAIT, Breaker.WAITING, for_s)


def test_a_wish_without_a_time_waits_longer_each_round_but_not_for_each_of_many_answers() -> None:
    asked = Later("421", sign=Sign.WAIT)
    circuit, waits = Circuit(), []
    for _ in range(10):
        step = told(circuit, ("one", asked))
        assert step is not None
        again = told(step.circuit, ("two", asked))
        assert again is not None
        assert again.circuit.rounds == step.circuit.rounds
        circuit = moved(step.circuit, Edge.WAITED).circuit
        waits.append(step.for_s or 0)

    assert waits[:4] == [WAIT_S_MIN * 2.0**n for n in range(4)]
    assert waits[-1] == WAIT_S_MAX
    assert moved(circuit, Edge.RAMPED_UP).circuit == Circuit()


@given(slots=st.integers(1, 500), moments=st.lists(st.floats(0, 20), min_size=2, max_size=8))
def test_a_ramp_begins_with_one_call_never_shrinks_and_ends_with_all_slots(slots: int, moments: list[float]) -> None:
    allowed = [ramped(slots, since_s, RAMP_S) for since_s in sorted(moments)]

    assert ramped(slots, 0.0, RAMP_S) <= max(1, slots // 16)
    assert allowed == sorted(allowed)
    assert all(1 <= one <= slots for one in allowed)
    assert ramped(slots, RAMP_S, RAMP_S) == slots


def test_every_state_can_be_left_and_reached_and_no_edge_is_idle() -> None:
    ways = [(before, reached) for table in EDGES.values() for before, reached in table.items()]

    assert set(EDGES) == set(Edge)
    assert {before for before, reached in ways if before is not reached} == set(Breaker)
    assert {reached for before, reached in ways if before is not reached} == set(Breaker)


OUTCOMES: Final = st.sampled_from(
    [FAILED, SUCCESS, REFUSED_FOR_NOW, OurFault("401"), Hold("odd"), Later("503", after_s=3.0, sign=Sign.WAIT)]
)
BATCHES: Final = st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), OUTCOMES), min_size=1, max_size=20)


@given(batches=st.lists(BATCHES, max_size=30), seed=st.integers())
def test_whatever_is_told_the_stage_moves_along_the_table_only_and_heals_after_all(
    batches: list[list[tuple[str, Outcome]]], seed: int
) -> None:
    dice, circuit = random.Random(seed), Circuit()
    for batch in batches:
        if circuit.breaker is Breaker.OPEN and dice.random() < 0.7:
            circuit = moved(circuit, Edge.TOOK_PROBE, "a").circuit
        elif circuit.breaker is Breaker.WAITING and dice.random() < 0.7:
            circuit = moved(circuit, Edge.WAITED).circuit
        step = told(circuit, *batch)
        if step is not None and step.edge is not None:
            assert step.circuit.breaker is EDGES[step.edge][circuit.breaker]
        assert step is None or len(step.circuit.failing) < FAILURES_TO_OPEN
        assert step is None or (step.circuit.breaker in (Breaker.OPEN, Breaker.WAITING)) == (step.for_s is not None)
        circuit = step.circuit if step is not None else circuit
        assert (circuit.probe_key is not None) == (circuit.breaker is Breaker.PROBING)
    if circuit.breaker is Breaker.WAITING:
        circuit = moved(circuit, Edge.WAITED).circuit
    circuit = after(circuit, [("good", SUCCESS)])

    assert circuit.breaker in (Breaker.CLOSED, Breaker.RAMPING)


def test_what_nothing_was_told_of_changes_nothing() -> None:
    assert all(judge(Circuit(breaker), Tidings()) is None for breaker in Breaker)
