"""The HTTP side: what has arrived, as JSON for programs and as pages for people."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web
from pydantic import ValidationError

from simulators.ledger import Ledger
from simulators.mailbox import store
from simulators.mailbox.smtp import Mode, Switch
from simulators.pages import Pages
from simulators.program import json_answer, problem_answer

LINES_DEFAULT = 1_000
LINES_MAX = 10_000
PAGE_LINES_MAX = 100
SOURCE_BYTES_MAX = 65_536
NUMBER_MAX = 2**63 - 1

# A mail is somebody else's page: it may bring its own styles, and that is all it may.
FOREIGN_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ABOUT = "動作確認用の受信箱です。外部へのメールの送信や転送は行いません。"


class MailboxDoor:
    """The routes of the mailbox."""

    def __init__(self, ledger: Ledger, switch: Switch) -> None:
        self._ledger = ledger
        self._switch = switch
        self._pages = Pages("受信箱（模擬）", ABOUT, Path(__file__).parent / "templates")

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            *self._pages.routes(),
            web.get("/", self.page),
            web.get("/messages", self.messages),
            web.get("/messages/{number:\\d{1,15}}", self.message),
            web.get("/messages/{number:\\d{1,15}}/raw", self.raw),
            web.get("/messages/{number:\\d{1,15}}/page", self.message_page),
            web.get("/messages/{number:\\d{1,15}}/html", self.message_html),
            web.delete("/messages", self.clear),
            web.get("/mode", self.mode),
            web.post("/mode", self.switch),
        ]

    async def messages(self, request: web.Request) -> web.Response:
        """Messages in the order they came; `to`, `message_id`, `after` (an id) and `limit` narrow them.

        `total` counts what `to` and `message_id` let through. `brief` leaves subject, HTML and headers away.
        """
        query = request.query
        try:
            after, limit = int(query.get("after", 0)), int(query.get("limit", LINES_DEFAULT))
        except ValueError:
            return problem_answer(400, "after and limit must be whole numbers.")
        limit = min(max(1, limit), LINES_MAX)
        everything = store.Wanted(query.get("to"), query.get("message_id"))
        # One more than is shown tells whether there is more.
        wanted = replace(everything, after=after, count=limit + 1)
        total, found = await self._ledger.do(lambda db: (store.matching(db, everything), store.find(db, wanted)))
        rows = found[:limit]
        following = rows[-1]["id"] if len(found) > limit else None
        show = store.brief if "brief" in query else store.shown
        return json_answer({"total": total, "messages": [show(row) for row in rows], "next_after": following})

    async def message(self, request: web.Request) -> web.Response:
        """One message."""
        row = await self._ledger.do(lambda db: store.one(db, int(request.match_info["number"])))
        return problem_answer(404, "No such message.") if row is None else json_answer(store.shown(row))

    async def raw(self, request: web.Request) -> web.Response:
        """One message, byte for byte."""
        row = await self._ledger.do(lambda db: store.one(db, int(request.match_info["number"])))
        if row is None:
            return problem_answer(404, "No such message.")
        return web.Response(body=row["content"], content_type="message/rfc822")

    async def clear(self, _: web.Request) -> web.Response:
        """Forgets everything."""
        await self._ledger.do(store.clear)
        return web.Response(status=204)

    async def mode(self, _: web.Request) -> web.Response:
        """The present mode, and how many conversations each mode has spoilt since the start."""
        return json_answer({**self._switch.present().model_dump(), "felt": self._switch.felt})

    async def switch(self, request: web.Request) -> web.Response:
        """Takes on another mode."""
        try:
            mode = Mode.model_validate_json(await request.read())
        except ValidationError as error:
            return problem_answer(422, str(error))
        self._switch.set(mode)
        return json_answer(mode.model_dump())

    async def page(self, request: web.Request) -> web.Response:
        """The list for people, newest first; `to` narrows it to a recipient, `before` goes on below a number."""
        to, before = request.query.get("to", "").strip(), request.query.get("before", "")
        below = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else NUMBER_MAX
        sheet = await self._ledger.do(lambda db: store.sheet(db, to or None, below, PAGE_LINES_MAX))
        shown = [store.shown(row) for row in sheet.rows]
        seen = sheet.newer + len(shown)
        facts = {
            "mails": [mail | {"numbers": store.guarantee_numbers(mail)} for mail in shown],
            "total": sheet.total,
            "first": sheet.newer + 1,
            "last": seen,
            "to": to,
            "newest": _list_address(to),
            "newer": _list_address(to, sheet.newer_below) if sheet.newer else None,
            "older": _list_address(to, sheet.rows[-1]["id"]) if sheet.rows and seen < sheet.total else None,
        }
        return self._pages.page("list.html", facts)

    async def message_page(self, request: web.Request) -> web.Response:
        """One message for people."""
        row = await self._ledger.do(lambda db: store.one(db, int(request.match_info["number"])))
        if row is None:
            return self._pages.page("missing.html", {}, status=404)
        mail, content = store.shown(row), row["content"]
        facts = {
            "mail": mail,
            "sender": store.sender(row),
            "source": content[:SOURCE_BYTES_MAX].decode("utf-8", "replace"),
            "cut": len(content) > SOURCE_BYTES_MAX,
        }
        return self._pages.page("mail.html", facts)

    async def message_html(self, request: web.Request) -> web.Response:
        """The HTML body of a message as it came, to be shown in a frame that lets it do nothing."""
        row = await self._ledger.do(lambda db: store.one(db, int(request.match_info["number"])))
        body = None if row is None else store.shown(row)["html"]
        if body is None:
            return problem_answer(404, "No such HTML body.")
        return web.Response(text=str(body), content_type="text/html", headers=FOREIGN_HEADERS)


def _list_address(to: str, before: int | None = None) -> str:
    asked = {name: value for name, value in (("to", to), ("before", before)) if value}
    return f"/?{urlencode(asked)}" if asked else "/"
