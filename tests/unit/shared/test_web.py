"""The common HTTP side, spoken to over ASGI as a server would: errors tell what to mend and nothing of our inside."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from shared import health, web
from shared.errors import Transient
from shared.portals import Portal, Portals
from shared.problems import Problem
from shared.refusals import Refusal
from shared.web_wrappers import SECURITY_HEADERS

TOKEN = "a-token"
PORTALS = Portals(
    [
        Portal.model_validate(
            {
                "id": "portal-a",
                "token_sha256": ["1f6076e3a47ba1ded08025ffe06e57af217c14f9407f33fba50f99b1c7019387"],
                "link_base": "https://portal-a.example",
                "answers": "none",
                "scope": "portal",
            }
        )
    ]
)
LIMIT = 16


class Form(BaseModel):
    """A body with one number."""

    amount: int


@dataclass(frozen=True)
class Answer:
    """What a request came back with, and how many pieces of its body were read for it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks_read: int

    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: FastAPI,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    chunks: Sequence[bytes] = (b"",),
    query: str = "",
    stalls: bool = False,
    address: str = "192.0.2.1",
) -> Answer:
    sent: list[Any] = []
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": waiting.pop(0), "more_body": stalls or bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "client": (address, 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    try:
        await app(scope, receive, send)
    except ZeroDivisionError:
        assert sent, "the server gets the error only after it was answered"
    start, *rest = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    body = b"".join(message.get("body", b"") for message in rest)
    return Answer(start["status"], told, body, len(chunks) - len(waiting))


def build_app(reasons: Mapping[str, str] | None = None) -> FastAPI:
    app = web.web_app("a service")
    app.include_router(health.health_routes(lambda: reasons or {}))
    caller = web.bearer(PORTALS)

    @app.get("/me")
    async def me(portal: Annotated[Portal, Depends(caller)]) -> str:
        return portal.id

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await web.read_body(request, LIMIT))

    @app.post("/form")
    async def form(given: Form, limit: int = 1) -> int:
        return given.amount * limit

    @app.get("/broken")
    async def broken() -> float:
        return 1 / 0

    @app.get("/away")
    async def away() -> None:
        raise Transient("The database at 10.0.0.1 is away.")

    @app.get("/not-issued")
    async def not_issued() -> None:
        problem = Problem(code="a", pointer="/b", message_ja="だめ", message_en="No.")
        raise web.HttpProblem(409, Refusal.NOT_ISSUED, "It has not arrived yet.", errors=[problem])

    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("<p>", headers={"content-security-policy": "default-src 'self'"})

    return app


@pytest.fixture
def app() -> FastAPI:
    return build_app()


async def test_a_problem_is_told_as_rfc_9457_says(app: FastAPI) -> None:
    answer = await ask(app, "/not-issued")

    assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json() == {
        "type": "https://hosho.example/problems/not_issued",
        "title": "The present state does not allow it",
        "status": 409,
        "code": "not_issued",
        "detail": "It has not arrived yet.",
        "errors": [{"code": "a", "pointer": "/b", "message_ja": "だめ", "message_en": "No."}],
    }


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(app: FastAPI) -> None:
    unknown = await ask(app, "/nothing")
    wrong = await ask(app, "/me", method="DELETE")

    assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
    assert (wrong.status, wrong.json()["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "GET")


async def test_an_error_of_ours_tells_nothing_of_the_inside(app: FastAPI) -> None:
    answer = await ask(app, "/broken")

    assert (answer.status, answer.json()["code"]) == (500, "internal_error")
    assert b"division" not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_time_heals_is_503_with_the_time_to_wait(app: FastAPI) -> None:
    answer = await ask(app, "/away")

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert b"10.0.0.1" not in answer.body


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"amount": "hush"}', "field_invalid", "/amount"),
        (b"{}", "field_missing", "/amount"),
        (b"{", "json_invalid", ""),
        (b"[]", "field_invalid", ""),
    ],
)
async def test_wrong_input_is_told_with_its_place_and_not_repeated(
    app: FastAPI, body: bytes, code: str, pointer: str
) -> None:
    answer = await ask(app, "/form", method="POST", headers={"content-type": "application/json"}, chunks=[body])

    assert (answer.status, answer.json()["code"]) == (422, "invalid")
    assert [(told["code"], told["pointer"]) for told in answer.json()["errors"]] == [(code, pointer)]
    assert b"hush" not in answer.body


async def test_a_wrong_parameter_is_told_by_its_name_in_both_languages(app: FastAPI) -> None:
    sent = {"headers": {"content-type": "application/json"}, "chunks": [b'{"amount": 1}']}
    answer = await ask(app, "/form", method="POST", query="limit=x", **sent)  # type: ignore[arg-type]

    (told,) = answer.json()["errors"]
    assert (told["code"], told["pointer"]) == ("parameter_invalid", "/limit")
    assert ("「limit」" in told["message_ja"], "limit" in told["message_en"]) == (True, True)


async def test_a_valid_token_gives_the_portal(app: FastAPI) -> None:
    answer = await ask(app, "/me", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status, answer.json()) == (200, "portal-a")


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, 'Bearer realm="hosho"'),
        ("Basic YTpi", 'Bearer realm="hosho"'),
        ("Bearer", 'Bearer realm="hosho"'),
        ("Bearer another", 'Bearer realm="hosho", error="invalid_token"'),
        (f"Bearer {'x' * 513}", 'Bearer realm="hosho", error="invalid_token"'),
    ],
)
async def test_anything_else_is_401_with_a_challenge(app: FastAPI, authorization: str | None, challenge: str) -> None:
    answer = await ask(app, "/me", headers={"Authorization": authorization} if authorization else {})

    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == challenge


@pytest.mark.parametrize("chunks", [[b"x" * LIMIT], [b"x"] * LIMIT, [b""]])
async def test_a_body_up_to_the_limit_is_read(app: FastAPI, chunks: list[bytes]) -> None:
    answer = await ask(app, "/body", method="POST", chunks=chunks)

    assert (answer.status, answer.json()) == (200, sum(map(len, chunks)))


@pytest.mark.parametrize("declared", [str(LIMIT + 1), "9" * 5000])
async def test_a_body_that_says_it_is_too_large_is_refused_unread(app: FastAPI, declared: str) -> None:
    answer = await ask(app, "/body", method="POST", headers={"Content-Length": declared}, chunks=[b"x"] * 40)

    assert (answer.status, answer.json()["code"], answer.chunks_read) == (413, "too_large", 0)
    assert answer.headers["connection"] == "close"


async def test_a_body_that_does_not_say_is_refused_as_soon_as_it_passes_the_limit(app: FastAPI) -> None:
    answer = await ask(app, "/body", method="POST", chunks=[b"x"] * 40)

    assert (answer.status, answer.chunks_read) == (413, LIMIT + 1)


async def test_a_body_that_never_ends_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_READ_S_MAX", 0.01)
    answer = await ask(app, "/body", method="POST", chunks=[b"x"], stalls=True)

    assert (answer.status, answer.json()["code"]) == (408, "too_slow")


async def test_every_answer_bears_the_security_headers_unless_it_has_its_own(app: FastAPI) -> None:
    health = await ask(app, "/livez")
    page = await ask(app, "/page")

    assert dict(SECURITY_HEADERS).items() <= health.headers.items()
    assert page.headers["content-security-policy"] == "default-src 'self'"
    assert page.headers["cache-control"] == "no-store"


async def test_ready_means_that_there_is_no_reason_against_it() -> None:
    ready = await ask(build_app(), "/readyz")
    waiting = await ask(build_app({"broker": "not connected"}), "/readyz")

    assert (ready.status, ready.json()) == (200, {"ready": True, "reasons": {}})
    assert (waiting.status, waiting.json()) == (503, {"ready": False, "reasons": {"broker": "not connected"}})


async def test_an_outside_that_is_not_called_is_shown_and_makes_nobody_unready() -> None:
    app = web.web_app("a service")
    standing = {"post": {"standing": "closed_hours", "until": "2026-01-04T05:00:00+09:00"}}
    app.include_router(health.health_routes(dict, lambda: standing))
    told = await ask(app, "/readyz")

    assert (told.status, told.json()) == (200, {"ready": True, "reasons": {}, "stages": standing})


async def test_the_version_is_that_of_the_project(app: FastAPI) -> None:
    assert (await ask(app, "/version")).json() == {"version": health.version()}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/livez/"])
async def test_no_page_is_served_that_nobody_asked_for(app: FastAPI, path: str) -> None:
    assert (await ask(app, path)).status == 404
