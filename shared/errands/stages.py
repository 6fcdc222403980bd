"""A stage: the outside of one errand, as all processes of a service see it. Here is what it permits; all pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errands import closing
from shared.errands.breaker import CAUSES, RAMP_S, Breaker, Circuit, Edge, Step, moved, ramped
from shared.errands.closing import Announced, Weekly


@dataclass(frozen=True, slots=True)
class Pause:
    """That an operator stopped a stage."""

    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's row, with the database's time at which it was read. Every time is aware.

    Attributes:
        cause: the edge by which the breaker left its closed state.
        reason: what was said then, by the outside perhaps; None while the breaker is closed.
        since: when the breaker left its closed state.
        changed_at: when the breaker came into its present state.
        until: when the next probe may go, or a wait ends.
        failing_since: when the first of the failing rows failed; a success after it clears them.
        resumed_at: when the last pause ended.
        announced: hours of closing that are announced, also those that have just ended.
    """

    errand: str
    at: datetime
    circuit: Circuit = field(default_factory=Circuit)
    cause: Edge | None = None
    reason: str | None = None
    since: datetime | None = None
    changed_at: datetime | None = None
    until: datetime | None = None
    failing_since: datetime | None = None
    pause: Pause | None = None
    resumed_at: datetime | None = None
    announced: Sequence[Announced] = ()


def after(stage: Stage, step: Step) -> Stage:
    """The stage after a step that is taken at `stage.at`."""
    circuit = step.circuit
    since_failing = (stage.failing_since if stage.circuit.failing else stage.at) if circuit.failing else None
    if step.edge is None:
        return replace(stage, circuit=circuit, failing_since=since_failing)
    until = None if step.for_s is None else stage.at + timedelta(seconds=step.for_s)
    if circuit.breaker is Breaker.WAITING and stage.circuit.breaker is Breaker.WAITING and stage.until is not None:
        # Of many wishes the longest counts.
        until = stage.until if until is None else max(until, stage.until)
    is_closed = circuit.breaker is Breaker.CLOSED
    return replace(
        stage,
        circuit=circuit,
        failing_since=since_failing,
        cause=None if is_closed else CAUSES.get(step.edge, stage.cause),
        reason=None if is_closed else step.reason or stage.reason,
        since=None if is_closed else stage.since or stage.at,
        changed_at=stage.at,
        until=until,
    )


def due_step(stage: Stage) -> Step | None:
    """The step that time alone brings: the end of a wait, or of a ramp."""
    circuit, at = stage.circuit, stage.at
    if circuit.breaker is Breaker.WAITING and (stage.until is None or stage.until <= at):
        return moved(circuit, Edge.WAITED)
    if circuit.breaker is Breaker.RAMPING and (stage.changed_at is None or at - stage.changed_at >= _ramp(stage)):
        return moved(circuit, Edge.RAMPED_UP)
    return None


def _ramp(stage: Stage) -> timedelta:
    """How long the stage takes to call as ever again: as long as its breaker stood open, within limits."""
    if stage.changed_at is None or stage.since is None:
        return timedelta(seconds=RAMP_S)
    return min(timedelta(seconds=RAMP_S), stage.changed_at - stage.since)


class Standing(StrEnum):
    """Why a stage is called or not, in one word."""

    CALLING = "calling"
    RAMPING = "ramping"
    """It is called again, few rows at once at first."""
    PAUSED = "paused"
    """An operator stopped it."""
    CLOSED_HOURS = "closed_hours"
    """The outside is closed as planned."""
    WAITING = "waiting"
    """The outside asked for a while of rest."""
    FAILING = "failing"
    """The outside keeps failing, and is probed."""
    OUR_FAULT = "our_fault"
    """The outside does not accept us; a person must mend that. It is probed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A stage as people and metrics see it; the free words of outsiders and operators are in `Stage`.

    Attributes:
        since: since when it stands so; None when that is not known, or all is well.
        until: until when it stands so at least; None when nobody knows.
    """

    standing: Standing
    since: datetime | None = None
    until: datetime | None = None


def shown(stage: Stage, weekly: Sequence[Weekly], at: datetime) -> Shown:
    """What stands between a stage and its calls at this moment: the pause first, then the hours, then the breaker."""
    if stage.pause is not None:
        return Shown(Standing.PAUSED, stage.pause.since)
    if (opens_at := closing.closed_until(weekly, stage.announced, at)) is not None:
        return Shown(Standing.CLOSED_HOURS, until=opens_at)
    match stage.circuit.breaker:
        case Breaker.WAITING:
            return Shown(Standing.WAITING, stage.since, stage.until)
        case Breaker.OPEN | Breaker.PROBING:
            ours = stage.cause is Edge.WAS_OUR_FAULT
            return Shown(Standing.OUR_FAULT if ours else Standing.FAILING, stage.since, stage.until)
        case Breaker.RAMPING:
            return Shown(Standing.RAMPING, stage.since)
        case Breaker.CLOSED:
            ramping = _began_again(stage, weekly, at)
            return Shown(Standing.CALLING) if ramping is None else Shown(Standing.RAMPING, ramping[0])


def permitted(stage: Stage, weekly: Sequence[Weekly], slots: int, at: datetime) -> int:
    """How many of its slots a process may use at this moment. A probe is permitted apart from this."""
    match shown(stage, weekly, at).standing:
        case Standing.CALLING:
            return slots
        case Standing.RAMPING:
            ramping = _began_again(stage, weekly, at)
            if ramping is None:
                return slots
            since, ramp = ramping
            return ramped(slots, (at - since).total_seconds(), ramp.total_seconds())
        case _:
            return 0


def may_probe(stage: Stage, weekly: Sequence[Weekly], at: datetime) -> bool:
    """Whether it is time for one row to ask whether the outside is back."""
    if shown(stage, weekly, at).standing not in (Standing.FAILING, Standing.OUR_FAULT):
        return False
    # While a probe is under way there is no such time; whether it has died, only its row can tell.
    return stage.until is None or stage.until <= at


def _began_again(stage: Stage, weekly: Sequence[Weekly], at: datetime) -> tuple[datetime, timedelta] | None:
    """When calls began to flow again and for how long they do not come all at once; None when that is over."""
    longest = timedelta(seconds=RAMP_S)
    moments = [
        (stage.changed_at if stage.circuit.breaker is Breaker.RAMPING else None, _ramp(stage)),
        (stage.resumed_at, longest),
        (closing.reopened_at(weekly, stage.announced, at, longest), longest),
    ]
    return max(((moment, ramp) for moment, ramp in moments if moment is not None and at - moment < ramp), default=None)
