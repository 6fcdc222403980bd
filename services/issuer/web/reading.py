"""The list, the overview and the signed certificates."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.issuer.domain.names import GUARANTEE_NUMBER, TOKYO
from services.issuer.domain.shown import (
    GuaranteeDetail,
    GuaranteePage,
    detail_of,
    item_of,
    may_be_asked_for,
    never_issued,
)
from services.issuer.papers.content import SignedCertificate
from services.issuer.store import reading
from services.issuer.store.reading import Certificate, Filters
from services.issuer.web.certificate_data import CertificateData
from services.issuer.web.door import Caller, known_form, scope_of, sees_all
from services.issuer.web.papers import JSON, PDF, PDF_DESCRIBED, Printer, pdf_answer, preferred
from shared import clock
from shared.messages.intake import CertificateForm, Kind
from shared.portals import Portal
from shared.refusals import Refusal
from shared.service import Service
from shared.web import HttpProblem, problems

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


def reading_routes(service: Service, caller: Caller, printer: Printer) -> APIRouter:
    """`GET /v1/guarantees` and what is below it."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.get("")
    async def guarantees(me: Annotated[Portal, Depends(caller)], asked: Annotated[Asked, Query()]) -> GuaranteePage:
        """保証契約一覧, newest first.

        Pages follow each other by `next_cursor` while the table grows. A search through very many guarantees may give
        a page with few or no items and a `next_cursor` all the same: go on from there.
        """
        narrowed = asked.model_dump(exclude={"cursor", "limit"})
        filters = Filters(portal=scope_of(me), before=asked.cursor, **narrowed)
        async with service.pool.acquire() as connection:
            found = await reading.listed(connection, filters, asked.limit)
        today = _today()
        return GuaranteePage(items=tuple(item_of(one, today) for one in found.guarantees), next_cursor=found.more_below)

    @router.get("/{number}")
    async def guarantee(number: str, me: Annotated[Portal, Depends(caller)]) -> GuaranteeDetail:
        """電子保証概要: the latest arrived version, 手続状況, the history, and what became of the mail."""
        async with service.pool.acquire() as connection:
            found = await reading.detailed(connection, known_form(number), scope_of(me))
        if found is None:
            raise HttpProblem(404)
        return detail_of(found, _today(), sees_all=sees_all(me))

    _certificates(router, service, caller, printer)
    return router


def _certificates(router: APIRouter, service: Service, caller: Caller, printer: Printer) -> None:
    @router.get(
        "/{number}/certificates/{version}",
        response_model=CertificateData,
        responses={200: {"content": PDF_DESCRIBED}, **problems(406, 409)},
    )
    async def certificate(
        number: str,
        version: Annotated[int, Path(ge=1, le=VERSION_MAX)],
        me: Annotated[Portal, Depends(caller)],
        accept: Annotated[str, Header()] = "*/*",
    ) -> Response:
        """The signed electronic certificate (電子証書) of a version, without the key: JSON, or by `Accept` a PDF."""
        media = preferred(accept)
        if media is None:
            raise HttpProblem(406, Refusal.NOT_ACCEPTABLE, f"The certificate is served as {JSON} or {PDF}.")
        async with service.pool.acquire() as connection:
            found = await reading.certificate(connection, known_form(number), version, scope_of(me))
        signed = _signed_data(found, everything=sees_all(me))
        if media == PDF:
            paper = await printer.certificate(signed)
            answer = pdf_answer(paper, f"certificate-{number}-{version}.pdf", f"電子証書_{number}_{version}.pdf")
        else:
            answer = JSONResponse(signed.original())
        answer.headers["Vary"] = "Accept"
        return answer


def _signed_data(found: Certificate | None, *, everything: bool) -> SignedCertificate:
    if found is None or not (everything or may_be_asked_for(found.kind, found.state, found.issued_at)):
        raise HttpProblem(404)
    certificate, digest, signature = found.certificate, found.content_sha256, found.signature
    if certificate is None or digest is None or signature is None or (never_issued(found.state) and not everything):
        raise HttpProblem(409, Refusal.NOT_ISSUED)
    return SignedCertificate(certificate, digest, signature)


def _today() -> date:
    return clock.now().astimezone(TOKYO).date()
