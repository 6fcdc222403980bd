"""The desk: what lies parked, grouped by what is wrong with it, and what an operator may do with it."""

from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.ops.domain.desk import OBSTACLES_EN, Obstacle, State, shown
from services.ops.edge.doors import Doors
from services.ops.handlers import acting
from services.ops.handlers.acting import ACTED_FACTS_MAX, Outcome, Wish
from services.ops.store import desk
from services.ops.store.desk import Filters
from services.ops.web.answers import DeskOutcome, ParkedFact, ParkedFacts, ParkedGroups, ReplayProgress
from services.ops.web.journeys import parked_told
from shared.inputs import refused
from shared.operator_door.acts import KEPT, Act
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.service import Service
from shared.web import HttpProblem, problems

PAGE_FACTS: Final = 100
PAGE_FACTS_MAX: Final = 1_000
TEXT_CHARACTERS_MAX: Final = 500
IDS_TOLD_MAX: Final = 50

Text = Annotated[str | None, Field(max_length=TEXT_CHARACTERS_MAX, pattern=KEPT)]


class Group(BaseModel):
    """All open facts of one hearer, one code, one type, as the list of groups shows them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumer: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX, pattern=KEPT)]
    code: Text = None
    type: Text = None


class DeskWish(Act):
    """Which facts, by id or as a group, and why. A dry run tells what would happen and changes nothing."""

    ids: Annotated[tuple[UUID, ...], Field(max_length=ACTED_FACTS_MAX)] = ()
    group: Group | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _names_facts_one_way(self) -> Self:
        if bool(self.ids) == (self.group is not None):
            raise refused("idsかgroupのどちらか一方を指定してください。", "Give ids or a group, one of them.")
        return self

    def by(self, operator: Operator) -> Wish:
        """The wish of this operator."""
        group = self.group
        filters = None if group is None else Filters(State.OPEN, group.consumer, group.code, group.type)
        return Wish(operator, self.reason, self.ids, filters)


def desk_routes(service: Service, operators: Operators, doors: Doors) -> APIRouter:
    """What lies on the desk, and what may be done with it."""
    router = APIRouter(tags=["parked"])
    router.include_router(_looking(service, operators))
    router.include_router(_acting(service, operators, doors))
    return router


def _looking(service: Service, operators: Operators) -> APIRouter:
    router = APIRouter(prefix="/v1/parked")
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("", response_model=ParkedGroups)
    async def groups(_: viewer) -> dict[str, Any]:
        """What lies open, grouped by hearer, code and type, the most first."""
        async with service.pool.acquire() as connection:
            found = await desk.groups(connection)
        names = ("consumer", "code", "type", "facts", "replayable", "first_at", "last_at", "reason")
        return {"groups": [{name: getattr(one, name) for name in names} for one in found]}

    @router.get("/facts", response_model=ParkedFacts)
    async def facts(
        _: viewer,
        consumer: Text = None,
        code: Text = None,
        type: Text = None,  # noqa: A002 - it is the name of the query parameter.
        state: State | None = State.OPEN,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_FACTS_MAX)] = PAGE_FACTS,
    ) -> dict[str, Any]:
        """Facts on the desk one by one, without their contents."""
        filters = Filters(state=state, consumer=consumer, code=code, type=type, after=after)
        async with service.pool.acquire() as connection:
            found = await desk.page(connection, filters, limit)
        return {
            "facts": [parked_told(one) for one in found],
            "next_after": found[-1].id if len(found) == limit else None,
        }

    @router.get("/facts/{parked_id}", response_model=ParkedFact)
    async def fact(parked_id: UUID, _: viewer) -> dict[str, Any]:
        """One fact with its content, secrets and personal data struck out."""
        async with service.pool.acquire() as connection:
            found = await desk.some(connection, [parked_id])
            bodies = await desk.bodies(connection, [parked_id])
        if not found:
            raise HttpProblem(404)
        obstacle = parked_told(found[0])["obstacle"]
        return {
            **parked_told(found[0]),
            "why_not": None if obstacle is None else OBSTACLES_EN[obstacle],
            "content": shown(bodies[parked_id]),
        }

    return router


def _acting(service: Service, operators: Operators, doors: Doors) -> APIRouter:
    router = APIRouter(prefix="/v1/parked")
    viewer = Annotated[Operator, Depends(door_keeper(operators))]
    operator = Annotated[Operator, Depends(door_keeper(operators, acting=True))]

    @router.post("/replay", response_model=DeskOutcome, responses=problems(403))
    async def replay(wish: DeskWish, who: operator) -> dict[str, Any]:
        """Send facts again to the one hearer that parked them, each with its own id."""
        return _told(await acting.replay(service, doors, wish.by(who), dry_run=wish.dry_run))

    @router.post("/discard", response_model=DeskOutcome, responses=problems(403))
    async def discard(wish: DeskWish, who: operator) -> dict[str, Any]:
        """Give facts up for good."""
        return _told(await acting.discard(service, wish.by(who), dry_run=wish.dry_run))

    @router.get("/replays/{act_id}", response_model=ReplayProgress)
    async def progress(act_id: UUID, _: viewer) -> dict[str, Any]:
        """How far a replay is, as the hearers themselves tell it."""
        found = await acting.progress(service, doors, act_id)
        if not found.facts:
            raise HttpProblem(404)
        return {
            "facts": found.facts,
            "done": found.done,
            "parked_again": found.parked_again,
            "underway": found.underway,
            "unasked": found.unasked,
        }

    return router


def _told(outcome: Outcome) -> dict[str, Any]:
    by_obstacle: dict[Obstacle, list[UUID]] = {}
    for identity, obstacle in sorted(outcome.obstacles.items()):
        by_obstacle.setdefault(obstacle, []).append(identity)
    return {
        "act_id": outcome.act_id,
        "dry_run": outcome.act_id is None,
        "facts": len(outcome.done),
        "ids": outcome.done[:IDS_TOLD_MAX],
        "obstacles": [
            {"obstacle": one, "told": OBSTACLES_EN[one], "facts": len(ids), "ids": ids[:IDS_TOLD_MAX]}
            for one, ids in by_obstacle.items()
        ],
        "left": outcome.left,
        "unasked": outcome.unasked,
    }
