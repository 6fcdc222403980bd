"""The HTTP side: what has arrived, as JSON and as one plain page."""

from html import escape

from aiohttp import web
from pydantic import ValidationError

from simulators.ledger import Ledger
from simulators.mailbox import store
from simulators.mailbox.smtp import Mode, Switch
from simulators.program import json_answer, problem_answer

LINES_DEFAULT = 1_000
LINES_MAX = 10_000
PAGE_LINES_MAX = 200
PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
PAGE = """<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><title>受信箱</title>
<style>body{{font-family:sans-serif;margin:2rem}}td,th{{text-align:left;padding:.3rem .8rem;vertical-align:top}}
pre{{white-space:pre-wrap}}</style></head><body>{body}</body></html>"""


class MailboxDoor:
    """The routes of the mailbox."""

    def __init__(self, ledger: Ledger, switch: Switch) -> None:
        self._ledger = ledger
        self._switch = switch

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            web.get("/", self.page),
            web.get("/messages", self.messages),
            web.get("/messages/{number:\\d{1,15}}", self.message),
            web.get("/messages/{number:\\d{1,15}}/raw", self.raw),
            web.get("/messages/{number:\\d{1,15}}/page", self.message_page),
            web.delete("/messages", self.clear),
            web.get("/mode", self.mode),
            web.post("/mode", self.switch),
        ]

    async def messages(self, request: web.Request) -> web.Response:
        """Messages in the order they came; `to`, `message_id`, `after` (an id) and `limit` narrow them.

        `brief` leaves subject, HTML and headers away.
        """
        query = request.query
        try:
            after, limit = int(query.get("after", 0)), int(query.get("limit", LINES_DEFAULT))
        except ValueError:
            return problem_answer(400, "after and limit must be whole numbers.")
        limit = min(max(1, limit), LINES_MAX)
        wanted = store.Wanted(query.get("to"), query.get("message_id"), after, limit)
        total = await self._ledger.do(store.count)
        rows = await self._ledger.do(lambda db: store.find(db, wanted))
        following = rows[-1]["id"] if len(rows) == limit else None
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

    async def page(self, _: web.Request) -> web.Response:
        """The list for people, oldest first."""
        rows = await self._ledger.do(lambda db: store.find(db, store.Wanted(count=PAGE_LINES_MAX)))
        lines = "".join(_line(store.shown(row)) for row in rows)
        head = "<tr><th>No.</th><th>受信日時</th><th>宛先</th><th>件名</th></tr>"
        return _page(f"<h1>受信箱</h1><table>{head}{lines}</table>")

    async def message_page(self, request: web.Request) -> web.Response:
        """One message for people."""
        row = await self._ledger.do(lambda db: store.one(db, int(request.match_info["number"])))
        if row is None:
            raise web.HTTPNotFound
        mail = store.shown(row)
        return _page(f"<h1>{_text(mail['subject'])}</h1><pre>{_text(mail['text'])}</pre><p><a href='/'>戻る</a></p>")


def _line(mail: dict[str, object]) -> str:
    to = mail["to"]
    recipients = "、".join(map(str, to)) if isinstance(to, list) else ""
    link = f"<a href='/messages/{mail['id']}/page'>{_text(mail['subject'])}</a>"
    cells = (str(mail["id"]), _text(mail["received_at"]), _text(recipients), link)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _text(value: object) -> str:
    return escape("（なし）" if value is None else str(value))


def _page(body: str) -> web.Response:
    return web.Response(text=PAGE.format(body=body), content_type="text/html", headers=PAGE_HEADERS)
