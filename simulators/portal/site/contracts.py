"""保証契約一覧 with its tabs, 電子保証概要 with the key, 電子保証履歴一覧, and the papers."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from aiohttp import web

from simulators.pages import Pages
from simulators.portal.client import Portal
from simulators.portal.doors import Reply
from simulators.portal.sent import ABOUT_APPLICATION
from simulators.portal.site import form, words
from simulators.portal.site.progress import change_state, effect_of, progress_of
from simulators.portal.site.visitors import Interrupted, Visitor, known

HISTORIES_MAX = 20
NUMBER = r"{number:[0-9]{5}-[0-9]{6}}"
SHORT_KINDS = {form.ADVANCE: "前払", form.INTERIM: "中間前払", form.PERFORMANCE: "契約"}
SEARCHED = ("contractor", "kind", "issued_from", "project")
MAIL_STATES = {
    "none": "送信しません",
    "waiting": "送信待ち",
    "sent": "送信済",
    "refused": "送信できませんでした（メールアドレスをご確認ください）",
}
PAPERS = {"pdf": "application/pdf", "json": "application/json"}
PASSED_ON = ("content-type", "content-disposition")


class Contracts:
    """What a contractor reads of its guarantees."""

    def __init__(self, portal: Portal, pages: Pages) -> None:
        self._portal = portal
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """The routes of these pages."""
        one = f"/contracts/electronic/{NUMBER}"
        return [
            web.get("/contracts", known(self.first_tab)),
            web.get("/contracts/applications", known(self.applications)),
            web.get("/contracts/electronic", known(self.electronic)),
            web.get("/contracts/reservations", known(self.reservations)),
            web.get("/history", known(self.history)),
            web.get(one, known(self.detail)),
            web.post(one, known(self.act)),
            web.get(f"{one}/certificates/{{version:[0-9]{{1,9}}}}.{{paper:pdf|json}}", known(self.certificate)),
        ]

    async def first_tab(self, _: web.Request, __: Visitor) -> web.StreamResponse:
        """保証契約一覧 opens with the first tab."""
        raise web.HTTPSeeOther("/contracts/applications")

    async def applications(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """保証申込: what was sent, newest first, and where each line of it stands."""
        sent = await self._portal.sent.of(visitor.customer_number, ABOUT_APPLICATION)
        found = [progress_of(one, await self._portal.answers.of(one.id)) for one in sent]
        return self._pages.page("applications.html", {"visitor": visitor, "tab": "applications", "found": found})

    async def electronic(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """電子保証 (認証キー), narrowed by the search or by a number."""
        asked = {name: request.query.get(name, "").strip() for name in (*SEARCHED, "number")}
        query = {name: value for name, value in asked.items() if value}
        if "issued_from" in query:
            query["issued_from"] = query["issued_from"].replace("/", "-")
        query |= {"customer_number": visitor.customer_number, "certificate_form": "electronic"}
        if cursor := request.query.get("cursor"):
            query["cursor"] = cursor
        reply = await self._asked(self._portal.doors.guarantees(**query))
        good = reply is not None and reply.status == 200
        told = None if good else words.AWAY if reply is None else words.sentence(reply)
        page = reply.json() if reply is not None and good else {"items": [], "next_cursor": None}
        narrowed = {name: value for name, value in asked.items() if value}
        following = page["next_cursor"] and "?" + urlencode(narrowed | {"cursor": page["next_cursor"]})
        facts = {"visitor": visitor, "tab": "electronic", "asked": asked, "told": told, "items": page["items"]}
        more = {"following": following, "kinds": form.KINDS, "short": SHORT_KINDS}
        return self._pages.page("electronic.html", facts | more, status=_status(reply))

    async def reservations(self, _: web.Request, visitor: Visitor) -> web.StreamResponse:
        """契約保証予約 (入札ボンド): not electronic, and not kept here."""
        return self._pages.page("reservations.html", {"visitor": visitor, "tab": "reservations"})

    async def history(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """電子保証履歴一覧: every issued version that contractors may see, so many guarantees a page."""
        query = {"customer_number": visitor.customer_number, "certificate_form": "electronic"}
        if cursor := request.query.get("cursor"):
            query["cursor"] = cursor
        reply = await self._asked(self._portal.doors.guarantees(**query, limit=str(HISTORIES_MAX)))
        if reply is None or reply.status != 200:
            return self._trouble(visitor, reply)
        page = reply.json()
        numbers = [item["guarantee_number"] for item in page["items"]]
        details = await asyncio.gather(*(self._asked(self._portal.doors.guarantee(number)) for number in numbers))
        found = [one.json() for one in details if one is not None and one.status == 200]
        rows = [(one, row) for one in found for row in one["history"]]
        rows.sort(key=lambda pair: str(pair[1]["issued_at"]), reverse=True)
        following = page["next_cursor"] and "/history?" + urlencode({"cursor": page["next_cursor"]})
        facts = {"visitor": visitor, "rows": rows, "short": SHORT_KINDS}
        return self._pages.page("history.html", facts | {"following": following, "is_first": not cursor})

    async def detail(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """電子保証概要, without the key: reading that is an act of its own, which is noted."""
        return await self._detail(request.match_info["number"], visitor, {})

    async def act(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """A button of 電子保証概要. The address stays the page's own, so that what moves by itself can be asked for."""
        number = await self._own(request, visitor)
        posted = await request.post()
        match posted.get("action"):
            case "key":
                return await self._key(number, visitor)
            case "notice":
                return await self._paper(number, visitor, self._portal.doors.key_notice(number, visitor.viewer))
            case "mail":
                return await self._mail(number, visitor, str(posted.get("address", "")).strip())
            case _:
                raise web.HTTPSeeOther(request.path)

    async def _key(self, number: str, visitor: Visitor) -> web.StreamResponse:
        """電子保証概要 with the key; the issuer notes who looked."""
        reply = await self._asked(self._portal.doors.reveal_key(number, visitor.viewer))
        if reply is None or reply.status != 200:
            return await self._detail(number, visitor, {"told": _told(reply)}, _status(reply))
        return await self._detail(number, visitor, {"key": reply.json()["auth_key"]})

    async def certificate(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """電子証書 of a version: the PDF, or the signed data."""
        number, version = await self._own(request, visitor), int(request.match_info["version"])
        accept = PAPERS[request.match_info["paper"]]
        return await self._paper(number, visitor, self._portal.doors.certificate(number, version, accept))

    async def _mail(self, number: str, visitor: Visitor, address: str) -> web.StreamResponse:
        """The completion mail once more, to a mended address if one is given."""
        reply = await self._asked(self._portal.doors.completion_mail(number, address or None))
        if reply is not None and reply.status == 202:
            raise web.HTTPSeeOther(f"/contracts/electronic/{quote(number)}#mail")
        problems = [] if reply is None else [one["message_ja"] for one in words.problems_of(reply)]
        facts = {"mail_told": " ".join(problems) or _told(reply), "address": address}
        return await self._detail(number, visitor, facts, _status(reply))

    async def _detail(
        self, number: str, visitor: Visitor, facts: Mapping[str, object], status: int = 200
    ) -> web.Response:
        await self._must_own(number, visitor)
        reply = await self._asked(self._portal.doors.guarantee(number))
        if reply is None or reply.status != 200:
            return self._trouble(visitor, reply)
        found = reply.json()
        more = {"visitor": visitor, "one": found, "title": form.KINDS[found["kind"]], "mail_states": MAIL_STATES}
        none = {"key": None, "told": None, "mail_told": None, "address": ""}
        changes = await self._changes(visitor, found)
        return self._pages.page("detail.html", none | more | {"changes": changes} | dict(facts), status=status)

    async def _changes(self, visitor: Visitor, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The changes that were sent for a guarantee, newest first, and how they stand."""
        heard = await self._portal.answers.of(found["application_id"])
        changes = []
        for sent in await self._portal.sent.of(visitor.customer_number, found["guarantee_number"]):
            state, problems = change_state(await self._portal.answers.of(sent.id))
            effect = None if problems else effect_of(sent, heard, found["history"])
            changes.append({"sent": sent, "state": effect or state, "problems": problems})
        return changes

    async def _own(self, request: web.Request, visitor: Visitor) -> str:
        number = request.match_info["number"]
        await self._must_own(number, visitor)
        return number

    async def _must_own(self, number: str, visitor: Visitor) -> None:
        """Another contractor's guarantee is answered like an unknown one."""
        query = {"number": number, "customer_number": visitor.customer_number}
        reply = await self._asked(self._portal.doors.guarantees(**query))
        if reply is None or reply.status != 200:
            raise Interrupted(self._trouble(visitor, reply))
        if not reply.json()["items"]:
            facts: dict[str, object] = {"visitor": visitor, "told": "該当する保証契約が見つかりません。"}
            raise Interrupted(self._pages.page("trouble.html", facts, status=404))

    async def _paper(self, number: str, visitor: Visitor, call: Any) -> web.Response:
        reply = await self._asked(call)
        if reply is None or reply.status != 200:
            return await self._detail(number, visitor, {"told": _told(reply)}, _status(reply))
        headers = {name: value for name, value in reply.headers.items() if name.lower() in PASSED_ON}
        return web.Response(body=reply.body, headers=headers | {"Cache-Control": "no-store"})

    def _trouble(self, visitor: Visitor, reply: Reply | None) -> web.Response:
        return self._pages.page("trouble.html", {"visitor": visitor, "told": _told(reply)}, status=_status(reply))

    async def _asked(self, call: Any) -> Reply | None:
        try:
            reply: Reply = await call
        except (aiohttp.ClientError, TimeoutError):
            return None
        return reply


def _told(reply: Reply | None) -> str:
    return words.AWAY if reply is None else words.sentence(reply)


def _status(reply: Reply | None) -> int:
    return 503 if reply is None else 200 if reply.status < 300 else reply.status
