"""The list, the overview and the signed certificates."""

import json
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.issuer.domain.names import GUARANTEE_NUMBER, TOKYO
from services.issuer.domain.shown import GuaranteeDetail, GuaranteePage, detail_of, is_visible, item_of, never_issued
from services.issuer.store import reading
from services.issuer.store.reading import Certificate, Filters
from services.issuer.web.door import Caller, known_form, scope_of, sees_all
from shared import clock
from shared.messages.intake import CertificateForm, Kind
from shared.portals import Portal
from shared.service import Service
from shared.web import HttpProblem

PAGE_ITEMS: Final = 50
PAGE_ITEMS_MAX: Final = 200
SEARCHED_CHARS_MAX: Final = 200
VERSION_MAX: Final = 2**31 - 1
ISSUED_FROM_MIN: Final = date(1900, 1, 1)
"""Far before anything was issued; the calendar's first day has no midnight in Japan that could be told in UTC."""

_NO_CONTROL: Final = r"^[^\x00-\x1f\x7f]+$"
_NUMBER: Final = f"^{GUARANTEE_NUMBER.pattern}$"

_Part = Annotated[str | None, Field(max_length=SEARCHED_CHARS_MAX, pattern=_NO_CONTROL)]
_Number = Annotated[str | None, Field(pattern=_NUMBER)]


class Asked(BaseModel):
    """How 保証契約一覧 is narrowed; `contractor` and `project` find parts of names in any width.

    `cursor` is the `next_cursor` of the page before; `number` finds exactly one (ピンポイント検索).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    application_id: _Part = None
    customer_number: _Part = None
    contractor: _Part = None
    kind: Kind | None = None
    certificate_form: CertificateForm | None = None
    issued_from: Annotated[date | None, Field(ge=ISSUED_FROM_MIN)] = None
    project: _Part = None
    number: _Number = None
    cursor: _Number = None
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS


def reading_routes(service: Service, caller: Caller) -> APIRouter:
    """`GET /v1/guarantees` and what is below it."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.get("")
    async def guarantees(me: Annotated[Portal, Depends(caller)], asked: Annotated[Asked, Query()]) -> GuaranteePage:
        """保証契約一覧, newest first."""
        narrowed = asked.model_dump(exclude={"cursor", "limit"})
        filters = Filters(portal=scope_of(me), before=asked.cursor, **narrowed)
        async with service.pool.acquire() as connection:
            found = await reading.listed(connection, filters, asked.limit + 1)
        page, today = found[: asked.limit], _today()
        following = page[-1].guarantee_number if len(found) > asked.limit else None
        return GuaranteePage(items=tuple(item_of(one, today) for one in page), next_cursor=following)

    @router.get("/{number}")
    async def guarantee(number: str, me: Annotated[Portal, Depends(caller)]) -> GuaranteeDetail:
        """電子保証概要: the latest arrived version, 手続状況, the history, and what became of the mail."""
        async with service.pool.acquire() as connection:
            found = await reading.detailed(connection, known_form(number), scope_of(me))
        if found is None:
            raise HttpProblem(404)
        return detail_of(found, _today(), sees_all=sees_all(me))

    @router.get("/{number}/certificates/{version}")
    async def certificate(
        number: str,
        version: Annotated[int, Path(ge=1, le=VERSION_MAX)],
        me: Annotated[Portal, Depends(caller)],
        accept: Annotated[str, Header()] = "*/*",
    ) -> JSONResponse:
        """The signed electronic certificate (電子証書) of a version, as JSON, without the key."""
        if not _takes_json(accept):
            raise HttpProblem(406, "not_acceptable", "The certificate is served as application/json.")
        async with service.pool.acquire() as connection:
            found = await reading.certificate(connection, known_form(number), version, scope_of(me))
        return JSONResponse(_signed_data(found, everything=sees_all(me)))

    return router


def _signed_data(found: Certificate | None, *, everything: bool) -> dict[str, object]:
    if found is None:
        raise HttpProblem(404)
    if not everything and not is_visible(found.kind, found.state) and not never_issued(found.state):
        raise HttpProblem(404)
    if found.certificate is None or (never_issued(found.state) and not everything):
        raise HttpProblem(409, "not_issued")
    content: dict[str, object] = json.loads(found.certificate)
    return content | {"content_sha256": found.content_sha256, "signature": found.signature}


def _today() -> date:
    return clock.now().astimezone(TOKYO).date()


def _takes_json(accept: str) -> bool:
    """Whether JSON is among the media types of an Accept header (RFC 9110 §12.5.1); a weight of 0 excludes a type."""
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        excluded = any(piece.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for piece in parameters)
        if media in {"application/json", "application/*", "*/*"} and not excluded:
            return True
    return False
