"""How pages are written: templates in which every value is escaped, words in two languages, and strict headers."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.ops.domain.troubles import read_moment
from services.ops.web.console.reasons import in_words
from services.ops.web.console.sessions import Session
from services.ops.web.console.words import JAPANESE, LANGUAGES, Words
from shared import clock
from shared.web import HttpProblem

FOLDER: Final = Path(__file__).parent
LANGUAGE_COOKIE: Final = "hosho_language"

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Without an origin a form could not prove where it comes from.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
_STATIC: Final = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
_UNITS: Final = ((86_400, "unit.d"), (3_600, "unit.h"), (60, "unit.min"), (1, "unit.s"))


class Answered(HttpProblem):
    """Raised where a page answers something else than what it was asked for: the way in, or why not."""

    def __init__(self, response: Response) -> None:
        Exception.__init__(self, response.status_code)
        self.response = response  # type: ignore[assignment]


class Pages:
    """Writes pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self,
        request: Request,
        name: str,
        facts: Mapping[str, Any],
        *,
        session: Session | None,
        status: int = 200,
    ) -> HTMLResponse:
        """A whole page in the language of whoever asks."""
        language = language_of(request)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # What answers a form has no address of its own that another language could be asked at.
        kept = {key: text for key, text in request.query_params.items() if key != "lang"}
        around = {"here": here, "session": session, "kept_params": kept if request.method == "GET" else None}
        text = self.fragment(f"{name}.html", language, {**around, **facts})
        response = HTMLResponse(text, status, headers=dict(HEADERS))
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, samesite="strict", httponly=True)
        return response

    def fragment(self, template: str, language: str, facts: Mapping[str, Any]) -> str:
        """A page, or the part of one that changes while somebody looks at it."""
        words = Words(language)
        writing = {"t": words, "maybe": words.maybe, "lang": language, "other": _other(language)}
        shown = {"moment": moment, "ago": _Ago(words), "lasting": words_for_seconds(words), "part": part}
        shown["in_words"] = in_words
        return self._environment.get_template(template).render({**writing, **shown, **facts})


def language_of(request: Request) -> str:
    """The language asked for, remembered, or preferred by the browser; Japanese where nothing is said."""
    asked = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    preferred = request.headers.get("accept-language", "")[:2].lower()
    return next((one for one in (*asked, preferred) if one in LANGUAGES), JAPANESE)


def _other(language: str) -> str:
    return next(one for one in LANGUAGES if one != language)


def moment(told: str | datetime | None) -> str:
    """A moment in Japan's time, to the second."""
    read = read_moment(told)
    return "–" if read is None else read.astimezone(clock.TOKYO).strftime("%Y-%m-%d %H:%M:%S")


def words_for_seconds(words: Words) -> Any:
    """A length of time in the largest unit that fits."""

    def lasting(seconds: float | None) -> str:
        if seconds is None:
            return "–"
        if seconds < 1:
            return f"{seconds * 1_000:.0f} ms"
        size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
        return f"{seconds // size:.0f}{words(unit)}"

    return lasting


class _Ago:
    """How long ago a moment was."""

    def __init__(self, words: Words) -> None:
        self._lasting = words_for_seconds(words)

    def __call__(self, told: str | datetime | None) -> str:
        read = read_moment(told)
        # Nobody wants to know how many milliseconds ago.
        return "–" if read is None else str(self._lasting(max(1.0, (clock.now() - read).total_seconds())))


def part(text: object) -> str:
    """A text as one part of an address."""
    return quote(str(text), safe="")


def problem(pages: Pages, request: Request, status: int, key: str, session: Session | None) -> Answered:
    """A page that says what is wrong and what to do."""
    return Answered(pages.page(request, "problem", {"told": key}, session=session, status=status))


def static_routes() -> APIRouter:
    """The style sheet, the one script and the icon."""
    router = APIRouter()

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        """One of the files there are."""
        if name not in _STATIC:
            raise HttpProblem(404)
        headers = {"cache-control": "no-cache"}
        return FileResponse(FOLDER / "static" / name, media_type=_STATIC[name], headers=headers)

    return router
