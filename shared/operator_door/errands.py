"""The routes of the operator door about errands: what is due and why, and how the service stands to its outsides.

An act is on record before it is done. What it came to is in the answer: of two operators who press the same thing one
is told `done`, the other how things stand now.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from shared.errands import Errand, due_store
from shared.errands import operators as acts
from shared.errands.due_store import Row, Which
from shared.errands.operators import RowAct, StageAct
from shared.errands.stages import Shown, Stage
from shared.operator_door.acts import KEPT, Act, KeptText, record
from shared.operator_door.answers import DuePage, DueRows, RowsActedOn, StageActedOn, Stages
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.web import HttpProblem, problems

if TYPE_CHECKING:
    from shared.service.description import Service
    from shared.work import Desk

KEYS_MAX: Final = 500
KEYS_ASKED_MAX: Final = 50
ROWS: Final = 100


class RowVerb(StrEnum):
    """What can be done with rows."""

    NOW = "now"
    HOLD = "hold"
    RELEASE = "release"


class StageVerb(StrEnum):
    """What can be done with a stage."""

    PAUSE = "pause"
    RESUME = "resume"
    PROBE = "probe"


class RowWish(Act):
    """Which rows, and why."""

    keys: Annotated[list[Annotated[str, Field(max_length=500, pattern=KEPT)]], Field(min_length=1, max_length=KEYS_MAX)]


def errand_routes(service: "Service", operators: Operators) -> APIRouter:
    """What waits for the outside, and what may be done about it."""
    router = APIRouter(prefix="/operator", tags=["operators"])
    router.include_router(_looking(service, operators))
    router.include_router(_acting(service, operators))
    return router


def _looking(service: "Service", operators: Operators) -> APIRouter:
    router = APIRouter()
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/stages", response_model=Stages)
    async def stages(_: viewer) -> dict[str, Any]:
        """How this service stands to each of its outsides, and how much waits for it."""
        return {"stages": await stages_told(service)}

    @router.get("/due", response_model=DuePage, responses=problems(404))
    async def due(
        _: viewer,
        errand: str,
        which: Which = Which.WAITING,
        after_at: datetime | None = None,
        after_key: KeptText = "",
        limit: Annotated[int, Query(ge=1, le=due_store.ROWS_MAX)] = ROWS,
    ) -> dict[str, Any]:
        """Tell the rows of an errand, in the order in which they are due."""
        after = None if after_at is None else (after_at, after_key)
        known = _errand(service, errand)
        async with service.pool.acquire() as connection:
            rows = await due_store.rows(connection, known.name, which, after=after, limit=limit)
        last = rows[-1] if len(rows) == limit else None
        following = None if last is None else {"after_at": last.due_at, "after_key": last.key}
        return {"rows": [_row(errand, row) for row in rows], "next": following}

    @router.get("/due/rows", response_model=DueRows)
    async def rows_of(_: viewer, key: Annotated[list[KeptText], Query(max_length=KEYS_ASKED_MAX)]) -> dict[str, Any]:
        """Tell the rows with these keys, of whichever errand."""
        found: list[dict[str, Any]] = []
        async with service.pool.acquire() as connection:
            for errand in service.errands:
                for one in sorted(set(key)):
                    row = await due_store.row(connection, errand.name, one)
                    found += [] if row is None else [_row(errand.name, row)]
        return {"rows": found}

    return router


def _acting(service: "Service", operators: Operators) -> APIRouter:
    router = APIRouter(responses=problems(403))
    operator = Annotated[Operator, Depends(door_keeper(operators, acting=True))]

    @router.post("/due/{errand}/{verb}", response_model=RowsActedOn)
    async def act_on_rows(errand: str, verb: RowVerb, wish: RowWish, who: operator) -> dict[str, Any]:
        """Let rows be tried now, hold them, or let held ones go on; tells of each what became of it."""
        known = _errand(service, errand)
        async with service.unit_of_work() as work:
            record(work, who, f"due.{verb} {errand}", wish.keys, wish.reason)
        found = {key: await _act_on_row(service.desk(), known, verb, key, who, wish.reason) for key in wish.keys}
        told = [
            {"key": key, "told": act.told, "row": None if act.row is None else _row(errand, act.row)}
            for key, act in found.items()
        ]
        return {"rows": told, "done": sum(act.told is acts.Told.DONE for act in found.values())}

    @router.post("/stages/{errand}/{verb}", response_model=StageActedOn)
    async def act_on_stage(errand: str, verb: StageVerb, wish: Act, who: operator) -> dict[str, Any]:
        """Pause an outside, resume it, or probe it now."""
        known = _errand(service, errand)
        async with service.unit_of_work() as work:
            record(work, who, f"stage.{verb} {errand}", [errand], wish.reason)
        act = await _act_on_stage(service.desk(), known, verb, who, wish.reason)
        return {"told": act.told, "stage": _stage(act.stage, act.shown)}

    return router


async def stages_told(service: "Service") -> list[dict[str, Any]]:
    """Every errand with its stage, and its rows counted."""
    told: list[dict[str, Any]] = []
    for errand in service.errands:
        stage, shown = await acts.look(service.pool, errand)
        async with service.pool.acquire() as connection:
            counts = await due_store.counts(connection, errand.name)
        told.append({**_stage(stage, shown), "slots": errand.slots, "rows": asdict(counts)})
    return told


async def _act_on_row(desk: "Desk", errand: Errand, verb: RowVerb, key: str, who: Operator, reason: str) -> RowAct:
    match verb:
        case RowVerb.NOW:
            return await acts.try_now(desk, errand, key, by=who.name)
        case RowVerb.HOLD:
            return await acts.hold(desk, errand, key, by=who.name, reason=reason)
        case RowVerb.RELEASE:
            return await acts.release(desk, errand, key, by=who.name, reason=reason)


async def _act_on_stage(desk: "Desk", errand: Errand, verb: StageVerb, who: Operator, reason: str) -> StageAct:
    match verb:
        case StageVerb.PAUSE:
            return await acts.pause(desk, errand, by=who.name, reason=reason)
        case StageVerb.RESUME:
            return await acts.resume(desk, errand, by=who.name, reason=reason)
        case StageVerb.PROBE:
            return await acts.probe_now(desk, errand, by=who.name, reason=reason)


def _errand(service: "Service", name: str) -> Errand:
    names: Sequence[str] = [errand.name for errand in service.errands]
    if name not in names:
        detail = f"{service.name} has {', '.join(names) or 'no errands'}."
        raise HttpProblem(404, detail=detail)
    return service.errands[names.index(name)]


def _row(errand: str, row: Row) -> dict[str, Any]:
    return {"errand": errand, **asdict(row)}


def _stage(stage: Stage, shown: Shown) -> dict[str, Any]:
    pause = stage.pause
    return {
        "errand": stage.errand,
        "standing": shown.standing,
        "since": shown.since,
        "until": shown.until,
        "breaker": stage.circuit.breaker,
        "reason": stage.reason,
        "paused": None if pause is None else {"since": pause.since, "by": pause.by, "reason": pause.reason},
        "closings": [
            {"closes_at": one.closes_at, "opens_at": one.opens_at, "by": one.announced_by, "reason": one.reason}
            for one in stage.announced
        ],
    }
