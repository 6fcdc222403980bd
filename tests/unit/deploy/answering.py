"""A server that gives everybody the same answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

PUBLISHED = "/keys"


@asynccontextmanager
async def serving(body: str = "", headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Whatever is asked, this is answered as JSON; gives a URL."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, headers=headers, content_type="application/json")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}{PUBLISHED}"
    finally:
        await runner.cleanup()
