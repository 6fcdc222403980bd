"""The platform's edge against small servers: what goes out, and what becomes of each way an answer can fail."""

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from services.platform_bridge.domain.answers import Answer, Heard, NoAnswer, NotSent
from services.platform_bridge.edge import ANSWER_BYTES_MAX, Platform
from tests.unit.notifier.self_signed import self_signed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def asked(handler: Handler, method: str = "post", tls: ssl.SSLContext | None = None) -> Heard:
    async with served(handler, tls) as url:
        platform = Platform(url, "token-1")
        await platform.open()
        try:
            if method == "post":
                return await platform.post("00000-000001/1", b'{"a": 1}')
            return await platform.get("00000-000001/1")
        finally:
            await platform.close()


async def test_a_post_carries_token_key_and_body_as_the_contract_says() -> None:
    seen: list[tuple[str, str, str, str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = request.headers
        body = await request.read()
        seen.append(
            (
                request.method,
                request.path,
                headers["Authorization"],
                headers["Idempotency-Key"],
                headers["Content-Type"],
                body,
            )
        )
        return web.Response(status=201, body=b"{}", headers={"Retry-After": "3"})

    heard = await asked(handler)

    assert heard == Answer(201, b"{}", "3")
    assert seen == [
        (
            "POST",
            "/v1/certificates",
            "Bearer token-1",
            '"00000-000001/1"',
            "application/json",
            b'{"a": 1}',
        )
    ]


async def test_a_get_asks_for_the_version() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.path} {request.headers.get('Idempotency-Key')}")

    assert await asked(handler, "get") == Answer(200, b"GET /v1/certificates/00000-000001/1 None")


async def test_a_redirect_is_not_followed() -> None:
    visits: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert await asked(handler) == Answer(307, b"")
    assert visits == ["/v1/certificates"]


async def test_a_body_longer_than_any_answer_is_not_read_to_its_end() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (ANSWER_BYTES_MAX + 1))

    async def longest(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * ANSWER_BYTES_MAX)

    assert await asked(handler) == Answer(200, None)
    assert await asked(longest) == Answer(200, b"x" * ANSWER_BYTES_MAX)


async def test_a_compressed_answer_is_left_as_it_is() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert await asked(handler) == Answer(200, b"\x1f\x8b")


async def test_an_answer_that_breaks_off_keeps_its_status_and_loses_its_body() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    assert await asked(handler) == Answer(200, None)


async def test_a_connection_that_ends_without_an_answer_leaves_the_outcome_open() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    assert isinstance(await asked(handler), NoAnswer)


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        platform = Platform(f"http://127.0.0.1:{reserved.getsockname()[1]}", "token-1")
        await platform.open()
        heard = await platform.post("00000-000001/1", b"{}")
        await platform.close()

    assert isinstance(heard, NotSent)
    assert not heard.our_setup


async def test_a_certificate_that_nobody_vouches_for_is_our_set_up_to_mend(tmp_path: Path) -> None:
    async def handler(_: web.Request) -> web.Response:
        raise AssertionError("nothing may be sent over a connection that proves nothing")

    heard = await asked(handler, tls=self_signed(tmp_path)[0])

    assert isinstance(heard, NotSent)
    assert heard.our_setup


@pytest.mark.parametrize("method", ["post", "get"])
async def test_before_it_is_open_nothing_is_sent(method: str) -> None:
    platform = Platform("http://127.0.0.1:1", "token-1")
    heard = await (platform.post("00000-000001/1", b"{}") if method == "post" else platform.get("00000-000001/1"))

    assert isinstance(heard, NotSent)
