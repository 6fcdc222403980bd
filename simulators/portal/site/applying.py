"""申込作成 > 申込確認 > 送信完了.

The form's values travel with the pages, not in a session, so that a person can go back and forth, in two windows too,
and nothing is lost. The application's id is made with the form: sending it again is a repeat, never a second one.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from simulators.pages import Pages
from simulators.portal.client import Portal
from simulators.portal.doors import Reply
from simulators.portal.sent import ABOUT_APPLICATION
from simulators.portal.site import form, words
from simulators.portal.site.confirming import sections
from simulators.portal.site.progress import progress_of
from simulators.portal.site.visitors import Visitor, known
from simulators.program import json_answer, tell

VALUE_CHARS_MAX = 10_000
VALUES_MAX = 100


class Applying:
    """The pages of an application."""

    def __init__(self, portal: Portal, pages: Pages) -> None:
        self._portal = portal
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """The routes of these pages."""
        return [
            web.get("/apply", known(self.opened)),
            web.get("/apply/{id:P-[0-9]{8}-[0-9a-f-]{13}}", known(self.new)),
            web.post("/apply", known(self.written)),
            web.post("/apply/check", known(self.check)),
            web.post("/apply/send", known(self.send)),
            web.get("/sent/{id}", known(self.sent)),
            web.get("/obligees", known(self.obligees)),
        ]

    async def opened(self, _: web.Request, __: Visitor) -> web.StreamResponse:
        """A new form gets an id, and so an address of its own to come back to."""
        raise web.HTTPSeeOther(f"/apply/{form.new_id()}")

    async def new(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """申込作成, with the preselections of the flyer."""
        return await self._form(visitor, form.empty(visitor.contractor) | {"application_id": request.match_info["id"]})

    async def written(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """What was written is confirmed, gone back to, or partly cleared."""
        values = await _values(request)
        instead: dict[str, form.Values] = {
            "clear_guarantees": form.cleared_guarantees(visitor.contractor),
            "clear_information": form.information(),
            "back": {},
        }
        action = values.pop("action", "confirm")
        if action in instead:
            return await self._form(visitor, values | instead[action])
        reply = await self._asked(self._portal.doors.check, self._application(values, visitor))
        if reply is None or reply.status != 200:
            return await self._form(visitor, values, reply, failed=True)
        facts = {"visitor": visitor, "values": values, "sections": sections(values, visitor), "checked": reply.json()}
        return self._pages.page("confirm.html", facts | {"told": None})

    async def check(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """What is wrong so far, by field, while somebody types."""
        values = await _values(request)
        reply = await self._asked(self._portal.doors.check, self._application(values, visitor))
        if reply is None or reply.status not in (200, 409, 422):
            return json_answer({"known": False, "problems": {}})
        return json_answer({"known": True, "problems": _by_field(reply, form.kinds_of(values))})

    async def send(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Sends what was confirmed; a success is told on a page of its own, which may be loaded again."""
        values = await _values(request)
        application = self._application(values, visitor)
        reply = await self._asked(self._portal.doors.apply, application)
        if reply is not None and reply.status in (200, 202):
            sent_id = application["application_id"]
            await self._portal.sent.keep(sent_id, visitor.customer_number, ABOUT_APPLICATION, application)
            raise web.HTTPSeeOther(f"/sent/{sent_id}")
        if reply is not None and reply.status == 422:
            return await self._form(visitor, values, reply, failed=True)
        told = words.AWAY if reply is None else words.sentence(reply)
        facts = {"visitor": visitor, "values": values, "sections": sections(values, visitor), "checked": {}}
        return self._pages.page("confirm.html", facts | {"told": told}, status=503 if reply is None else reply.status)

    async def sent(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """送信完了, and what has become of the application since."""
        found = await self._portal.sent.one(request.match_info["id"], visitor.customer_number)
        if found is None:
            facts: dict[str, object] = {"visitor": visitor, "told": "該当する申込が見つかりません。"}
            return self._pages.page("trouble.html", facts, status=404)
        progress = progress_of(found, await self._portal.answers.of(found.id))
        return self._pages.page("sent.html", {"visitor": visitor, "one": progress})

    async def obligees(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """電子保証対応の発注者."""
        found = await self._obligees()
        return self._pages.page("obligees.html", {"visitor": visitor, "obligees": found})

    async def _form(
        self, visitor: Visitor, values: Mapping[str, str], reply: Reply | None = None, *, failed: bool = False
    ) -> web.Response:
        """The form with these values, and what an answer has to say about them."""
        found = {} if reply is None else _by_field(reply, form.kinds_of(values))
        # In the order in which the fields stand, as they were posted.
        places = {name: place for place, name in enumerate(values)}
        problems = dict(sorted(found.items(), key=lambda one: places.get(one[0], -1)))
        told = None
        if failed and not problems:
            told = words.AWAY if reply is None else words.sentence(reply)
        facts = {
            "visitor": visitor,
            "values": values,
            "problems": problems,
            "told": told,
            "obligees": await self._obligees(),
            "ratios": {kind: form.ratio(values, kind) for kind in form.KINDS},
            "form": form,
        }
        status = 200 if not failed else (503 if reply is None else reply.status)
        return self._pages.page("form.html", facts, status=status)

    async def _obligees(self) -> list[dict[str, Any]]:
        try:
            reply = await self._portal.doors.obligees()
        except (aiohttp.ClientError, TimeoutError):
            return []
        found: list[dict[str, Any]] = reply.json().get("obligees", []) if reply.status == 200 else []
        return found

    def _application(self, values: Mapping[str, str], visitor: Visitor) -> dict[str, Any]:
        return form.application(values, self._portal.access.portal, visitor.customer_number, visitor.contractor)

    async def _asked(self, call: Any, application: Mapping[str, Any]) -> Reply | None:
        try:
            reply: Reply = await call(application)
        except (aiohttp.ClientError, TimeoutError) as error:
            tell("intake.missed", level="warning", error=type(error).__name__)
            return None
        return reply


async def _values(request: web.Request) -> form.Values:
    """The posted fields as they were typed; line ends as JSON has them."""
    posted = await request.post()
    values: form.Values = {}
    for name, value in posted.items():
        if isinstance(value, str) and len(values) < VALUES_MAX:
            values[name] = value[:VALUE_CHARS_MAX].replace("\r\n", "\n")
    return values


def _by_field(reply: Reply, kinds: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in words.problems_of(reply):
        found.setdefault(form.name_of(problem["pointer"], kinds), []).append(problem["message_ja"])
    return found
