"""Where the services send their spans while the canary listens, so that traces are searched like everything else."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from deploy.local.ports import LOOPBACK
from services.platform_bridge.handlers import POST_CERTIFICATE
from shared.topology import SERVICES
from tests.faults.canary.places import Place
from tests.faults.world import Environments

BODY_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Spans:
    """What came, as it came: protocol buffers, in which texts stand in the clear."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    @property
    def wanted(self) -> Environments:
        """What the services must be given to send their spans here."""
        return {name: {"TRACES_URL": self.url} for name in SERVICES}

    @property
    def place(self) -> Place:
        """All that came so far; the span of the call that carries a key is surely among them."""
        pieces = tuple((f"spans {number}", body) for number, body in enumerate(self.bodies))
        return Place("traces", pieces, re.compile(f"call {POST_CERTIFICATE}".encode()))


@asynccontextmanager
async def listening() -> AsyncIterator[Spans]:
    """A place for spans, for the length of a block."""
    spans = Spans()

    async def take(request: web.Request) -> web.Response:
        spans.bodies.append(await request.read())
        return web.Response(content_type="application/x-protobuf")

    application = web.Application(client_max_size=BODY_BYTES_MAX)
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        spans.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        yield spans
    finally:
        await runner.cleanup()
