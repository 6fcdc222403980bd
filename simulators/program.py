"""How every simulator runs: JSON log lines, an HTTP server with /livez, a clean end on SIGTERM."""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvloop
from aiohttp import web

from simulators import clock

HOST_DEFAULT = "127.0.0.1"
SHUTDOWN_S_MAX = 1.0
BACKLOG_CONNECTIONS_MAX = 1024

Start = Callable[[], AbstractAsyncContextManager[Mapping[str, object]]]
Reasons = Callable[[], list[str]]

_who: dict[str, object] = {}


def tell(event: str, /, **facts: object) -> None:
    """Writes one JSON line to the log: an event `noun.verb_past` and facts, never a body and never a secret."""
    line = {"event": event, "level": "info", "timestamp": clock.now().isoformat()} | _who | facts
    print(json.dumps(line, ensure_ascii=False, default=str), flush=True)


class _Retold(logging.Handler):
    """What libraries have to say, as lines of the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info is not None:
            facts["traceback"] = logging.Formatter().formatException(record.exc_info)
        tell("library.warned", **facts | {"level": record.levelname.lower()})


def run(name: str, start: Start) -> None:
    """Runs one simulator until SIGTERM or SIGINT.

    `start` opens the program and yields what a reader of the log should know (the ports above all).
    """
    _who["simulator"] = name
    logging.basicConfig(level=logging.WARNING, handlers=[_Retold()])
    uvloop.run(_until_told(start))


async def _until_told(start: Start) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with start() as facts:
        tell("simulator.started", **facts)
        await told.wait()
    tell("simulator.stopped")


@asynccontextmanager
async def serving(application: web.Application, host: str, port: int, reasons: Reasons) -> AsyncIterator[int]:
    """Serves the application and /livez; yields the port, which differs from the given one when that is 0.

    `reasons` names what is not ready; while it names anything, /livez answers 503.
    """

    async def livez(_: web.Request) -> web.Response:
        missing = reasons()
        return json_answer({"ready": not missing, "reasons": missing}, status=503 if missing else 200)

    application.router.add_get("/livez", livez)
    # A caller that hangs up must end its handler, or a silent answer would stay open for ever.
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S_MAX)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG_CONNECTIONS_MAX)
        await site.start()
        address: tuple[str, int] = runner.addresses[0]
        yield address[1]
    finally:
        await runner.cleanup()


def json_answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response in UTF-8 with readable Japanese."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def problem_answer(
    status: int,
    detail: str,
    *,
    problem_type: str = "about:blank",
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An `application/problem+json` response (RFC 9457)."""
    body = json.dumps(problem(status, detail, problem_type, title), ensure_ascii=False).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/problem+json")


def problem(status: int, detail: str, problem_type: str = "about:blank", title: str | None = None) -> dict[str, object]:
    """The body of a problem answer."""
    return {"type": problem_type, "title": title or f"HTTP {status}", "status": status, "detail": detail}
