"""What an operator does at the desk: send parked facts again, to the one hearer that parked them, or discard them.

A replay is committed like any announcement and leaves through the relay, so it is not lost; and the hearer's inbox
lets it in only if it lies parked there with a smaller replay count, so it is not doubled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.ops.domain.desk import Obstacle, OnDesk, State, fact_in, hearer_of, obstacle_of
from services.ops.edge.doors import DoorAway, Doors
from services.ops.store import desk
from services.ops.store.desk import Acted, Filters
from shared import clock
from shared.operator_door.acts import record
from shared.operator_door.operators import Operator
from shared.service import Service
from shared.work import Work

ACTED_FACTS_MAX: Final = 5_000
"""Facts one act can be done to; a group that is larger is done in several."""

REPLAYED_AT_ONCE_MAX: Final = 100
"""Facts in one transaction: with the largest bodies, 25 MB."""

ASKED_FACTS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator wants done to which facts: to these ids, or to all open ones that the filters leave."""

    operator: Operator
    reason: str
    ids: Sequence[UUID] = ()
    filters: Filters | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a wish, or would become of it.

    Attributes:
        act_id: by which its progress can be asked; None after a dry run.
        done: the facts that were, or would be, acted on.
        obstacles: the facts that were not, each with the reason.
        left: whether the filters leave more than one act can be done to.
        unasked: hearers that could not be asked whether they have done these facts already.
    """

    act_id: UUID | None
    done: list[UUID] = field(default_factory=list)
    obstacles: dict[UUID, Obstacle] = field(default_factory=dict)
    left: bool = False
    unasked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: `underway` is on its way or waits in the hearer's queue."""

    facts: int
    done: int
    parked_again: int
    underway: int
    unasked: Sequence[str]


async def replay(service: Service, doors: Doors, wish: Wish, *, dry_run: bool) -> Outcome:
    """Send facts again; with `dry_run` only tell what would happen."""
    facts, left = await _facts(service, wish)
    outcome = Outcome(None if dry_run else clock.new_uuid(), left=left)
    outcome.obstacles = {one.id: obstacle for one in facts if (obstacle := obstacle_of(one)) is not None}
    outcome.obstacles |= dict.fromkeys(set(wish.ids) - {one.id for one in facts}, Obstacle.ALREADY_ACTED_ON)
    free = [one for one in facts if one.id not in outcome.obstacles]
    endings, outcome.unasked = await _endings(doors, free)
    for one in free:
        if endings.get((one.consumer, one.fact_id), ("", 0))[0] == "done":
            outcome.obstacles[one.id] = Obstacle.ALREADY_DONE
    free = [one for one in free if one.id not in outcome.obstacles]
    if outcome.act_id is None:
        outcome.done = [one.id for one in free]
        return outcome
    for start in range(0, len(free), REPLAYED_AT_ONCE_MAX):
        await _send_again(service, free[start : start + REPLAYED_AT_ONCE_MAX], wish, outcome)
    return outcome


async def discard(service: Service, wish: Wish, *, dry_run: bool) -> Outcome:
    """Give facts up for good; they stay on the desk as discarded, with who did it and why."""
    facts, left = await _facts(service, wish)
    outcome = Outcome(None if dry_run else clock.new_uuid(), left=left)
    outcome.obstacles = {one.id: Obstacle.ALREADY_ACTED_ON for one in facts if one.state is not State.OPEN}
    outcome.obstacles |= dict.fromkeys(set(wish.ids) - {one.id for one in facts}, Obstacle.ALREADY_ACTED_ON)
    ids = [one.id for one in facts if one.id not in outcome.obstacles]
    if outcome.act_id is None:
        outcome.done = ids
    elif ids:
        async with service.unit_of_work() as work:
            await _act(work, ids, State.DISCARDED, wish, outcome)
            record(work, wish.operator, "parked.discard", [str(one) for one in outcome.done], wish.reason)
    return outcome


async def progress(service: Service, doors: Doors, act_id: UUID) -> Progress:
    """How far the replay of this act is, as the hearers themselves tell it."""
    async with service.pool.acquire() as connection:
        facts = await desk.page(connection, Filters(act_id=act_id), ACTED_FACTS_MAX)
        again = await desk.parked_again(connection, act_id)
    endings, unasked = await _endings(doors, facts)
    done = 0
    for one in facts:
        outcome, at_replay = endings.get((one.consumer, one.fact_id), ("", 0))
        done += one.id not in again and outcome == "done" and at_replay > one.replay
    return Progress(len(facts), done, len(again), len(facts) - done - len(again), unasked)


async def _facts(service: Service, wish: Wish) -> tuple[list[OnDesk], bool]:
    async with service.pool.acquire() as connection:
        if wish.filters is None:
            return await desk.some(connection, wish.ids), False
        found = await desk.page(connection, wish.filters, ACTED_FACTS_MAX + 1)
    return found[:ACTED_FACTS_MAX], len(found) > ACTED_FACTS_MAX


async def _send_again(service: Service, facts: Sequence[OnDesk], wish: Wish, outcome: Outcome) -> None:
    by_id = {one.id: one for one in facts}
    async with service.unit_of_work() as work:
        fresh = await _act(work, sorted(by_id), State.REPLAYED, wish, outcome)
        records = await desk.bodies(work.connection, sorted(fresh))
        for identity, body in sorted(records.items()):
            one = by_id[identity]
            if one.fact_id is None:
                raise ValueError("a fact without an id is never replayable")
            work.send_again(one.consumer, one.fact_id, fact_in(body), one.replay + 1)
        if fresh:
            record(work, wish.operator, "parked.replay", [str(one) for one in sorted(fresh)], wish.reason)


async def _act(work: Work, ids: Sequence[UUID], state: State, wish: Wish, outcome: Outcome) -> set[UUID]:
    if outcome.act_id is None:
        raise ValueError("a dry run changes nothing")
    acted = Acted(outcome.act_id, wish.operator.name, work.now, wish.reason)
    fresh = await desk.act(work.connection, ids, state, acted)
    outcome.done += sorted(fresh)
    # Somebody acted on these between our look and our hand.
    outcome.obstacles |= {identity: Obstacle.ALREADY_ACTED_ON for identity in ids if identity not in fresh}
    return fresh


Endings = Mapping[tuple[str, UUID | None], tuple[str, int]]
"""By hearer's queue and fact: how it ended there (`done`, `parked`), and at which replay."""


async def _endings(doors: Doors, facts: Sequence[OnDesk]) -> tuple[Endings, list[str]]:
    """What the hearers say of these facts, and the hearers that could not be asked."""
    found: dict[tuple[str, UUID | None], tuple[str, int]] = {}
    unasked: set[str] = set()
    for consumer in sorted({one.consumer for one in facts}):
        ids = [str(one.fact_id) for one in facts if one.consumer == consumer]
        for start in range(0, len(ids), ASKED_FACTS_MAX):
            asked = {"consumer": consumer, "ids": ids[start : start + ASKED_FACTS_MAX]}
            try:
                told = await doors.look(hearer_of(consumer), "/endings", body=asked)
            except DoorAway:
                unasked.add(hearer_of(consumer))
                break
            for one in told["endings"]:
                found[consumer, UUID(one["id"])] = (one["outcome"], int(one["replay"]))
    return found, sorted(unasked)
