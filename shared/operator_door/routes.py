"""The routes of the operator door that read: state, how facts ended, and the service's side of the ledger."""

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from shared import inbox
from shared.health import version
from shared.operator_door import store
from shared.operator_door.acts import KeptText
from shared.operator_door.answers import Endings, LedgerCounts, LedgerLines, ServiceState
from shared.operator_door.errands import errand_routes, stages_told
from shared.operator_door.keeper import door_keeper
from shared.operator_door.keys import key_routes
from shared.operator_door.operators import Operator, Operators
from shared.web import HttpProblem, problems

if TYPE_CHECKING:
    from shared.service.description import Service

ASKED_FACTS_MAX: Final = 1_000
LEDGER_LINES: Final = 1_000
LEDGER_LINES_MAX: Final = 5_000


class Asked(BaseModel):
    """Which facts the desk asks for, at one consumer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumer: KeptText
    ids: Annotated[list[UUID], Field(max_length=ASKED_FACTS_MAX)]


def operator_routes(service: "Service", operators: Operators) -> APIRouter:
    """The whole operator door of a service."""
    router = APIRouter()
    router.include_router(state_routes(service, operators))
    router.include_router(ledger_routes(service, operators))
    router.include_router(errand_routes(service, operators))
    router.include_router(key_routes(service, operators))
    return router


def state_routes(service: "Service", operators: Operators) -> APIRouter:
    """How a service is, and how facts ended at it."""
    router = APIRouter(prefix="/operator", tags=["operators"])
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/state", response_model=ServiceState)
    async def state(_: viewer) -> dict[str, Any]:
        """Tell what this process holds and what waits in this service's tables."""
        reasons = dict(service.reasons_not_ready())
        async with service.pool.acquire() as connection:
            outbox = await store.outbox(connection)
            parked = await inbox.parked_counts(connection)
        return {
            "service": service.name,
            "version": version(),
            "ready": not reasons,
            "reasons": reasons,
            "queues": service.consumers_told(),
            "outbox": {
                "rows": outbox.rows,
                "failing": outbox.failing,
                "oldest_at": outbox.oldest_at,
                "last_error": outbox.last_error,
            },
            "parked": parked,
            "stages": await stages_told(service),
        }

    @router.post("/endings", response_model=Endings)
    async def endings(asked: Asked, _: viewer) -> dict[str, Any]:
        """Tell how these facts ended at one consumer: `done` or `parked`, and at which replay."""
        async with service.pool.acquire() as connection:
            found = await inbox.ended(connection, asked.consumer, asked.ids)
        return {
            "endings": [
                {"id": one.id, "outcome": one.outcome, "replay": one.replay, "heard_at": one.heard_at} for one in found
            ]
        }

    return router


def ledger_routes(service: "Service", operators: Operators) -> APIRouter:
    """What a service tells the ledger."""
    router = APIRouter(prefix="/operator", tags=["operators"])
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/ledger", response_model=LedgerCounts)
    async def ledger(_: viewer) -> dict[str, Any]:
        """Tell how many of its own things are in which state, and how much it has still to announce."""
        async with service.pool.acquire() as connection:
            # The outbox first: what is announced in between is then counted, and not missed.
            waiting = await store.outbox(connection)
            counts = {} if service.ledger is None else dict(await service.ledger.counts(connection))
        return {"service": service.name, "counts": counts, "outbox_rows": waiting.rows}

    @router.get("/ledger/lines", response_model=LedgerLines, responses=problems(404))
    async def ledger_lines(
        _: viewer,
        after: KeptText | None = None,
        limit: Annotated[int, Query(ge=1, le=LEDGER_LINES_MAX)] = LEDGER_LINES,
    ) -> dict[str, Any]:
        """Tell what is counted one by one, so that a difference can be traced to its ids."""
        if service.ledger is None:
            raise HttpProblem(404)
        async with service.pool.acquire() as connection:
            lines = await service.ledger.lines(connection, after, limit)
        told = [{"correlation": one.correlation, "kind": one.kind, "state": one.state} for one in lines]
        return {"lines": told, "next_after": lines[-1].cursor if len(lines) == limit else None}

    return router
