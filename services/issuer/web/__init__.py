"""What portals and the office read and wish over HTTP (contracts, section 5).

A portal sees its own guarantees; another's is 404 like one that does not exist. The office sees all.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Response

from services.issuer.web.mail import mail_routes
from services.issuer.web.papers import Printer, papers_routes
from services.issuer.web.reading import reading_routes
from services.issuer.web.reveal import reveal_routes
from shared.portals import Portals
from shared.sealing import KeyRing
from shared.service import Service
from shared.web import bearer, web_app

__all__ = ["Printer", "build_web"]

JWKS_AGE_S_MAX: Final = 300
"""A verifier may keep the keys so long; a new key is published at least that long before it signs."""


def build_web(service: Service, portals: Portals, ring: KeyRing, jwks: Mapping[str, Any], printer: Printer) -> FastAPI:
    """The routes of the issuer."""
    app = web_app("Hosho issuer")
    caller = bearer(portals)
    app.include_router(reading_routes(service, caller, printer))
    app.include_router(reveal_routes(service, caller, ring))
    app.include_router(papers_routes(service, caller, ring, printer))
    app.include_router(mail_routes(service, caller))
    app.include_router(_jwks_routes(jwks))
    return app


def _jwks_routes(jwks: Mapping[str, Any]) -> APIRouter:
    router = APIRouter(tags=["keys"])

    @router.get("/.well-known/jwks.json")
    async def signing_keys(response: Response) -> Mapping[str, Any]:
        """The public keys that certificates are verified with, as a JWK set; anybody may read them."""
        response.headers["Cache-Control"] = f"public, max-age={JWKS_AGE_S_MAX}"
        return jwks

    return router
