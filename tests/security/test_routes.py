"""Every route of every service is asked with every wrong token, and none does anything before it knows who asks.

The services are built without a database and a broker: whoever got past a door here would be answered 500.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from deploy import operators, portals
from deploy.contracts import services
from deploy.contracts.openapi import openapi_documents
from deploy.places import OPERATORS_FILE, PORTALS_FILE
from shared.service.process import _web_server
from shared.topology import SERVICES
from tests.unit.shared.test_web import Answer, ask

TOKENS: Final = {
    "portal-a": "a-portal's",
    "office": "the-office's",
    "viewer": "a-viewer's",
    "operator": "an-operator's",
}
_CLIENTS: Final = itertools.count()
OPEN: Final = {
    *("/livez", "/readyz", "/version", "/metrics", "/openapi.json", "/.well-known/jwks.json", "/v1/problems"),
    *("/login", "/static/{name}"),
}
"""What anybody may ask for: how a process is, how it is spoken to, which keys verify, and the way in."""

OPERATORS_ONLY: Final = re.compile(r"/operator/")
WRONG: Final[Mapping[str, Mapping[str, str]]] = {
    "no token": {},
    "an empty header": {"Authorization": ""},
    "an empty token": {"Authorization": "Bearer "},
    "a wrong token": {"Authorization": "Bearer wrong"},
    "half a token": {"Authorization": f"Bearer {TOKENS['operator'][:-1]}"},
    "a token and more": {"Authorization": f"Bearer {TOKENS['portal-a']} {TOKENS['operator']}"},
    "another scheme": {"Authorization": f"Basic {TOKENS['operator']}"},
    "no scheme": {"Authorization": TOKENS["operator"]},
    "a token's hash": {"Authorization": f"Bearer {portals.token_sha256(TOKENS['portal-a'])}"},
    "a very long token": {"Authorization": f"Bearer {'x' * 10_000}"},
    "a token in another header": {"X-Authorization": f"Bearer {TOKENS['operator']}"},
    "a token as cookie": {"Cookie": f"hosho_session={TOKENS['operator']}; token={TOKENS['operator']}"},
}


@dataclass(frozen=True)
class Route:
    """One method at one address, with something in the place of each parameter."""

    service: str
    method: str
    path: str

    @property
    def address(self) -> str:
        """An address that leads there."""
        return re.sub(r"\{[^}]+\}", "1", self.path)

    @property
    def is_page(self) -> bool:
        """Whether people ask for it in a browser, with a cookie."""
        return self.service == "ops" and not self.path.startswith(("/v1/", "/operator/")) and self.path not in OPEN

    @property
    def is_of_operators(self) -> bool:
        """Whether its tokens are an operator's, and not a portal's."""
        return self.service == "ops" or OPERATORS_ONLY.match(self.path) is not None


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    """Each service's doors as its process opens them, with the tokens of these tests."""
    folder = tmp_path_factory.mktemp("doors")
    files = {"PORTALS_FILE": folder / "portals.toml", "OPERATORS_FILE": folder / "operators.toml"}
    files["PORTALS_FILE"].write_text(portals.filled(PORTALS_FILE, TOKENS, {}), encoding="utf-8")
    files["OPERATORS_FILE"].write_text(operators.filled(TOKENS, OPERATORS_FILE), encoding="utf-8")
    own = {name: str(path) for name, path in files.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(services, "_NOWHERE", {**services._NOWHERE, **own})
        # Built afresh, since opening the doors adds to what is described.
        built: dict[str, Any] = {name: _web_server(services._described(name)).config.app for name in SERVICES}
    return built


def routes(apps: Mapping[str, FastAPI]) -> Iterator[Route]:
    """Every route there is."""
    for service, app in apps.items():
        for route in iter_route_contexts(app.routes):
            for method in route.methods or ():
                yield Route(service, method, str(route.path))


async def _asked(app: FastAPI, route: Route, headers: Mapping[str, str]) -> Answer:
    # Each request comes from an address of its own, since wrong tokens of one address are soon answered 429.
    return await ask(
        app, route.address, method=route.method, headers=headers, chunks=(b"{}",), address=f"client-{next(_CLIENTS)}"
    )


def _tells_nothing(route: Route, answer: Answer) -> None:
    text = answer.body.decode()

    assert not [token for token in TOKENS.values() if token in text]
    assert not re.search(r"Traceback|asyncpg|nowhere\.example|services\.|shared\.", text), route


def test_the_walk_meets_every_kind_of_door(apps: Mapping[str, FastAPI]) -> None:
    found = list(routes(apps))
    paths = {route.path for route in found}

    assert {"/v1/applications", "/v1/guarantees/{number}/auth-key", "/v1/parked/replay", "/ledger", "/metrics"} <= paths
    assert paths >= OPEN, "what is open must exist, or the list is out of date"
    assert {route.service for route in found if route.path.startswith("/operator/")} == set(SERVICES)
    assert len(found) > 100


@pytest.mark.parametrize("wrong", WRONG)
async def test_no_route_opens_to_a_wrong_token(apps: Mapping[str, FastAPI], wrong: str) -> None:
    for route in routes(apps):
        if route.path in OPEN or route.is_page:
            continue
        answer = await _asked(apps[route.service], route, WRONG[wrong])

        assert answer.status == 401, (route, answer)
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert answer.headers["content-type"] == "application/problem+json"
        _tells_nothing(route, answer)


async def test_a_portal_is_no_operator_and_an_operator_no_portal(apps: Mapping[str, FastAPI]) -> None:
    for route in routes(apps):
        if route.path in OPEN or route.is_page:
            continue
        foreign = ("portal-a", "office") if route.is_of_operators else ("viewer", "operator")
        for who in foreign:
            answer = await _asked(apps[route.service], route, {"Authorization": f"Bearer {TOKENS[who]}"})

            assert answer.status == 401, (route, who, answer)
            _tells_nothing(route, answer)


async def test_a_viewer_changes_nothing_anywhere(apps: Mapping[str, FastAPI]) -> None:
    """What ops passes on to a service is judged there, by the same door; reading many rows at once is a POST too."""
    judged_there = "/v1/services/"
    acts = [
        route
        for route in routes(apps)
        if route.method == "POST" and route.is_of_operators and not route.is_page and route.path not in OPEN
        if not route.path.startswith(judged_there) and route.path != "/operator/endings"
    ]
    assert len(acts) > 10
    for route in acts:
        body = (b'{"reason": "a test", "service": "ops", "ids": ["1"], "keys": ["1"], "found": []}',)
        headers = {"Authorization": f"Bearer {TOKENS['viewer']}", "Content-Type": "application/json"}
        answer = await ask(apps[route.service], route.address, method="POST", headers=headers, chunks=body)

        assert answer.status == 403, (route, answer)


def test_no_service_writes_down_which_addresses_were_asked_for() -> None:
    """It would be one more place that could hold what should not be there; a proxy in front may write its own."""
    configured = {name: _web_server(one).config for name, one in services.described().items()}

    assert {name for name, config in configured.items() if config.access_log} == set()
    assert set(configured) == set(SERVICES)


def test_no_address_has_a_place_for_a_key_or_a_token() -> None:
    """What a proxy in front writes down are addresses; keys and tokens travel in headers and bodies."""
    told = [
        (path, parameter["name"])
        for document in openapi_documents().values()
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] in ("path", "query")
    ]

    assert len(told) > 30
    assert [one for one in told if re.search(r"auth_?key|token|secret|password|sealed", one[1], re.IGNORECASE)] == []


@pytest.mark.parametrize("wrong", WRONG)
async def test_no_page_of_the_console_opens_to_a_stranger(apps: Mapping[str, FastAPI], wrong: str) -> None:
    pages = [route for route in routes(apps) if route.is_page]
    assert len(pages) > 10
    for route in pages:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if route.method == "POST" else {}
        answer = await _asked(apps["ops"], route, {**form, **WRONG[wrong]})
        leads = answer.headers.get("location", "")

        assert answer.status in (303, 401), (route, answer)
        assert answer.status == 401 or leads.startswith("/login"), (route, leads)
        _tells_nothing(route, answer)
