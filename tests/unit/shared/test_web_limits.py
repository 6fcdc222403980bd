"""How often somebody may ask: wrong tokens by address, requests by portal, with little memory and nobody locked out."""

from collections.abc import Callable, Mapping
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI

from shared import clock, web
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.portals import Portal
from shared.web_limits import ADDRESSES_MAX, Buckets, Limits, network_of
from tests.unit.shared.test_web import PORTALS, TOKEN, Answer, ask

WRONG = {"Authorization": "Bearer wrong"}
RIGHT = {"Authorization": f"Bearer {TOKEN}"}
NOBODY: Mapping[str, str] = {}

Clock = Callable[[float], None]


@pytest.fixture
def pass_s(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that passes only when it is told to."""
    now = {"s": 1_000.0}
    monkeypatch.setattr(clock, "monotonic_s", lambda: now["s"])

    def pass_on(seconds: float) -> None:
        now["s"] += seconds

    return pass_on


@pytest.fixture
def app() -> FastAPI:
    made = web.web_app("a service")
    made.state.limits = Limits(wrong_tokens_per_minute=3, requests_per_second=2)
    caller, keeper = web.bearer(PORTALS), door_keeper(Operators())

    @made.get("/me")
    async def me(portal: Annotated[Portal, Depends(caller)]) -> str:
        return portal.id

    @made.get("/operator")
    async def operator(who: Annotated[Operator, Depends(keeper)]) -> str:
        return who.name

    return made


async def _statuses(app: FastAPI, headers: Mapping[str, str], times: int, path: str = "/me") -> list[int]:
    return [(await ask(app, path, headers=headers)).status for _ in range(times)]


@pytest.mark.parametrize("path", ["/me", "/operator"])
async def test_wrong_tokens_of_an_address_are_soon_told_to_wait(app: FastAPI, pass_s: Clock, path: str) -> None:
    refused = await _statuses(app, WRONG, 3, path)
    told: Answer = await ask(app, path, headers=WRONG)
    pass_s(float(told.headers["retry-after"]))
    later = await _statuses(app, WRONG, 2, path)

    assert refused == [401, 401, 401]
    assert (told.status, told.json()["code"]) == (429, "too_many_tries")
    assert told.headers["retry-after"] == "20"
    assert later == [401, 429]


async def test_a_right_token_always_passes_however_many_wrong_ones_came_from_its_address(
    app: FastAPI, pass_s: Clock
) -> None:
    await _statuses(app, WRONG, 50)

    assert (await _statuses(app, WRONG, 1), await _statuses(app, RIGHT, 1)) == ([429], [200])
    assert (await ask(app, "/me", headers=WRONG, address="192.0.2.2")).status == 401


async def test_who_brings_no_token_is_always_told_that_one_is_needed(app: FastAPI, pass_s: Clock) -> None:
    assert set(await _statuses(app, NOBODY, 50)) == {401}


async def test_a_portal_that_asks_too_often_is_told_when_to_come_again(app: FastAPI, pass_s: Clock) -> None:
    at_once = await _statuses(app, RIGHT, 4)
    told = await ask(app, "/me", headers=RIGHT)
    pass_s(float(told.headers["retry-after"]))
    later = await _statuses(app, RIGHT, 3)

    assert at_once == [200] * 4
    assert (told.status, told.headers["retry-after"]) == (429, "1")
    assert later == [200, 200, 429]


def test_one_portals_requests_take_nothing_from_another(pass_s: Clock) -> None:
    limits = Limits(requests_per_second=1)
    taken = [limits.request_of("portal-a") for _ in range(3)]

    assert taken == [0, 0, 1]
    assert limits.request_of("portal-b") == 0


def test_however_many_addresses_try_little_is_remembered(pass_s: Clock) -> None:
    limits = Limits()
    for number in range(ADDRESSES_MAX + 500):
        limits.wrong_token_from(f"198.51.{number // 256}.{number % 256}")

    assert len(limits.tries) == ADDRESSES_MAX


def test_a_clock_that_goes_back_gives_and_takes_nothing(pass_s: Clock) -> None:
    buckets = Buckets(per_s=1.0, full=1.0, keys_max=1)
    buckets.take("a")
    pass_s(-100)

    assert buckets.take("a") == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("no address", "no address", True),
    ],
)
def test_a_network_of_one_subscriber_is_one_caller(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same
