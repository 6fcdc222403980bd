"""What a portal's maker wants to know: the obligees and their terms, and every code that an answer can hold."""

from typing import Final

from fastapi import APIRouter, Depends, Response
from pydantic_core import to_json

from services.intake.domain.obligees import Registry
from services.intake.web import shapes
from services.intake.web.door import Door

JSON: Final = "application/json"


def knowledge_routes(door: Door) -> APIRouter:
    """`GET /v1/obligees` and `GET /v1/problems`."""
    router = APIRouter(tags=["knowledge"], dependencies=[Depends(door.caller)])
    # Neither changes while the process lives, and both are long: whoever asks a hundred times gets the same bytes.
    registry, catalogue = to_json(door.registry, by_alias=True), to_json(shapes.catalogue(), by_alias=True)

    @router.get("/v1/obligees", response_model=Registry)
    async def obligees() -> Response:
        """Tell who takes electronic guarantees since when, at which rates, and where key notices go."""
        return Response(registry, media_type=JSON)

    @router.get("/v1/problems", response_model=shapes.Catalogue)
    async def problems() -> Response:
        """Give the catalogue of codes."""
        return Response(catalogue, media_type=JSON)

    return router
