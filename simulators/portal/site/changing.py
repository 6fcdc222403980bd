"""変更: 増額, 減額 and 保証期限変更 of an issued guarantee."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from simulators import clock
from simulators.pages import Pages
from simulators.portal.client import Portal
from simulators.portal.doors import Reply
from simulators.portal.site import form, words
from simulators.portal.site.contracts import NUMBER
from simulators.portal.site.visitors import Visitor, known

FIELDS = ("contract_date", "price", "fiscal_year_amount", "amount", "works_until", "reason")
MONEY = ("price", "fiscal_year_amount", "amount")
CERTIFIED = ("works_until", "fiscal_year_amount")


class Changing:
    """The form of a change."""

    def __init__(self, portal: Portal, pages: Pages) -> None:
        self._portal = portal
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """The routes of these pages."""
        path = f"/contracts/electronic/{NUMBER}/change"
        return [web.get(path, known(self.new)), web.post(path, known(self.send))]

    async def new(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """The form, with the present values beside its fields."""
        values = {
            "change_id": f"C-{clock.new_id()[:13]}",
            "completion_mail.wanted": form.YES,
        }
        return await self._form(request.match_info["number"], visitor, dict.fromkeys(FIELDS, "") | values)

    async def send(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Sends the change; its state is then told at the guarantee."""
        number = request.match_info["number"]
        posted = await request.post()
        values = {name: value.replace("\r\n", "\n") for name, value in posted.items() if isinstance(value, str)}
        change = self._change(values, number, visitor)
        try:
            reply = await self._portal.doors.change(change)
        except (aiohttp.ClientError, TimeoutError):
            return await self._form(number, visitor, values, told=words.AWAY, status=503)
        if reply.status in (200, 202):
            await self._portal.sent.keep(change["change_id"], visitor.customer_number, number, change)
            raise web.HTTPSeeOther(f"/contracts/electronic/{number}#changes")
        problems = _by_field(reply)
        told = None if problems else words.sentence(reply)
        return await self._form(number, visitor, values, problems=problems, told=told, status=reply.status)

    async def _form(
        self,
        number: str,
        visitor: Visitor,
        values: Mapping[str, str],
        *,
        problems: Mapping[str, list[str]] | None = None,
        told: str | None = None,
        status: int = 200,
    ) -> web.Response:
        found: dict[str, Any] | None = None
        try:
            owned = await self._portal.doors.guarantees(number=number, customer_number=visitor.customer_number)
            if owned.status == 200 and owned.json()["items"]:
                reply = await self._portal.doors.guarantee(number)
                found = await self._standing(reply.json()) if reply.status == 200 else None
            elif owned.status == 200:
                told, status = "該当する保証契約が見つかりません。", 404
        except (aiohttp.ClientError, TimeoutError):
            told, status = words.AWAY, 503
        if found is None and not values.get("base_version"):
            facts: dict[str, object] = {"visitor": visitor, "told": told or words.AWAY}
            return self._pages.page("trouble.html", facts, status=status if status != 200 else 503)
        fresh = {}
        if found is not None:
            address = await self._address(found, visitor)
            fresh = {"base_version": str(found["version"] or 0), "completion_mail.address": address}
        facts = {"visitor": visitor, "number": number, "now": found, "values": fresh | dict(values)}
        return self._pages.page("change.html", facts | {"problems": problems or {}, "told": told}, status=status)

    async def _standing(self, found: dict[str, Any]) -> dict[str, Any]:
        """The guarantee, with what only its newest certificate tells."""
        if found["version"]:
            reply = await self._portal.doors.certificate(found["guarantee_number"], found["version"])
            if reply.status == 200:
                return found | {name: reply.json()[name] for name in CERTIFIED}
        return found

    async def _address(self, found: Mapping[str, Any], visitor: Visitor) -> str:
        """The mail address that was given last, with a change or with the application."""
        changes = await self._portal.sent.of(visitor.customer_number, found["guarantee_number"])
        applied = await self._portal.sent.one(found["application_id"], visitor.customer_number)
        mails = [sent.body["completion_mail"] for sent in (*changes, applied) if sent is not None]
        return next((mail["address"] for mail in mails if mail.get("address")), "")

    def _change(self, values: Mapping[str, str], number: str, visitor: Visitor) -> dict[str, Any]:
        def of(name: str) -> int | str | None:
            text = values.get(name, "")
            return form.yen(text) if name in MONEY else text.strip() or None

        return {
            "change_id": values.get("change_id", ""),
            "portal": self._portal.access.portal,
            "submitted_at": clock.now().astimezone(clock.TOKYO).isoformat(timespec="seconds"),
            "customer_number": visitor.customer_number,
            "guarantee_number": number,
            "base_version": form.yen(values.get("base_version", "")),
            "version_kind": "change",
            "corrections": {},
            "completion_mail": {
                "wanted": values.get("completion_mail.wanted") == form.YES,
                "address": values.get("completion_mail.address", "").strip() or None,
            },
            **{name: of(name) for name in FIELDS},
        }


def _by_field(reply: Reply) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in words.problems_of(reply):
        found.setdefault(problem["pointer"].strip("/").replace("/", "."), []).append(problem["message_ja"])
    return found
