"""The routes of intake. Each reads at most `BODY_BYTES_MAX`, decides nothing itself and answers in published shapes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from services.intake import store
from services.intake.domain.body import BODY_BYTES_MAX, Unreadable
from services.intake.domain.change import judge_change
from services.intake.domain.decision import Outcome, Refuse, Reply, decide
from services.intake.domain.form import APPLICATION_ID_SHAPE
from services.intake.domain.judgement import Bad, Good, judge
from services.intake.domain.obligees import Registry
from services.intake.web import shapes
from shared.logs import get_logger
from shared.portals import OFFICE, Portal, Portals
from shared.problems import Problem
from shared.service import Service
from shared.web import RETRY_AFTER_S, HttpProblem, bearer, read_body, web_app

PAGE_ITEMS: Final = 50
PAGE_ITEMS_MAX: Final = 200
CURSOR_MAX: Final = 2**63 - 1

TakeIn = Callable[[str, bytes], Awaitable[Reply]]

logger = get_logger()

_JSON_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


@dataclass(frozen=True, slots=True)
class _Door:
    """What the routes work with."""

    service: Service
    registry: Registry
    take_in: TakeIn


def build_web(service: Service, portals: Portals, registry: Registry, take_in: TakeIn) -> FastAPI:
    """The web application of intake; `take_in` answers one application of a portal."""
    app = web_app("intake")
    door = _Door(service, registry, take_in)
    caller = bearer(portals)
    app.include_router(_sending(door, caller))
    app.include_router(_reading(door, caller))
    app.include_router(_knowledge(door, caller))
    return app


def _sending(door: _Door, caller: Callable[..., Awaitable[Portal]]) -> APIRouter:
    router = APIRouter(tags=["sending"])

    async def body_of(request: Request) -> bytes:
        return await read_body(request, BODY_BYTES_MAX)

    @router.post("/v1/applications", status_code=202, openapi_extra=_JSON_BODY)
    async def apply(request: Request, response: Response, portal: Annotated[Portal, Depends(caller)]) -> shapes.Receipt:
        """Take an application in: 202 once it is safe and judged good, 200 the same again for a repeat."""
        if await door.service.is_overloaded():
            raise HttpProblem(429, headers={"Retry-After": str(RETRY_AFTER_S)})
        reply = await door.take_in(portal.id, await body_of(request))
        logger.info(
            "application.answered",
            portal=portal.id,
            application_id=reply.application_id,
            outcome=reply.outcome.value,
            repeat=reply.is_repeat,
            codes=[problem.code for problem in reply.problems],
        )
        if reply.outcome is not Outcome.ACCEPTED or reply.application_id is None:
            _refuse(reply.outcome, reply.problems)
        response.status_code = 200 if reply.is_repeat else 202
        return shapes.receipt(reply.application_id, reply.remarks)

    @router.post("/v1/applications/check", openapi_extra=_JSON_BODY)
    async def check(request: Request, portal: Annotated[Portal, Depends(caller)]) -> shapes.Checked:
        """Judge an application as it would be judged now, and store nothing."""
        good = await _judged_good(door, portal.id, await body_of(request))
        return shapes.checked(good.application, good.remarks)

    @router.post("/v1/changes", status_code=202, openapi_extra=_JSON_BODY)
    async def change(request: Request, portal: Annotated[Portal, Depends(caller)]) -> None:
        """Refuse a change with its reasons: changes are not offered yet."""
        problems = judge_change(await body_of(request)).problems
        logger.info("change.refused", portal=portal.id, codes=[problem.code for problem in problems])
        _refuse(Outcome.REJECTED, problems)

    return router


def _reading(door: _Door, caller: Callable[..., Awaitable[Portal]]) -> APIRouter:
    router = APIRouter(tags=["reading"])

    @router.get("/v1/applications")
    async def applications(
        me: Annotated[Portal, Depends(caller)],
        portal: Annotated[str | None, Query(pattern="^[a-z0-9-]{1,32}$")] = None,
        application_id: Annotated[str | None, Query(max_length=64)] = None,
        outcome: Outcome | None = None,
        cursor: Annotated[int | None, Query(ge=1, le=CURSOR_MAX)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS,
    ) -> shapes.Page:
        """Give the applications that were answered, newest first; the office sees those of all portals."""
        asked = portal if me.scope == OFFICE else _own(me, portal)
        if application_id is not None and APPLICATION_ID_SHAPE.fullmatch(application_id) is None:
            return shapes.Page(items=(), next_cursor=None)
        async with door.service.pool.acquire() as connection:
            rows = await store.page(
                connection,
                portal=asked,
                application_id=application_id,
                outcome=outcome.value if outcome else None,
                before=cursor,
                limit=limit + 1,
            )
        more = str(rows[limit - 1].submission_no) if len(rows) > limit else None
        return shapes.Page(items=tuple(map(shapes.entry, rows[:limit])), next_cursor=more)

    @router.get("/v1/applications/{application_id:path}")
    async def application(
        application_id: str,
        me: Annotated[Portal, Depends(caller)],
        portal: Annotated[str | None, Query(pattern="^[a-z0-9-]{1,32}$")] = None,
    ) -> shapes.Detail:
        """Give the accepted application of this id, or else its latest refusal; the office names whose it is."""
        owner = (portal or me.id) if me.scope == OFFICE else _own(me, portal)
        if APPLICATION_ID_SHAPE.fullmatch(application_id) is None:
            raise HttpProblem(404)
        async with door.service.pool.acquire() as connection:
            row = await store.latest(connection, (owner, application_id))
        if row is None:
            raise HttpProblem(404)
        return shapes.detail(row)

    return router


def _knowledge(door: _Door, caller: Callable[..., Awaitable[Portal]]) -> APIRouter:
    router = APIRouter(tags=["knowledge"], dependencies=[Depends(caller)])

    @router.get("/v1/obligees")
    async def obligees() -> Registry:
        """Tell who takes electronic guarantees, since when, and at which rates."""
        return door.registry

    @router.get("/v1/problems")
    async def problems() -> shapes.Catalogue:
        """Give the catalogue of codes."""
        return shapes.catalogue()

    return router


def _own(me: Portal, asked: str | None) -> str:
    if asked is not None and asked != me.id:
        raise HttpProblem(403, detail="A portal reads its own applications only.")
    return me.id


async def _judged_good(door: _Door, portal: str, body: bytes) -> Good:
    judged = judge(body, portal, door.registry)
    if isinstance(judged, Unreadable):
        _refuse(Outcome.REJECTED, judged.problems)
    taken = None
    if judged.application_id is not None:
        identity = (portal, judged.application_id)
        async with door.service.pool.acquire() as connection:
            taken = (await store.taken(connection, [identity])).get(identity)
    decision = decide(judged, taken.digest if taken else None)
    if isinstance(decision, Refuse):
        _refuse(decision.outcome, decision.problems)
    if isinstance(judged.verdict, Bad):
        # What was accepted once stays so, but by today's rules it would not be, and that is what was asked.
        _refuse(Outcome.REJECTED, judged.verdict.problems)
    return judged.verdict


def _refuse(outcome: Outcome, problems: tuple[Problem, ...]) -> NoReturn:
    raise HttpProblem(409 if outcome is Outcome.CONFLICTED else 422, errors=problems)
