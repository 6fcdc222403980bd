"""Who looked at a 認証キー, for the office; the key itself is not here."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.issuer.store import looks
from services.issuer.store.looks import ShownBy
from services.issuer.web.door import Caller, known_form, sees_all
from shared.messages.moments import Instant
from shared.portals import Portal
from shared.service import Service
from shared.web import HttpProblem

LOOKS_SHOWN_MAX: Final = 100


class KeyReveal(BaseModel):
    """One look at a key: when, through which portal, by whom as that portal names them, from where, and by what.

    `address` and `shown_by` are null in looks from before they were noted.
    """

    model_config = ConfigDict(frozen=True)

    revealed_at: Instant
    portal: str
    viewer: str
    address: str | None
    shown_by: ShownBy | None


class KeyReveals(BaseModel):
    """The newest looks at a guarantee's key, at most 100; `has_more` says that there were earlier ones."""

    model_config = ConfigDict(frozen=True)

    items: tuple[KeyReveal, ...]
    has_more: bool


def looks_routes(service: Service, caller: Caller) -> APIRouter:
    """`GET /v1/guarantees/{number}/key-reveals`."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.get("/{number}/key-reveals")
    async def key_reveals(number: str, me: Annotated[Portal, Depends(caller)]) -> KeyReveals:
        """認証キーの閲覧記録, newest first, for the office alone: to a portal there is no such guarantee."""
        if not sees_all(me):
            raise HttpProblem(404)
        async with service.pool.acquire() as connection:
            found = await looks.newest(connection, known_form(number), LOOKS_SHOWN_MAX + 1)
        if found is None:
            raise HttpProblem(404)
        shown = (
            KeyReveal(
                revealed_at=one.revealed_at,
                portal=one.look.portal,
                viewer=one.look.viewer,
                address=one.look.address,
                shown_by=one.look.shown_by,
            )
            for one in found[:LOOKS_SHOWN_MAX]
        )
        return KeyReveals(items=tuple(shown), has_more=len(found) > LOOKS_SHOWN_MAX)

    return router
