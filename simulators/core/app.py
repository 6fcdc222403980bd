"""The core simulator, put together.

Announces: core.guarantee_concluded.v1, core.guarantee_declined.v1. Hears: `office.paper_ordered`, `portal.office`.
Asks and sends over HTTP, with the office's token: intake, issuer.
Serves on loopback: POST /conclude, POST /decline, GET /paper-orders, /livez, and at / the pages of the office.
Keeps: what the office heard, in one sqlite file.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import ValidationError

from simulators.core.conclusion import Conclusion, Refusal, message_of
from simulators.core.desk import SCHEMA, Desk
from simulators.core.doors import OfficeDoors
from simulators.core.office import Office
from simulators.core.pages import OfficeDoor
from simulators.core.settings import CoreSettings
from simulators.ledger import Ledger, Survives
from simulators.program import json_answer, problem_answer, serving
from simulators.wire import CORE_EXCHANGE, PAPER_QUEUE, Listener, NotConfirmed, Sender, Unroutable

OFFICE_QUEUE = "portal.office"


class CoreDoor:
    """The routes of the core."""

    def __init__(self, sender: Sender, desk: Desk) -> None:
        self._sender = sender
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            web.post("/conclude", self.conclude),
            web.post("/decline", self.decline),
            web.get("/paper-orders", self.paper_orders),
        ]

    async def conclude(self, request: web.Request) -> web.Response:
        """Announces that a guarantee is concluded: 202 with the fact once the broker has it."""
        return await self._announce(request, Conclusion)

    async def decline(self, request: web.Request) -> web.Response:
        """Announces that a guarantee is declined: 202 with the fact once the broker has it."""
        return await self._announce(request, Refusal)

    async def paper_orders(self, request: web.Request) -> web.Response:
        """The paper orders heard; `portal` and `application_id` narrow them."""
        found = await self._desk.orders(request.query.get("portal"), request.query.get("application_id"))
        return json_answer({"total": len(found), "unreadable": self._desk.unreadable, "orders": found})

    async def _announce(self, request: web.Request, shape: type[Conclusion] | type[Refusal]) -> web.Response:
        # A page in a browser cannot send this type to another origin unasked, so no page can conclude anything.
        if request.content_type != "application/json":
            return problem_answer(415, "Content-Type must be application/json.")
        try:
            decision = shape.model_validate_json(await request.read())
        except ValidationError as error:
            return problem_answer(422, str(error))
        message, key = message_of(decision)
        try:
            await self._sender.send(message, key)
        except (NotConfirmed, Unroutable) as error:
            return problem_answer(503, str(error))
        return json_answer({"event_id": message.message_id, "type": key, "fact": json.loads(message.body)}, status=202)


@asynccontextmanager
async def start() -> AsyncIterator[Mapping[str, object]]:
    """Opens the core; yields its port."""
    settings = CoreSettings.model_validate({})
    if settings.storage is not None:
        settings.storage.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(settings.storage or ":memory:", SCHEMA, Survives.KILL)
    await ledger.open()
    try:
        async with _hearing(settings, Desk(ledger)) as (desk, reasons), _doors(settings) as doors:
            sender = Sender(settings.broker_url.get_secret_value(), CORE_EXCHANGE)
            application = web.Application()
            application.add_routes(CoreDoor(sender, desk).routes())
            application.add_routes(OfficeDoor(Office(doors, desk), desk, sender).routes())
            try:
                async with serving(application, settings.host, settings.http_port, reasons) as port:
                    yield {"http_port": port}
            finally:
                await sender.close()
    finally:
        await ledger.close()


@asynccontextmanager
async def _hearing(settings: CoreSettings, desk: Desk) -> AsyncIterator[tuple[Desk, Callable[[], list[str]]]]:
    url = settings.office_broker_url.get_secret_value()
    listeners = [Listener(url, queue, desk.take) for queue in (PAPER_QUEUE, OFFICE_QUEUE)]
    for listener in listeners:
        listener.start()
    try:
        yield desk, lambda: [reason for listener in listeners for reason in listener.reasons()]
    finally:
        for listener in listeners:
            await listener.stop()


def _doors(settings: CoreSettings) -> OfficeDoors:
    return OfficeDoors(settings.intake_url, settings.issuer_url, settings.token.get_secret_value())
