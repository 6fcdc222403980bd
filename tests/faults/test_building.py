"""A world leads its services over wires, also on servers of somebody else, and never onto a system that lives."""

from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.local.children import Program
from deploy.local.programs import Place
from shared.errors import Misconfigured
from tests.conftest import Servers
from tests.faults import building
from tests.faults.building import _host_and_port, _refuse_to_harm, _through, world_of_its_own
from tests.faults.proxy import Wire


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("amqp://someone:secret@broker.example:5673/hosho", ("broker.example", 5673)),
        ("amqp://someone:secret@broker.example", ("broker.example", 5672)),
        ("postgresql://someone:secret@database.example/hosho", ("database.example", 5432)),
    ],
)
def test_a_wire_leads_where_the_url_says(url: str, target: tuple[str, int]) -> None:
    assert _host_and_port(url) == target


def _place(broker_url: str) -> Place:
    addresses = SimpleNamespace(superuser_url="postgresql://a:b@127.0.0.1:5433/postgres", broker_url=broker_url)
    ports = {"platform-simulator": 1, "smtp": 2}
    return cast(Place, SimpleNamespace(stack=SimpleNamespace(addresses=addresses), ports=ports))


def _program(broker_url: str) -> Program:
    environment = {"ISSUER_BROKER_URL": f"{broker_url}/hosho", "ISSUER_HTTP_PORT": "8001"}
    return Program("issuer", ["python"], environment, Path("log"), Path())


def test_a_program_is_led_over_its_wire_to_another_host() -> None:
    wire = Wire("issuer-rabbitmq", 5672, "broker.example")
    wire.port = 40_000
    url = "amqp://issuer:secret@broker.example:5672"
    led = _through(_program(url), _place(url), {wire.name: wire}, {"CRASH_AT": "-publish"})

    assert led.env == {
        "ISSUER_BROKER_URL": "amqp://issuer:secret@127.0.0.1:40000/hosho",
        "ISSUER_HTTP_PORT": "8001",
        "ISSUER_CRASH_AT": "-publish",
    }


def test_an_address_that_cannot_be_led_over_a_wire_is_no_silent_shortcut() -> None:
    wire = Wire("issuer-rabbitmq", 5672, "broker.example")
    url = "amqp://issuer:secret@broker.example"

    with pytest.raises(Misconfigured, match="name the port"):
        _through(_program(url), _place(url), {wire.name: wire}, {})


async def test_one_given_server_without_the_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSHO_POSTGRES_URL", "postgresql://a:b@127.0.0.1:1/postgres")

    with pytest.raises(Misconfigured, match="together"):
        async with world_of_its_own("faults-refused"):
            raise AssertionError("it began all the same")


class _Api:
    """The management API of a broker that has these virtual hosts."""

    def __init__(self, *vhosts: str) -> None:
        self.vhosts = vhosts

    def path(self, _kind: str) -> str:
        return "hosho"

    async def get(self, path: str) -> dict[str, str] | None:
        return {"name": path} if path in self.vhosts else None


@pytest.mark.parametrize("vhosts", [("hosho",), ()])
async def test_servers_on_which_a_system_lives_are_left_alone(
    stack: Servers, monkeypatch: pytest.MonkeyPatch, vhosts: tuple[str, ...]
) -> None:
    @asynccontextmanager
    async def management(_url: str, _vhost: str) -> Any:
        yield _Api(*vhosts)

    monkeypatch.setattr(building, "management", management)
    local = stack.local
    if not vhosts:
        # The test servers hold no database of that name, so nothing speaks against them.
        await _refuse_to_harm(local)
        monkeypatch.setattr(building, "DATABASE", stack.database)
    with pytest.raises(Misconfigured, match="A system lives on these servers"):
        await _refuse_to_harm(local)
