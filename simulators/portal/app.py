"""The portal program, put together.

Sends: application.submitted, change.requested over AMQP or HTTP. Hears: the queue `portal.<portal>`.
Serves on loopback: pages for people at /, and for programs /send, /samples, /applications, /changes, /answers,
/guarantees, /livez.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from simulators.portal.client import Access, Portal
from simulators.portal.settings import PortalSettings
from simulators.portal.site.door import site_routes
from simulators.portal.web import BODY_BYTES_MAX, PortalDoor
from simulators.program import problem_answer, serving


@asynccontextmanager
async def start() -> AsyncIterator[Mapping[str, object]]:
    """Opens the portal; yields its port."""
    settings = PortalSettings.model_validate({})
    if settings.storage is not None:
        settings.storage.parent.mkdir(parents=True, exist_ok=True)
    access = Access(
        portal=settings.id,
        broker_url=settings.broker_url.get_secret_value(),
        intake_url=settings.intake_url,
        issuer_url=settings.issuer_url,
        token=settings.token.get_secret_value(),
        storage=settings.storage,
    )
    async with Portal(access) as portal:
        application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_outside_away])
        application.add_routes([*PortalDoor(portal).routes(), *site_routes(portal)])
        async with serving(application, settings.host, settings.http_port, portal.reasons) as port:
            yield {"http_port": port, "portal": settings.id}


@web.middleware
async def _outside_away(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientError, TimeoutError) as error:
        return problem_answer(502, f"Intake or issuer did not answer: {type(error).__name__}.")
