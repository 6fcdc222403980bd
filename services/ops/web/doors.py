"""The services' own operator doors, reached through this one: the console then needs one address and one token.

What a person does goes through with that person's own token, so the service knows who it was and ops needs no power.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from pydantic_core import from_json

from services.ops.edge.doors import DoorAway, Doors
from shared.operator_door.acts import Act
from shared.operator_door.answers import Answer, DuePage, RowsActedOn, ServiceState, StageActedOn, Stages
from shared.operator_door.errands import RowWish
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.refusals import Refusal
from shared.web import PROBLEM_JSON, HttpProblem, problems, read_body

BODY_BYTES_MAX: Final = 65_536

Name = Annotated[str, Path(pattern=r"^[a-z_]{1,32}$")]


def door_routes(operators: Operators, doors: Doors) -> APIRouter:
    """Everything below `/operator` of every service, as `/v1/services/<service>/…`."""
    router = APIRouter(prefix="/v1/services/{service}", tags=["doors"])
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    async def through(service: str, path: str, request: Request, body: Any = None) -> Response:
        if service not in doors.services:
            raise HttpProblem(404, detail=f"The services are {', '.join(doors.services)}.")
        token = request.headers["authorization"].split(" ", 1)[1]
        try:
            answer = await doors.ask(
                service, path, token, method=request.method, params=dict(request.query_params), body=body
            )
        except DoorAway as error:
            raise HttpProblem(503, Refusal.DOOR_AWAY, str(error)) from None
        media_type = "application/json" if answer.is_good else PROBLEM_JSON
        return JSONResponse(answer.body, answer.status, media_type=media_type)

    @router.get("/state", responses=_answered(ServiceState))
    async def state(service: Name, request: Request, _: viewer) -> Response:
        """What a service holds and what waits in its tables."""
        return await through(service, "/state", request)

    @router.get("/due", responses=_answered(DuePage))
    async def due(service: Name, request: Request, _: viewer) -> Response:
        """What waits for the outside at a service, why, and until when."""
        return await through(service, "/due", request)

    @router.get("/stages", responses=_answered(Stages))
    async def stages(service: Name, request: Request, _: viewer) -> Response:
        """How a service stands to its outsides."""
        return await through(service, "/stages", request)

    @router.post("/due/{errand}/{verb}", responses=_acted(RowsActedOn), openapi_extra=_body_told(RowWish))
    async def act_on_due(service: Name, errand: Name, verb: Name, request: Request, _: viewer) -> Response:
        """Let rows be tried now, hold them or release them; the service judges whether the token may."""
        return await through(service, f"/due/{errand}/{verb}", request, await _json(request))

    @router.post("/stages/{errand}/{verb}", responses=_acted(StageActedOn), openapi_extra=_body_told(Act))
    async def act_on_stage(service: Name, errand: Name, verb: Name, request: Request, _: viewer) -> Response:
        """Pause, resume or probe an outside; the service judges whether the token may."""
        return await through(service, f"/stages/{errand}/{verb}", request, await _json(request))

    return router


def _answered(model: type[Answer]) -> dict[int | str, dict[str, Any]]:
    """The answer in the description of a route that passes it on as it came."""
    return {200: {"model": model}}


def _acted(model: type[Answer]) -> dict[int | str, dict[str, Any]]:
    """The same of a route that only operators may use."""
    return _answered(model) | problems(403)


def _body_told(model: type[BaseModel]) -> dict[str, Any]:
    """The body in the description of a route that passes it on as it came."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


async def _json(request: Request) -> Any:
    try:
        return from_json(await read_body(request, BODY_BYTES_MAX))
    except ValueError:
        raise HttpProblem(422, Refusal.JSON_INVALID, "This is not JSON.") from None
