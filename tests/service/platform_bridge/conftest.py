"""One platform simulator for all tests here; it verifies signatures with the test servers' published key."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.signing import SigningKeys
from tests.conftest import Servers
from tests.service.platform_bridge.bridging import TOKEN, Span, spanning
from tests.unit.simulators.running import Running, running, serving_json


@pytest.fixture(scope="session")
def platform(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    storage = tmp_path_factory.mktemp("platform") / "platform.sqlite"
    with serving_json(SigningKeys.parse(stack.signing_key).jwks()) as jwks_url:
        environment = {
            "PLATFORM_SIM_PORT": "0",
            "PLATFORM_SIM_TOKEN": TOKEN,
            "PLATFORM_SIM_STORAGE": str(storage),
            "PLATFORM_SIM_JWKS_URL": jwks_url,
        }
        with running("platform", environment) as program:
            yield program


@pytest.fixture
async def span(emptied: Servers, platform: Running) -> AsyncIterator[Span]:
    async with spanning(emptied, platform) as made:
        yield made
