"""A connection within its limits, over real sockets: slow, silent, unreading and too many clients."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request

from shared.health import health_routes
from shared.service import connection
from shared.service.connection import HEAD_BYTES_MAX, BoundedConnection
from shared.web import read_body, web_app
from tests.eventually import eventually

BODY_BYTES_MAX = 1_000
ANSWER_BYTES = 4_000_000
ANSWER_S_MAX = 20.0
SOON_S = 0.2


def _app() -> FastAPI:
    app = web_app("test")
    app.include_router(health_routes(dict))

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await read_body(request, BODY_BYTES_MAX))

    @app.get("/large")
    async def large() -> str:
        return "x" * ANSWER_BYTES

    return app


@pytest.fixture
async def server() -> AsyncIterator[uvicorn.Server]:
    config = uvicorn.Config(
        _app(),
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=BoundedConnection,
        ws="none",
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    yield server
    server.should_exit = True
    server.force_exit = True
    await serving


class Client:
    """A connection that is read and written by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of the next answer."""
        async with asyncio.timeout(ANSWER_S_MAX):
            top, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            return (
                int(top.split()[1]),
                headers,
                json.loads(await self.reader.readexactly(int(headers["content-length"]))),
            )

    async def ended(self) -> bool:
        """Wait until the other side has closed."""
        async with asyncio.timeout(ANSWER_S_MAX):
            with suppress(ConnectionError):
                while await self.reader.read(65_536):
                    pass
        return True


@pytest.fixture
async def client(server: uvicorn.Server) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Opens connections and closes them in the end."""
    async with AsyncExitStack() as held:

        async def opened(receive_bytes: int = 65_536) -> Client:
            plug = socket.socket()
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            plug.setblocking(False)
            await asyncio.get_running_loop().sock_connect(plug, server.servers[0].sockets[0].getsockname())
            made = Client(*await asyncio.open_connection(sock=plug))
            held.callback(made.writer.close)
            return made

        yield opened


async def test_a_head_that_never_ends_is_given_up(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S_MAX", SOON_S)
    silent, slow = await client(), await client()
    slow.writer.write(b"GET /livez HTTP/1.1\r\nX-Slow: ")

    for one in (silent, slow):
        status, headers, told = await one.answer()
        assert (status, told["status"], headers["content-type"]) == (408, 408, "application/problem+json")
        assert headers["connection"] == "close"
        assert await one.ended()


async def test_time_for_a_head_begins_anew_with_each_request(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await client()
    for _ in range(3):
        one.writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await one.answer())[0] == 200
    monkeypatch.setattr(connection, "HEAD_S_MAX", SOON_S)
    one.writer.write(b"GET /livez")

    assert (await one.answer())[0] == 408


async def test_what_trickles_in_after_its_answer_has_no_more_time(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer came before the body; whoever goes on dripping must not hold the place."""
    monkeypatch.setattr(connection, "HEAD_S_MAX", SOON_S)
    one = await client()
    one.writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    assert (await one.answer())[0] == 404
    one.writer.write(b"x")

    assert await one.ended()


async def test_a_client_that_does_not_read_is_ended(
    client: Any, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_S_MAX", SOON_S)
    one = await client(receive_bytes=4_096)
    one.writer.transport.pause_reading()
    one.writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 5)

    await eventually(lambda: server.server_state.total_requests or server.server_state.tasks)
    await eventually(lambda: not server.server_state.connections)


async def test_a_slow_but_steady_reader_gets_its_whole_answer(client: Any) -> None:
    one = await client(receive_bytes=4_096)
    one.writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")

    status, _, told = await one.answer()
    assert (status, told) == (200, "x" * ANSWER_BYTES)


@pytest.mark.parametrize("line", [b"X-Long: " + b"x" * HEAD_BYTES_MAX, b"X: y\r\n" * HEAD_BYTES_MAX])
async def test_a_head_that_is_too_large_is_refused(client: Any, line: bytes) -> None:
    one = await client()
    one.writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + line)
    status, headers, told = await one.answer()

    assert (status, told["status"], headers["connection"]) == (400, 400, "close")
    assert await one.ended()


async def test_no_http_at_all_is_answered_as_a_problem(client: Any) -> None:
    one = await client()
    one.writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    status, headers, told = await one.answer()

    assert (status, told["code"], headers["content-type"]) == (400, "bad_request", "application/problem+json")


async def test_a_body_that_breaks_the_rules_of_http_ends_its_request(client: Any) -> None:
    one = await client()
    one.writer.write(b"POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    status, _, told = await one.answer()
    rest = await one.reader.read()

    assert (status, told["code"], rest) == (400, "bad_request", b"")


async def test_a_full_house_says_so_and_still_tells_how_it_is(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 2)
    clients = [await client() for _ in range(4)]
    answers = []
    for one in clients:
        one.writer.write(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answers.append(await one.answer())
    fifth = await client()
    fifth.writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

    assert [status for status, _, _ in answers] == [200, 200, 503, 503]
    for _, headers, told in answers[2:]:
        assert (told["code"], headers["content-type"]) == ("unavailable", "application/problem+json")
        assert int(headers["retry-after"]) > 0
        assert headers["connection"] == "close"
    assert (await fifth.answer())[0] == 200


async def test_above_the_second_limit_a_connection_is_closed_at_once(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_TOLD_MAX", 1)
    first, second = await client(), await client()
    first.writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (await first.answer())[0] == 200
    assert await second.ended()


async def test_who_sends_too_much_can_still_read_the_refusal(client: Any) -> None:
    """Closing on bytes that nobody has read would reset the connection and may take the answer away."""
    one = await client()
    one.writer.write(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
    status, headers, _ = await one.answer()
    rest = await one.reader.read()

    assert (status, headers["connection"]) == (413, "close")
    assert rest == b""
