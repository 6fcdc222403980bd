"""The two papers over HTTP: the key notice, and the certificate as a PDF."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from services.issuer.papers.content import KeyNotice, SignedCertificate
from services.issuer.papers.press import Press
from services.issuer.papers.shelf import Shelf
from services.issuer.store.looks import Look, ShownBy
from services.issuer.store.papers import overview
from services.issuer.web.door import Caller, body_described, body_of, known_form, scope_of
from services.issuer.web.reveal import Viewer, note_and_open
from shared import clock
from shared.portals import Portal
from shared.refusals import Refusal
from shared.sealing import KeyRing
from shared.service import Service
from shared.web import HttpProblem, address_of, problems

PDF: Final = "application/pdf"
JSON: Final = "application/json"

PDF_DESCRIBED: Final[dict[str, Any]] = {PDF: {"schema": {"type": "string", "format": "binary"}}}


class Printer:
    """What the routes print with: the press, the shelf of certificates, and the address the notices lead to."""

    def __init__(self, press: Press, platform_page: str | None) -> None:
        self.press = press
        self.platform_page = platform_page
        self._shelf = Shelf()

    async def certificate(self, signed: SignedCertificate) -> bytes:
        """電子証書 as a PDF. The same signed data gives the same paper, so it is kept under its digest for a while."""
        name = f"{signed.content_sha256}.{signed.signature}"
        paper = self._shelf.take(name)
        if paper is None:
            with self.press.place():
                paper = await self.press.print(signed.order())
            self._shelf.put(name, paper)
        return paper


def papers_routes(service: Service, caller: Caller, ring: KeyRing, printer: Printer) -> APIRouter:
    """`POST /v1/guarantees/{number}/key-notice`."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.post(
        "/{number}/key-notice",
        response_class=Response,
        responses={200: {"content": PDF_DESCRIBED}, **problems(409)},
        openapi_extra=body_described(Viewer),
    )
    async def key_notice(number: str, request: Request, asking: Annotated[Portal, Depends(caller)]) -> Response:
        """電子保証にかかる「認証キー」のお知らせ as a PDF: a look at the key, noted as such before it is printed."""
        viewer = (await body_of(request, Viewer)).viewer
        # The place comes first: a look is not noted of somebody who is sent away because the press is busy.
        with printer.press.place():
            async with service.pool.acquire() as connection:
                seen = await overview(connection, known_form(number), scope_of(asking))
            look = Look(asking.id, viewer, address_of(request), ShownBy.KEY_NOTICE)
            key = await note_and_open(service, ring, number, asking, look)
            if seen is None:
                raise HttpProblem(409, Refusal.NOT_ISSUED)
            notice = KeyNotice(seen, key, made_at=clock.now(), page=printer.platform_page)
            paper = await printer.press.print(notice.order())
        return pdf_answer(paper, f"key-notice-{number}.pdf", f"認証キーのお知らせ_{number}.pdf")

    return router


def pdf_answer(paper: bytes, name: str, name_ja: str) -> Response:
    """A PDF to be downloaded: `name` for old programs, `name_ja` for all others (RFC 6266, 8187)."""
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name_ja, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(paper, media_type=PDF, headers=headers)


def preferred(accept: str) -> str | None:
    """What an Accept header likes best of JSON and PDF (RFC 9110 §12.5.1); JSON of two it likes alike, None of none."""
    likings = {media: _liking(accept, media) for media in (JSON, PDF)}
    best = max(likings, key=lambda media: likings[media])
    return best if likings[best] > 0 else None


def _liking(accept: str, media: str) -> float:
    """The weight of a media type: of its own line, else of `application/*`, else of `*/*`, else none."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        named, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[named] = min((_weight(one) for one in parameters if one.replace(" ", "").startswith("q=")), default=1.0)
    return next((weights[name] for name in (media, "application/*", "*/*") if name in weights), 0.0)


def _weight(parameter: str) -> float:
    try:
        return min(max(float(parameter.partition("=")[2]), 0.0), 1.0)
    except ValueError:
        return 0.0
