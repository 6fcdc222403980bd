"""What a portal's maker wants to know: the obligees and their terms, and every code that an answer can hold."""

from fastapi import APIRouter, Depends

from services.intake.domain.obligees import Registry
from services.intake.web import shapes
from services.intake.web.door import Door


def knowledge_routes(door: Door) -> APIRouter:
    """`GET /v1/obligees` and `GET /v1/problems`."""
    router = APIRouter(tags=["knowledge"], dependencies=[Depends(door.caller)])

    @router.get("/v1/obligees")
    async def obligees() -> Registry:
        """Tell who takes electronic guarantees since when, at which rates, and where key notices go."""
        return door.registry

    @router.get("/v1/problems")
    async def problems() -> shapes.Catalogue:
        """Give the catalogue of codes."""
        return shapes.catalogue()

    return router
