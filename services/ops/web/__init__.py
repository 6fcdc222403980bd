"""What ops serves, as JSON, for the console, the command line and whoever else watches.

Reading needs a viewer's token, acting an operator's, and every act a reason. `troubles` is what is wrong, `status`
flow, ledger and alarms, `journeys` where one application is, `desk` the parked facts, `doors` the services' own doors
reached through this one, `chain` the journal itself, `keys` what bears which sealing key. `console` serves the same to
people, as pages.
"""

from fastapi import FastAPI

from services.ops.web.chain import chain_routes
from services.ops.web.console import console_routes
from services.ops.web.desk import desk_routes
from services.ops.web.doors import door_routes
from services.ops.web.journeys import journey_routes
from services.ops.web.keys import key_routes
from services.ops.web.means import Means
from services.ops.web.status import status_routes
from services.ops.web.troubles import trouble_routes
from shared.web import web_app

__all__ = ["Means", "build_web"]


def build_web(means: Means) -> FastAPI:
    """The routes of ops."""
    app = web_app("Hosho ops")
    service, operators, doors = means.service, means.operators, means.doors
    app.include_router(status_routes(service, operators, means.watch, means.reconciler))
    app.include_router(trouble_routes(means))
    app.include_router(journey_routes(service, operators, doors))
    app.include_router(desk_routes(service, operators, doors))
    app.include_router(key_routes(means))
    app.include_router(door_routes(operators, doors))
    app.include_router(chain_routes(service, operators))
    app.include_router(console_routes(means))
    return app
