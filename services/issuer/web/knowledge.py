"""What may be known about this door itself: the catalogue of codes, the keys it signs with, and its description."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Response
from pydantic import BaseModel, ConfigDict

from services.issuer.domain.catalogue import CATALOGUE
from services.issuer.web.door import Caller
from shared.inputs import INPUTS
from shared.portals import Portal
from shared.refusals import Answer, answers_of

JWKS_AGE_S_MAX: Final = 300
"""A verifier may keep the keys so long; a new key is published at least that long before it signs."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class CatalogueEntry(_Shape):
    """One code; words in braces are filled in when the problem is told."""

    code: str
    message_ja: str
    message_en: str


class Catalogue(_Shape):
    """Every code that the issuer can answer with: `answers` stand at the top, `problems` below `errors`."""

    problems: tuple[CatalogueEntry, ...]
    answers: tuple[Answer, ...]


class PublicKey(_Shape):
    """A public key (RFC 7517, 8037)."""

    kty: str
    crv: str
    kid: str
    alg: str
    use: str
    x: str


class KeySet(_Shape):
    """The public keys that certificates are verified with."""

    keys: tuple[PublicKey, ...]


def knowledge_routes(app: FastAPI, caller: Caller, jwks: Mapping[str, Any]) -> APIRouter:
    """`GET /v1/problems`, `GET /.well-known/jwks.json` and `GET /openapi.json`."""
    router = APIRouter(tags=["knowledge"])
    told = Catalogue(
        problems=(
            *(CatalogueEntry(code=code, message_ja=said.ja, message_en=said.en) for code, said in CATALOGUE.items()),
            *(CatalogueEntry(code=code, message_ja=said.ja, message_en=said.en) for code, said in INPUTS.items()),
        ),
        answers=answers_of("issuer"),
    )

    @router.get("/v1/problems")
    async def problems(_: Annotated[Portal, Depends(caller)]) -> Catalogue:
        """The catalogue of codes, in Japanese and English."""
        return told

    @router.get("/.well-known/jwks.json", response_model=KeySet)
    async def signing_keys(response: Response) -> Mapping[str, Any]:
        """The public keys that certificates are verified with, as a JWK set; anybody may read them."""
        response.headers["Cache-Control"] = f"public, max-age={JWKS_AGE_S_MAX}"
        return jwks

    @router.get("/openapi.json", include_in_schema=False)
    async def description() -> dict[str, Any]:
        """The OpenAPI description of this door."""
        return app.openapi()

    return router
