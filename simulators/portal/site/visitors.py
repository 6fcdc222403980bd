"""Who uses the pages: a person at one of the demo contractors. A choice is enough; there is no password."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from aiohttp import web

from simulators.portal.samples import CONTRACTORS

COOKIE = "portal_visitor"
PERSON_CHARS_MAX = 40
PERSON_DEFAULT = "三島 太郎"
NAMES = dict(CONTRACTORS)

Page = Callable[[web.Request, "Visitor"], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person at a contractor; the portal vouches for the customer number."""

    customer_number: str
    person: str

    @property
    def contractor(self) -> str:
        """The contractor's name."""
        return NAMES[self.customer_number]

    @property
    def viewer(self) -> str:
        """How the issuer notes who looked at a key."""
        return f"{self.contractor} {self.person}"


def visitor_of(request: web.Request) -> Visitor | None:
    """The person that the cookie names, if any."""
    number, _, person = request.cookies.get(COOKIE, "").partition("|")
    return Visitor(number, unquote(person)) if number in NAMES else None


def person_named(text: str) -> str:
    """A person's name as typed, without what no name has."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:PERSON_CHARS_MAX] or PERSON_DEFAULT


def enter(answer: web.StreamResponse, visitor: Visitor) -> None:
    """Remembers the person until the browser is closed."""
    value = f"{visitor.customer_number}|{quote(visitor.person)}"
    answer.set_cookie(COOKIE, value, httponly=True, samesite="Lax", path="/")


def leave(answer: web.StreamResponse) -> None:
    """Forgets the person."""
    answer.del_cookie(COOKIE, path="/")


class Interrupted(Exception):
    """Raised where a page cannot be shown; `answer` is shown instead."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def known(page: Page) -> Handler:
    """A page that only somebody who has logged in may see; others are sent to the login first."""

    async def handler(request: web.Request) -> web.StreamResponse:
        visitor = visitor_of(request)
        if visitor is None:
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
        # Another site's form must not act in this person's name; browsers say where a request comes from.
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise web.HTTPForbidden(text="This form was sent from another site.")
        try:
            return await page(request, visitor)
        except Interrupted as interrupted:
            return interrupted.answer

    return handler
