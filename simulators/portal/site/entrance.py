"""The way in and out: login, top page, help, and what moves by itself."""

import asyncio

from aiohttp import web

from simulators.pages import Pages
from simulators.portal.client import Portal
from simulators.portal.samples import CONTRACTORS
from simulators.portal.site.visitors import NAMES as CONTRACTOR_NAMES
from simulators.portal.site.visitors import (
    PERSON_DEFAULT,
    Visitor,
    enter,
    known,
    leave,
    person_named,
    visitor_of,
)

TOLD_EVERY_S_MIN = 0.5
PULSE_S = 20.0


class Entrance:
    """The pages around all others."""

    def __init__(self, portal: Portal, pages: Pages) -> None:
        self._portal = portal
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """The routes of these pages."""
        return [
            web.get("/login", self.login),
            web.post("/login", self.enter),
            web.post("/logout", self.leave),
            web.get("/", known(self.top)),
            web.get("/help", known(self.help)),
            web.get("/printing", known(self.printing)),
            web.get("/events", known(self.events)),
        ]

    async def login(self, request: web.Request) -> web.StreamResponse:
        """A choice of the demo contractors."""
        visitor = visitor_of(request)
        facts = {
            "visitor": None,
            "contractors": CONTRACTORS,
            "chosen": visitor.customer_number if visitor else CONTRACTORS[0][0],
            "person": visitor.person if visitor else PERSON_DEFAULT,
            "next": request.query.get("next", "/"),
        }
        return self._pages.page("login.html", facts)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Takes the choice and goes to the page that was wished for."""
        posted = await request.post()
        number = str(posted.get("customer_number", ""))
        if number not in CONTRACTOR_NAMES:
            raise web.HTTPSeeOther("/login")
        wished = str(posted.get("next", "/"))
        # Only a place on this site: two slashes, or a backslash, would lead to another one.
        inside = wished.startswith("/") and not wished.startswith("//") and "\\" not in wished and wished.isprintable()
        answer = web.Response(status=303, headers={"Location": wished if inside else "/"})
        enter(answer, Visitor(number, person_named(str(posted.get("person", "")))))
        return answer

    async def leave(self, _: web.Request) -> web.StreamResponse:
        """ログアウト."""
        answer = web.Response(status=303, headers={"Location": "/login"})
        leave(answer)
        return answer

    async def top(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """全体トップ."""
        return self._pages.page("top.html", {"visitor": visitor})

    async def help(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """保証申込のヘルプ."""
        return self._pages.page("help.html", {"visitor": visitor})

    async def printing(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """印刷方法について."""
        return self._pages.page("printing.html", {"visitor": visitor})

    async def events(self, request: web.Request, _: Visitor) -> web.StreamResponse:
        """Server-sent events: that something was heard, never what; the page then asks for itself again."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        await stream.write(b"retry: 2000\n\n")
        heard = self._portal.answers.heard
        while True:
            try:
                async with asyncio.timeout(PULSE_S):
                    heard = await self._portal.answers.news(heard)
            except TimeoutError:
                await stream.write(b": still here\n\n")
                continue
            await asyncio.sleep(TOLD_EVERY_S_MIN)
            await stream.write(b"data: news\n\n")
