"""The way in and out, and how a form is read: bounded, from our own pages only, with the token of its session."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.ops.web.console.pages import Answered, Pages, problem
from services.ops.web.console.sessions import SESSION_S_MAX, Session, Sessions
from services.ops.web.console.words import LANGUAGES
from shared import clock
from shared.logs import get_logger
from shared.operator_door.acts import REASON_CHARACTERS_MAX
from shared.web import BEARER_TOKEN_CHARS_MAX, address_of, limits_of, read_body

SESSION_COOKIE: Final = "hosho_session"
FORM_BYTES_MAX: Final = 262_144
FIELDS_MAX: Final = 5_100
REASON_CHARACTERS_MIN: Final = 3
FORM_TYPE: Final = "application/x-www-form-urlencoded"
HOME: Final = "/"

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Form:
    """What a person sent from a page of ours."""

    request: Request
    session: Session
    fields: dict[str, list[str]]

    def one(self, name: str) -> str:
        """A field that stands once; empty when it is not there."""
        return self.fields.get(name, [""])[0].strip()

    def many(self, name: str) -> Sequence[str]:
        """A field that may stand several times."""
        return self.fields.get(name, [])

    @property
    def reason(self) -> str:
        """Why the person does it."""
        return self.one("reason")

    @property
    def has_reason(self) -> bool:
        """Whether that is a reason that can be recorded."""
        return REASON_CHARACTERS_MIN <= len(self.reason) <= REASON_CHARACTERS_MAX


@dataclass(frozen=True, slots=True)
class Gate:
    """Knows who is in, and writes the pages that let people in or say why not."""

    sessions: Sessions
    pages: Pages

    def session_of(self, request: Request) -> Session | None:
        """Whose request this is, if anybody's."""
        return self.sessions.of(request.cookies.get(SESSION_COOKIE, ""))

    def looking(self) -> Callable[[Request], Awaitable[Session]]:
        """Make the dependency that gives the session of a page, or leads to the way in."""

        async def looker(request: Request) -> Session:
            session = self.session_of(request)
            if session is None:
                raise Answered(RedirectResponse(_way_in_from(request), 303))
            return session

        return looker

    def acting(self) -> Callable[[Request], Awaitable[Form]]:
        """Make the dependency that gives the form of somebody who may act, and otherwise says why not."""

        async def actor(request: Request) -> Form:
            session = self.session_of(request)
            if session is None:
                raise problem(self.pages, request, 401, "problem.session_over", None)
            fields = await self.fields_of(request, session)
            if not session.fits(fields.get("csrf", [""])[0]):
                raise problem(self.pages, request, 403, "problem.not_from_here", session)
            if not session.may_act:
                raise problem(self.pages, request, 403, "problem.viewers_look", session)
            form = Form(request, session, fields)
            if not form.has_reason:
                raise problem(self.pages, request, 422, "problem.reason", session)
            return form

        return actor

    async def fields_of(self, request: Request, session: Session | None) -> dict[str, list[str]]:
        """The fields of a form that one of our pages sent."""
        if not _is_from_here(request):
            raise problem(self.pages, request, 403, "problem.not_from_here", session)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
            raise problem(self.pages, request, 415, "problem.not_a_form", session)
        body = await read_body(request, FORM_BYTES_MAX)
        try:
            fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
        except ValueError:
            raise problem(self.pages, request, 422, "problem.not_a_form", session) from None
        if any("\x00" in text for texts in fields.values() for text in texts):
            raise problem(self.pages, request, 422, "problem.not_text", session)
        return fields


def _is_from_here(request: Request) -> bool:
    """Whether a browser says that one of our own pages asks; what says nothing is no browser."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _way_in_from(request: Request) -> str:
    """The way in, which leads back to here; a language that was asked for holds there already."""
    kept = urlencode([(name, text) for name, text in request.query_params.multi_items() if name != "lang"])
    asked = {"next": request.url.path + (f"?{kept}" if kept else "")}
    language = request.query_params.get("lang", "")
    return "/login?" + urlencode(asked | ({"lang": language} if language in LANGUAGES else {}))


def gate_routes(gate: Gate) -> APIRouter:
    """Logging in and out."""
    router = APIRouter()

    @router.get("/login")
    async def way_in(request: Request) -> Response:
        """Ask for a token."""
        following = _safe(request.query_params.get("next", HOME))
        facts = {"following": following, "wrong": False, "opens_at": None}
        return gate.pages.page(request, "login", facts, session=None)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """Begin a session for whoever brings a token that is known, however many wrong ones came before it."""
        fields = await gate.fields_of(request, None)
        following = _safe(fields.get("next", [HOME])[0])
        token = fields.get("token", [""])[0].strip()
        identity = gate.sessions.begin(token) if len(token) <= BEARER_TOKEN_CHARS_MAX else None
        if identity is None:
            return _refused(gate, request, following, token)
        session = gate.sessions.of(identity)
        logger.info("console.logged_in", who="" if session is None else session.operator.name)
        # Whoever was in at this browser is out.
        gate.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse(following, 303)
        answer.set_cookie(
            SESSION_COOKIE,
            identity,
            max_age=int(SESSION_S_MAX),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        """End the session."""
        session = gate.session_of(request)
        fields = await gate.fields_of(request, session)
        if session is not None and not session.fits(fields.get("csrf", [""])[0]):
            raise problem(gate.pages, request, 403, "problem.not_from_here", session)
        gate.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def _refused(gate: Gate, request: Request, following: str, token: str) -> Response:
    """The way in again; whoever tried too often is told when to come back."""
    address = address_of(request)
    wait_s = limits_of(request).wrong_token_from(address) if token else 0
    logger.warning("console.login_refused", address=address, wait_s=wait_s)
    opens_at = clock.now() + timedelta(seconds=wait_s) if wait_s else None
    facts = {"following": following, "wrong": not wait_s, "opens_at": opens_at}
    answer = gate.pages.page(request, "login", facts, session=None, status=429 if wait_s else 401)
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


def _safe(following: str) -> str:
    """An address on our own pages; anything that could lead to another host becomes the front page."""
    is_ours = following.startswith("/") and not following.startswith("//")
    return following if is_ours and "\\" not in following and following.isprintable() else HOME
