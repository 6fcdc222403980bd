"""One platform and one mailbox for all tests here: they keep their subjects apart by number and by address."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.simulators.issuing import Issuer
from tests.unit.simulators.running import Reply, Running, running, serving_json

TOKEN = "platform-token"
Post = Callable[..., Reply]


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def platform(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    storage = tmp_path_factory.mktemp("platform") / "platform.sqlite"
    with serving_json(issuer.jwks()) as jwks_url:
        environment = {
            "PLATFORM_SIM_PORT": "0",
            "PLATFORM_SIM_TOKEN": TOKEN,
            "PLATFORM_SIM_STORAGE": str(storage),
            "PLATFORM_SIM_JWKS_URL": jwks_url,
        }
        with running("platform", environment) as program:
            yield program


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    storage = tmp_path_factory.mktemp("mailbox") / "mailbox.sqlite"
    environment = {"MAILBOX_SMTP_PORT": "0", "MAILBOX_HTTP_PORT": "0", "MAILBOX_STORAGE": str(storage)}
    with running("mailbox", environment) as program:
        yield program


@pytest.fixture(scope="session")
def post(platform: Running) -> Post:
    """Posts a certificate with its right key; keyword arguments replace headers or the time-out."""

    def call(certificate: dict[str, Any], timeout_s: float = 10.0, **headers: str) -> Reply:
        key = f'"{certificate.get("guarantee_number")}/{certificate.get("version")}"'
        given = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Idempotency-Key": key}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return platform.call("POST", "/v1/certificates", json.dumps(certificate).encode(), given, timeout_s)

    return call


@pytest.fixture(scope="session")
def admin(platform: Running) -> Callable[..., Any]:
    """Calls a route of the platform that needs the token; gives what it answered."""

    def call(method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        return platform.call(method, path, sent, {"Authorization": f"Bearer {TOKEN}"}).json()

    return call
