"""When a stage stops calling by itself, how it asks whether its outside is back, and how it starts again. All pure.

The words are those of a fuse box: while the breaker is *closed*, calls flow; while it is *open*, none is made. Rows
that wait for an open breaker burn neither attempts nor back-off.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared import clock
from shared.errands import Later, OurFault, Outcome, Settled, Sign

FAILURES_TO_OPEN = 10
"""So many different rows must fail one after another, in all processes together, with no success in between."""

FAILURES_TO_OPEN_AGAIN = 3
"""The same while the stage is starting again: who has just been away is believed sooner to be away. Then only rows
count that were never called before: what failed during the outage, and fails again, is no news."""

PROBE_S_MIN = 2.0
PROBE_S_MAX = 30.0
OUR_FAULT_PROBE_S = 60.0
"""Credentials are mended by people, and who knocks too often with wrong ones is locked out: no more than this."""

WAIT_S_MIN = 1.0
WAIT_S_MAX = 60.0
WISH_S_MAX = 600.0
"""However long one answer asks everybody to wait, one row asks again after this."""

RAMP_S = 5.0
"""How long a ramp lasts at most. After a shorter absence it is as short: where every tenth answer asks for a second
of rest, a long ramp after each would leave hardly any calls.
"""


class Breaker(StrEnum):
    """The states of a stage's breaker."""

    CLOSED = "closed"
    WAITING = "waiting"
    """The outside asked to be left alone for a while."""
    OPEN = "open"
    PROBING = "probing"
    """One row is being called to see whether the outside is back."""
    RAMPING = "ramping"
    """Calls flow again, few at once at first."""


class Edge(StrEnum):
    """What moves a breaker from one state to another."""

    KEPT_FAILING = "kept_failing"
    WAS_OUR_FAULT = "was_our_fault"
    ASKED_TO_WAIT = "asked_to_wait"
    WAITED = "waited"
    TOOK_PROBE = "took_probe"
    FAILED_PROBE = "failed_probe"
    TOLD_NOTHING = "told_nothing"
    """The probe ended without saying anything about the outside; another row must ask."""
    ANSWERED = "answered"
    RAMPED_UP = "ramped_up"


_CLOSED, _WAITING, _OPEN, _PROBING, _RAMPING = Breaker

EDGES: Mapping[Edge, Mapping[Breaker, Breaker]] = {
    Edge.KEPT_FAILING: {_CLOSED: _OPEN, _RAMPING: _OPEN},
    Edge.WAS_OUR_FAULT: {_CLOSED: _OPEN, _RAMPING: _OPEN, _WAITING: _OPEN, _PROBING: _OPEN},
    Edge.ASKED_TO_WAIT: {_CLOSED: _WAITING, _RAMPING: _WAITING, _WAITING: _WAITING, _PROBING: _WAITING},
    Edge.WAITED: {_WAITING: _RAMPING},
    # A probe whose process died is taken again.
    Edge.TOOK_PROBE: {_OPEN: _PROBING, _PROBING: _PROBING},
    Edge.FAILED_PROBE: {_PROBING: _OPEN},
    Edge.TOLD_NOTHING: {_PROBING: _OPEN},
    Edge.ANSWERED: {_OPEN: _RAMPING, _PROBING: _RAMPING},
    Edge.RAMPED_UP: {_RAMPING: _CLOSED},
}
"""Edge → state before → state after. What is not here changes nothing: a call that began before the stage stopped
may fail long afterwards, and says nothing new."""


CAUSES: Mapping[Edge, Edge] = {
    Edge.KEPT_FAILING: Edge.KEPT_FAILING,
    Edge.FAILED_PROBE: Edge.KEPT_FAILING,
    Edge.WAS_OUR_FAULT: Edge.WAS_OUR_FAULT,
    Edge.ASKED_TO_WAIT: Edge.ASKED_TO_WAIT,
}
"""Edge → what is the matter from then on. Other edges leave that as it was."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What the rules know of a stage.

    Attributes:
        rounds: waits and failed probes since the breaker was last closed; the next one lasts longer.
        failing: the different rows that failed since the last success, no more of them than open the breaker.
        probe_key: the row that probes.
    """

    breaker: Breaker = Breaker.CLOSED
    rounds: int = 0
    failing: tuple[str, ...] = ()
    probe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Tidings:
    """What calls that are recorded together say about their outside.

    Attributes:
        ended: the key of each call.
        retried: those of them that had been called before.
        wish_s: for how long everybody should wait, in seconds; None when nobody asked for that or nobody said.
    """

    ended: frozenset[str] = frozenset()
    retried: frozenset[str] = frozenset()
    succeeded: bool = False
    failing: tuple[str, ...] = ()
    reason: str = ""
    asked_to_wait: bool = False
    wish_s: float | None = None
    fault: str | None = None

    @property
    def are_bad(self) -> bool:
        """Whether a closed breaker has to hear of this. A success among failures shows that the outside is there."""
        return self.fault is not None or self.asked_to_wait or (bool(self.failing) and not self.succeeded)


@dataclass(frozen=True, slots=True)
class Step:
    """How a stage changes: by an edge, or without one when only `failing` does.

    Attributes:
        for_s: how long the stage waits, or until its next probe, in seconds; None when it does neither.
    """

    circuit: Circuit
    edge: Edge | None = None
    for_s: float | None = None
    reason: str | None = None


def tidings_of(batch: Sequence[tuple[str, Outcome]], retried: Collection[str] = ()) -> Tidings:
    """What these outcomes, each with the key of its row, say together; `retried` had been called before."""
    laters = [(key, outcome) for key, outcome in batch if isinstance(outcome, Later)]
    failing = [(key, outcome) for key, outcome in laters if outcome.sign is Sign.FAILING]
    waits = [outcome for _, outcome in laters if outcome.sign is Sign.WAIT]
    faults = [outcome.reason for _, outcome in batch if isinstance(outcome, OurFault)]
    reasons = [*(outcome.reason for outcome in waits), *(outcome.reason for _, outcome in failing)]
    return Tidings(
        ended=frozenset(key for key, _ in batch),
        retried=frozenset(retried),
        succeeded=any(isinstance(outcome, Settled) for _, outcome in batch),
        failing=tuple(dict.fromkeys(key for key, _ in failing)),
        reason=reasons[0] if reasons else "",
        asked_to_wait=bool(waits),
        wish_s=max((outcome.after_s for outcome in waits if outcome.after_s is not None), default=None),
        fault=faults[0] if faults else None,
    )


def judge(circuit: Circuit, told: Tidings) -> Step | None:
    """What these tidings change; None when nothing."""
    edge = _edge(circuit, told)
    if edge is not None:
        return _step(circuit, edge, told)
    failing = () if told.succeeded else _failing(circuit, told)
    if circuit.breaker in (Breaker.CLOSED, Breaker.RAMPING) and failing != circuit.failing:
        return Step(Circuit(circuit.breaker, circuit.rounds, failing))
    return None


def _edge(circuit: Circuit, told: Tidings) -> Edge | None:
    """The first edge that these tidings call for and that leads out of this state."""
    enough = FAILURES_TO_OPEN if circuit.breaker is Breaker.CLOSED else FAILURES_TO_OPEN_AGAIN
    failures = _failing(circuit, told)
    called_for = {
        Edge.WAS_OUR_FAULT: told.fault is not None,
        Edge.ASKED_TO_WAIT: told.asked_to_wait,
        Edge.ANSWERED: told.succeeded,
        Edge.FAILED_PROBE: circuit.probe_key in told.failing,
        Edge.TOLD_NOTHING: circuit.probe_key in told.ended,
        Edge.KEPT_FAILING: not told.succeeded and bool(told.failing) and len(failures) >= enough,
    }
    return next((edge for edge, wanted in called_for.items() if wanted and circuit.breaker in EDGES[edge]), None)


def moved(circuit: Circuit, edge: Edge, probe_key: str | None = None) -> Step:
    """An edge that no tidings bring: time, or a row that was taken to probe with."""
    rounds = 0 if edge is Edge.RAMPED_UP else circuit.rounds
    return Step(Circuit(EDGES[edge][circuit.breaker], rounds, probe_key=probe_key), edge)


def _step(circuit: Circuit, edge: Edge, told: Tidings) -> Step:
    after = EDGES[edge][circuit.breaker]
    match edge:
        case Edge.WAS_OUR_FAULT:
            return Step(Circuit(after, circuit.rounds + 1), edge, OUR_FAULT_PROBE_S, told.fault)
        case Edge.ASKED_TO_WAIT:
            wait_s = grown(WAIT_S_MIN, WAIT_S_MAX, circuit.rounds) if told.wish_s is None else told.wish_s
            # Many answers of one moment ask for one wait, which is not to grow with each of them.
            rounds = circuit.rounds if circuit.breaker is Breaker.WAITING else circuit.rounds + 1
            return Step(Circuit(after, rounds), edge, min(max(wait_s, 0.0), WISH_S_MAX), told.reason)
        case Edge.KEPT_FAILING | Edge.FAILED_PROBE:
            probe_s = clock.jittered(grown(PROBE_S_MIN, PROBE_S_MAX, circuit.rounds))
            return Step(Circuit(after, circuit.rounds + 1), edge, probe_s, told.reason)
        case Edge.TOLD_NOTHING:
            return Step(Circuit(after, circuit.rounds), edge, clock.jittered(PROBE_S_MIN))
        case _:
            return moved(circuit, edge)


def _failing(circuit: Circuit, told: Tidings) -> tuple[str, ...]:
    no_news = told.retried if circuit.breaker is Breaker.RAMPING else frozenset()
    now = [key for key in told.failing if key not in no_news]
    return tuple(dict.fromkeys([*circuit.failing, *now]))[:FAILURES_TO_OPEN]


def grown(least_s: float, most_s: float, rounds: int) -> float:
    """An interval that doubles with each round up to a cap."""
    return float(min(most_s, least_s * 2.0 ** min(rounds, 30)))


def ramped(slots: int, since_s: float, ramp_s: float) -> int:
    """How many of these slots may call so many seconds after a stage began to call again: one at first, then twice as
    many after each fifth of the ramp, all of them at its end.
    """
    if since_s >= ramp_s:
        return slots
    return max(1, min(slots, int(slots * 2.0 ** (5.0 * (since_s / ramp_s - 1.0)))))
