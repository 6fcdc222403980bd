"""The 認証キー is read here, and whoever reads it is noted."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.issuer.store import looks, reading
from services.issuer.store.looks import Look, ShownBy
from services.issuer.web.door import Caller, body_described, body_of, known_form, scope_of
from shared import metrics
from shared.logs import get_logger
from shared.portals import Portal
from shared.refusals import Refusal
from shared.sealing import KeyRing, Unopenable
from shared.service import Service
from shared.web import HttpProblem, address_of, problems

VIEWER_CHARS_MAX: Final = 200
UNOPENABLE_RETRY_AFTER_S: Final = 300

logger = get_logger()


class Viewer(BaseModel):
    """Who looks: the person at the portal, as the portal names them."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    viewer: Annotated[str, Field(min_length=1, max_length=VIEWER_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")]


class RevealedKey(BaseModel):
    """The key in clear. Never stored by whoever gets it; the answer says `no-store`."""

    model_config = ConfigDict(frozen=True)

    guarantee_number: str
    auth_key: Annotated[str, Field(repr=False)]


def reveal_routes(service: Service, caller: Caller, ring: KeyRing) -> APIRouter:
    """`POST /v1/guarantees/{number}/auth-key`."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.post("/{number}/auth-key", responses=problems(409), openapi_extra=body_described(Viewer))
    async def reveal(number: str, request: Request, asking: Annotated[Portal, Depends(caller)]) -> RevealedKey:
        """認証キー. Every look is noted with who, when, through which portal and from where before the key leaves."""
        viewer = (await body_of(request, Viewer)).viewer
        look = Look(asking.id, viewer, address_of(request), ShownBy.PAGE)
        opened = await note_and_open(service, ring, known_form(number), asking, look)
        return RevealedKey(guarantee_number=number, auth_key=opened)

    return router


async def note_and_open(service: Service, ring: KeyRing, number: str, asking: Portal, look: Look) -> str:
    """The key in clear, once the look at it is noted and that note is committed.

    Raises:
        HttpProblem: 404 if the caller sees no such guarantee, 409 if no version was issued or there is no key,
            503 if it does not open, which is also an alarm.
    """
    async with service.unit_of_work() as work:
        found = await reading.sealed_key(work.connection, number, scope_of(asking))
        if found is None:
            raise HttpProblem(404)
        if found.sealed_auth_key is None or not found.issued:
            raise HttpProblem(409, Refusal.NOT_ISSUED)
        await looks.add(work.connection, number, look, work.now)
        try:
            opened = ring.open(found.sealed_auth_key, associated=number)
        except Unopenable as error:
            # Nobody has seen a key, so no look is noted; a person must act before it is of use to try again.
            metrics.KEYS_UNOPENABLE.inc()
            logger.error("key.unopenable", guarantee_number=number, reason=str(error))
            raise HttpProblem(503, headers={"Retry-After": str(UNOPENABLE_RETRY_AFTER_S)}) from None
    logger.info(
        "auth_key.revealed",
        guarantee_number=number,
        portal=look.portal,
        viewer=look.viewer,
        address=look.address,
        shown_by=look.shown_by,
    )
    return opened
