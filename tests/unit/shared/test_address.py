"""Where a request came from is what the server saw; a header is believed only from a proxy that the settings name."""

import asyncio
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr, ValidationError

from shared.service import Service, ServiceSettings
from shared.service.process import _web_server
from shared.web import address_of
from tests.eventually import eventually

FORGED = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}


async def seen(trusted_proxies: str) -> str:
    """The address a service sees of a client on this machine that claims another one."""
    app = FastAPI()

    @app.get("/")
    async def told(request: Request) -> dict[str, Any]:
        return {"address": address_of(request)}

    settings = ServiceSettings(
        database_url=SecretStr("postgresql://db.example"),
        broker_url=SecretStr("amqp://broker.example"),
        http_port=0,
        trusted_proxies=trusted_proxies,
    )
    server = _web_server(Service(name="issuer", settings=settings, web=app))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/", headers=FORGED) as answer:
        found = str((await answer.json())["address"])
    server.should_exit = True
    await serving
    return found


async def test_a_header_of_a_stranger_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the server's own variable open the door that the setting keeps shut."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    assert await seen("") == "127.0.0.1"
    assert await seen("192.0.2.1,10.0.0.0/8") == "127.0.0.1"


async def test_a_trusted_proxy_is_believed_as_far_as_it_saw_itself() -> None:
    """What stands left of the proxy's own word was written by the client."""
    assert await seen("127.0.0.1") == "198.51.100.7"


@pytest.mark.parametrize("wrong", ["*", "0.0.0.0/0", "::/0", "proxy.example", "10.0.0.1/8", "127.0.0.1,"])
async def test_proxies_are_named_by_addresses_and_never_all_of_them(wrong: str) -> None:
    """A name would never match, and with every address among them anybody could write what he likes."""
    with pytest.raises(ValidationError):
        await seen(wrong)
