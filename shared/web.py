"""What every service's HTTP side has in common: problem+json (RFC 9457), bearer tokens, bounded bodies.

An error tells the caller what to mend and nothing about our inside. Routes and their rules stand in each service.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Transient
from shared.health import HEALTH_PATHS, version
from shared.inputs import input_problem
from shared.logs import get_logger
from shared.portals import Portal, Portals
from shared.postgres import FAILURES, is_transient
from shared.problems import Problem
from shared.refusals import OF_STATUS, REFUSALS, Refusal
from shared.web_limits import Limits
from shared.web_problems import with_problems
from shared.web_wrappers import BODY_READ_S_MAX, SECURITY_HEADERS, BoundedBodies, SecurityHeaders

_log = get_logger()

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
BEARER_TOKEN_CHARS_MAX: Final = 512

_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_OURS: Final = 500
"""From this status on it is our fault and not the caller's."""

# Problem types are names, not pages; `code` is the same name for programs that do not care for URIs.
_TYPE_BASE: Final = "https://hosho.example/problems/"


class ProblemDetails(BaseModel):
    """The body of every error (RFC 9457) with two members of ours: ``code`` and, where input is wrong, ``errors``.

    Attributes:
        type: a URI that names the kind of problem.
        title: a short sentence, the same for every problem of the kind.
        status: the HTTP status.
        code: the last part of ``type``, snake_case.
        detail: what is special about this occurrence, if anything.
        errors: every single thing that is wrong with what was sent.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: tuple[Problem, ...] | None = None


def problem_response(
    status: int,
    code: Refusal | None = None,
    detail: str | None = None,
    *,
    errors: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make a problem+json response; ``code`` and title come from the status where nothing better is given."""
    told = code or OF_STATUS.get(status) or (Refusal.BAD_REQUEST if status < _OURS else Refusal.INTERNAL_ERROR)
    details = ProblemDetails(
        type=_TYPE_BASE + told,
        title=REFUSALS[told].title,
        status=status,
        code=told,
        detail=detail,
        errors=tuple(errors) or None,
    )
    content = details.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=PROBLEM_JSON)


def raw_problem(status: int) -> bytes:
    """The same as bytes on the wire, for a connection that ends before any application has seen a request."""
    response = problem_response(status, headers={**SECURITY_HEADERS, "connection": "close"})
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(name + b": " + value for name, value in response.raw_headers)]
    return b"\r\n".join([*lines, b"", b""]) + bytes(response.body)


def full_house(app: ASGIApp) -> ASGIApp:
    """What is served on a connection above the limit: how the process is, and otherwise that one may come again."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in HEALTH_PATHS:
            headers = {**SECURITY_HEADERS, "Retry-After": str(RETRY_AFTER_S), "Connection": "close"}
            answer = problem_response(503, detail="Too many connections for now.", headers=headers)
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    return served


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of problems that cannot be read off its signature, for `responses=`."""
    return {status: {"model": ProblemDetails, "description": REFUSALS[OF_STATUS[status]].title} for status in statuses}


class HttpProblem(Exception):
    """Raised by a route to answer with the problem+json response that the same arguments make."""

    def __init__(
        self,
        status: int,
        code: Refusal | None = None,
        detail: str | None = None,
        *,
        errors: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.response = problem_response(status, code, detail, errors=errors, headers=headers)


def bearer(portals: Portals) -> Callable[..., Awaitable[Portal]]:
    """Make the dependency that gives the ``Portal`` whose bearer token came with the request, or answers 401."""
    scheme = HTTPBearer(auto_error=False, description="The portal's token.")

    async def caller(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]
    ) -> Portal:
        token = given.credentials if given else ""
        portal = portals.by_token(token) if 0 < len(token) <= BEARER_TOKEN_CHARS_MAX else None
        if portal is None:
            raise unauthenticated(request, token, "hosho")
        wait_s = limits_of(request).request_of(portal.id)
        if wait_s:
            raise HttpProblem(429, headers={"Retry-After": str(wait_s)})
        return portal

    return caller


def address_of(request: Request) -> str:
    """Where a request came from, as the server saw it: the peer, or what a trusted proxy said of it."""
    return request.client.host if request.client else "unknown"


def limits_of(request: Request) -> Limits:
    """The limits of the application that a request came to."""
    limits: Limits = request.app.state.limits
    return limits


def unauthenticated(request: Request, token: str, realm: str) -> HttpProblem:
    """What somebody without a valid token is told: 401 with a challenge, or 429 after too many wrong tokens."""
    wait_s = limits_of(request).wrong_token_from(address_of(request)) if token else 0
    if wait_s:
        return HttpProblem(429, Refusal.TOO_MANY_TRIES, headers={"Retry-After": str(wait_s)})
    challenge = f'Bearer realm="{realm}"' + (', error="invalid_token"' if token else "")
    return HttpProblem(401, headers={"WWW-Authenticate": challenge})


async def read_body(request: Request, limit: int, too_large: Sequence[Problem] = ()) -> bytes:
    """Read a body of at most ``limit`` bytes; one that says it is larger is refused unread, with these ``errors``.

    Raises:
        HttpProblem: 413 if it is larger, 408 if it takes longer than ``BODY_READ_S_MAX``.
    """
    # The rest of a refused body would be read as the next request, or at our cost, so the connection ends with it.
    refusal = HttpProblem(
        413, detail=f"At most {limit} bytes are taken.", errors=too_large, headers={"Connection": "close"}
    )
    declared = request.headers.get("content-length", "0")
    if len(declared) > len(str(limit)) or (declared.isdecimal() and int(declared) > limit):
        raise refusal
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_READ_S_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise refusal
    except TimeoutError:
        raise HttpProblem(408, headers={"Connection": "close"}) from None
    return bytes(body)


async def _on_http_problem(_: Request, error: HttpProblem) -> Response:
    return error.response


async def _on_invalid_input(_: Request, error: RequestValidationError) -> Response:
    return problem_response(422, errors=[input_problem(found) for found in error.errors()])


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    allowed = _allowed(request) if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else []
    if allowed:
        headers["Allow"] = ", ".join(allowed)
    return problem_response(error.status_code, headers=headers)


def _allowed(request: Request) -> list[str]:
    """Every method of this address: one address may be served by several routes, and the framework names the first."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return [
        method for method in _METHODS if any(_serves(route, {**request.scope, "method": method}) for route in routes)
    ]


def _serves(route: BaseRoute, scope: Scope) -> bool:
    return route.matches(scope)[0] is Match.FULL


async def _on_transient(request: Request, error: Transient) -> Response:
    _log.warning("request.deferred", path=request.url.path, reason=error.reason)
    return problem_response(503, headers={"Retry-After": str(RETRY_AFTER_S)})


async def _on_database(request: Request, error: Exception) -> Response:
    if not is_transient(error):
        raise error
    _log.warning("request.deferred", path=request.url.path, reason=type(error).__qualname__)
    return problem_response(503, headers={"Retry-After": str(RETRY_AFTER_S)})


async def _on_disconnect(_: Request, __: ClientDisconnect) -> Response:
    # Nobody reads this answer any more; it only keeps a caller's broken line from looking like an error of ours.
    return problem_response(400)


async def _on_anything_else(_: Request, __: Exception) -> Response:
    # The server logs the error with its traceback, since Starlette raises it again after this answer. The answer is
    # sent from outside the middleware, so it takes the headers along.
    return problem_response(500, headers=SECURITY_HEADERS)


class _App(FastAPI):
    """A FastAPI application whose OpenAPI description tells every problem that a route can answer with."""

    def openapi(self) -> dict[str, Any]:
        return with_problems(super().openapi())


def web_app(title: str) -> FastAPI:
    """Make an application with everything services have in common; it serves no documentation pages."""
    app = _App(
        title=title,
        version=version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses={"default": {"model": ProblemDetails, "description": "What went wrong"}},
    )
    app.state.limits = Limits()
    app.add_middleware(BoundedBodies)
    app.add_middleware(SecurityHeaders)
    app.exception_handler(HttpProblem)(_on_http_problem)
    app.exception_handler(RequestValidationError)(_on_invalid_input)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(Transient)(_on_transient)
    for kind in FAILURES:
        app.exception_handler(kind)(_on_database)
    app.exception_handler(ClientDisconnect)(_on_disconnect)
    app.exception_handler(Exception)(_on_anything_else)
    return app
