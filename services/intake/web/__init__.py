"""What intake serves over HTTP: portals send applications and changes, and read what became of them (contract, §3).

Each route reads at most `BODY_BYTES_MAX`, decides nothing itself and answers in published shapes.
"""

from fastapi import FastAPI

from services.intake.domain.obligees import Registry
from services.intake.web.description import publish
from services.intake.web.door import Door, HasRoom, TakeIn
from services.intake.web.knowledge import knowledge_routes
from services.intake.web.reading import reading_routes
from services.intake.web.sending import sending_routes
from shared.portals import Portals
from shared.service import Service
from shared.web import bearer, web_app

__all__ = ["build_web"]


def build_web(service: Service, portals: Portals, registry: Registry, take_in: TakeIn, has_room: HasRoom) -> FastAPI:
    """The web application of intake; `take_in` answers one submission of a portal, when `has_room` says so."""
    app = web_app("intake")
    door = Door(service, registry, take_in, has_room, bearer(portals))
    for router in (sending_routes(door), reading_routes(door), knowledge_routes(door)):
        app.include_router(router)
    publish(app)
    return app
