"""What portals and the office read and wish over HTTP (contracts, section 5).

A portal sees its own guarantees; another's is 404 like one that does not exist. The office sees all.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.issuer.web.changes import changes_routes
from services.issuer.web.knowledge import knowledge_routes
from services.issuer.web.looks import looks_routes
from services.issuer.web.mail import mail_routes
from services.issuer.web.papers import Printer, papers_routes
from services.issuer.web.reading import reading_routes
from services.issuer.web.reveal import reveal_routes
from shared.portals import Portals
from shared.sealing import KeyRing
from shared.service import Service
from shared.web import bearer, web_app

__all__ = ["Printer", "build_web"]


def build_web(service: Service, portals: Portals, ring: KeyRing, jwks: Mapping[str, Any], printer: Printer) -> FastAPI:
    """The routes of the issuer."""
    app = web_app("Hosho issuer")
    caller = bearer(portals)
    app.include_router(reading_routes(service, caller, printer))
    app.include_router(reveal_routes(service, caller, ring))
    app.include_router(looks_routes(service, caller))
    app.include_router(papers_routes(service, caller, ring, printer))
    app.include_router(mail_routes(service, caller))
    app.include_router(changes_routes(service, caller))
    app.include_router(knowledge_routes(app, caller, jwks))
    return app
