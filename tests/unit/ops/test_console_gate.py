"""The console's way in counts wrong tokens as every other door does, and says when it opens again."""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI, Request

from services.ops.web.console.gate import FORM_TYPE, Gate, gate_routes
from services.ops.web.console.pages import Answered, Pages, moment
from services.ops.web.console.sessions import Sessions
from shared import clock, web
from shared.operator_door.operators import Operator, Operators
from shared.web_limits import Limits
from tests.unit.shared.test_web import Answer, ask

TOKEN = "a token of somebody"
TRIES = 3


@pytest.fixture
def hands() -> Iterator[clock.Hands]:
    """A clock that stands still."""
    with clock.standing_at(clock.now()) as held:
        yield held


@pytest.fixture
def app(hands: clock.Hands) -> FastAPI:
    """The console's gate, for one known operator, with so few tries that a test can use them up."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    operators = Operators([Operator(name="night.watch", scope="operator", token_sha256=(digest,))])
    made = web.web_app("the console")
    made.state.limits = Limits(wrong_tokens_per_minute=TRIES)
    made.include_router(gate_routes(Gate(Sessions(operators), Pages())))
    return made


async def log_in(app: FastAPI, token: str, *, address: str = "192.0.2.1", language: str = "en") -> Answer:
    headers = {"Content-Type": FORM_TYPE, "Accept-Language": language}
    body = urlencode({"token": token, "next": "/due"}).encode()
    return await ask(app, "/login", method="POST", headers=headers, chunks=(body,), address=address)


@pytest.mark.parametrize(("language", "told"), [("en", "Too many unknown tokens"), ("ja", "トークンが続けて")])
async def test_wrong_tokens_at_the_console_are_soon_told_when_to_come_back(
    app: FastAPI, hands: clock.Hands, language: str, told: str
) -> None:
    refused = [(await log_in(app, f"wrong {number}", language=language)).status for number in range(TRIES)]
    waiting = await log_in(app, "wrong", language=language)
    wait_s = int(waiting.headers["retry-after"])
    page = waiting.body.decode()
    hands.advance(wait_s)
    opens_at = moment(clock.now())
    later = await log_in(app, "wrong", language=language)

    assert refused == [401] * TRIES
    assert (waiting.status, wait_s) == (429, 20)
    assert told in page
    assert opens_at in page
    assert later.status == 401


async def test_a_right_token_opens_the_console_however_many_wrong_ones_came_before_it(app: FastAPI) -> None:
    statuses = [(await log_in(app, "wrong")).status for _ in range(TRIES + 1)]
    right = await log_in(app, TOKEN)

    assert statuses[-1] == 429
    assert (right.status, right.headers["location"]) == (303, "/due")


async def test_tries_at_the_console_are_counted_by_address_and_an_empty_field_is_no_try(app: FastAPI) -> None:
    empty = [(await log_in(app, "")).status for _ in range(TRIES + 2)]
    used_up = [(await log_in(app, "wrong")).status for _ in range(TRIES + 1)]

    assert set(empty) == {401}
    assert used_up[-1] == 429
    assert (await log_in(app, "wrong", address="192.0.2.2")).status == 401


async def test_a_try_at_the_console_counts_at_its_other_doors(app: FastAPI) -> None:
    """One address has one number of tries at a process, whichever of its doors they come to."""
    for number in range(TRIES):
        await log_in(app, f"wrong {number}")

    assert app.state.limits.wrong_token_from("192.0.2.1") > 0


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_language_that_a_stranger_asked_for_holds_at_the_way_in(app: FastAPI, language: str) -> None:
    """It is remembered there, so that the page behind it needs no second word about it."""
    looker = Gate(Sessions(Operators([])), Pages()).looking()
    query = f"which=held&lang={language}".encode()
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/due", "query_string": query, "headers": []}
    with pytest.raises(Answered) as led:
        await looker(Request(scope | {"server": ("127.0.0.1", 80), "scheme": "http"}))
    way_in = led.value.response.headers["location"]
    other = {"Accept-Language": "en" if language == "ja" else "ja"}
    path, _, asked = way_in.partition("?")
    page = await ask(app, path, query=asked, headers=other)
    text = page.body.decode()

    assert way_in == f"/login?next=%2Fdue%3Fwhich%3Dheld&lang={language}"
    assert f'<html lang="{language}"' in text
    assert 'name="next" value="/due?which=held"' in text
    assert f"hosho_language={language}" in page.headers["set-cookie"]
