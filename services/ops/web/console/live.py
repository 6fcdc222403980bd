"""What changes while somebody looks: the live part of a page, sent again whenever ops has looked and it differs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from pydantic_core import to_json

from services.ops.web.console.gate import SESSION_COOKIE, Gate
from services.ops.web.console.pages import language_of
from services.ops.web.console.sessions import Session
from services.ops.web.console.views import LIVE, VIEWS
from services.ops.web.means import Means
from shared import clock, postgres
from shared.errors import Transient
from shared.web import HttpProblem

STREAMS_MAX: Final = 100
STREAM_S_MAX: Final = 600.0
"""After so long a browser asks anew, which also shows whether its person is still in."""

LOOK_WITHIN_S: Final = 10.0
AGAIN_MS: Final = 2_000


def live_routes(means: Means, gate: Gate) -> APIRouter:
    """One stream for each live page."""
    router = APIRouter()
    looker = Annotated[Session, Depends(gate.looking())]
    streams: set[object] = set()

    @router.get("/live/{view}")
    async def live(view: str, request: Request, session: looker) -> Response:
        """The live part of a page, again and again."""
        if view not in LIVE:
            raise HttpProblem(404)
        if len(streams) >= STREAMS_MAX:
            raise HttpProblem(503, detail="Too many pages are open; load this one again later.")

        async def events() -> AsyncIterator[bytes]:
            mark = object()
            streams.add(mark)
            try:
                yield f"retry: {AGAIN_MS}\n\n".encode()
                async for text in _parts(means, gate, request, view, session):
                    yield text
            finally:
                streams.discard(mark)

        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(events(), media_type="text/event-stream", headers=headers)

    return router


async def _parts(means: Means, gate: Gate, request: Request, view: str, session: Session) -> AsyncIterator[bytes]:
    language, params = language_of(request), dict(request.query_params)
    identity = request.cookies.get(SESSION_COOKIE, "")
    ends_s = clock.monotonic_s() + STREAM_S_MAX
    before = ""
    while clock.monotonic_s() < ends_s and gate.sessions.of(identity) is session:
        text = await _part(means, gate, view, language, params, session)
        if text is None:
            # The browser asks again by itself; until then the page says that it is not live.
            return
        yield b": still\n\n" if text == before else b"event: live\ndata: " + to_json(text) + b"\n\n"
        before = text
        await _next_look(means)


async def _part(
    means: Means, gate: Gate, view: str, language: str, params: Mapping[str, str], session: Session
) -> str | None:
    try:
        facts = await VIEWS[view](means, params)
    except (*postgres.FAILURES, Transient):
        return None
    return None if facts is None else gate.pages.fragment(f"live_{view}.html", language, {"session": session, **facts})


async def _next_look(means: Means) -> None:
    try:
        async with asyncio.timeout(LOOK_WITHIN_S), means.watch.changed:
            await means.watch.changed.wait()
    except TimeoutError:
        # Doors that answer slowly delay a look; what ops itself knows is shown all the same.
        return
