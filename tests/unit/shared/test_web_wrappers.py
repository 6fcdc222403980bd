"""The bound on every body stands outside of the framework, which reads bodies before it asks who sends them."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from shared import web, web_wrappers
from shared.operator_door.acts import KeptText
from shared.portals import Portal
from tests.unit.shared.test_web import PORTALS, ask

LIMIT = 64


class Form(BaseModel):
    """A body that is read by the signature of its route."""

    text: KeptText


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(web_wrappers, "BODY_BYTES_MAX", LIMIT)
    made = web.web_app("a service")
    caller = web.bearer(PORTALS)

    @made.post("/form")
    async def form(form: Form, portal: Annotated[Portal, Depends(caller)]) -> str:
        return form.text + portal.id

    return made


async def test_a_stranger_cannot_have_a_large_body_read(app: FastAPI) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await ask(app, "/form", method="POST", headers=headers, chunks=[b'"' + b"x" * 40] * 1_000)

    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.chunks_read == 2


@pytest.mark.parametrize("declared", ["65", "9" * 5_000])
async def test_one_that_says_it_is_large_is_not_read_at_all(app: FastAPI, declared: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": declared}
    answer = await ask(app, "/form", method="POST", headers=headers, chunks=[b"{}", b""])

    assert (answer.status, answer.chunks_read) == (413, 0)


async def test_one_that_never_ends_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_wrappers, "BODY_READ_S_MAX", 0.01)
    headers = {"Content-Type": "application/json"}
    answer = await ask(app, "/form", method="POST", headers=headers, chunks=[b'{"text'], stalls=True)

    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_one_within_the_limit_is_read(app: FastAPI) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer a-token"}
    answer = await ask(app, "/form", method="POST", headers=headers, chunks=[b'{"text":', b'"a"}'])

    assert (answer.status, answer.json()) == (200, "aportal-a")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30,
        b'{"text":1e999999999}',
        b"\xff\xfe{}",
        b'{"text":"\\ud800"}',
        b'{"text":"\\u0000"}',
        b'{"\\ud800":1}',
        b"",
        b'{"text":NaN}',
    ],
)
async def test_a_body_that_is_none_is_refused_and_breaks_nothing(app: FastAPI, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer a-token"}
    answer = await ask(app, "/form", method="POST", headers=headers, chunks=[body])

    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
