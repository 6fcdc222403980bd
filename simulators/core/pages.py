"""The office's pages: what waits, one guarantee with all that is known of it, and what the office does to it.

Every form bears the id of what it will send, so that sending it twice is one decision or one change. A form is taken
only from a page of this office: the browser says so in `Sec-Fetch-Site`, which no page can set.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from simulators import clock
from simulators.core import changes, slips
from simulators.core.changes import ChangeKind, Draft
from simulators.core.conclusion import UNDERWRITING_DECLINED, Conclusion, Refusal, message_of
from simulators.core.desk import Desk
from simulators.core.office import Folder, Office, OutsideFailed, Tab, number_of
from simulators.pages import Pages
from simulators.pages.forms import sent_form
from simulators.wire import NotConfirmed, Sender, Unroutable

NAME = "保証事業会社 業務画面（模擬）"
ABOUT = "動作確認用の模擬画面です。公開されている接続仕様だけを使い、保証事業会社の担当者の操作を再現します。"
SETTLES_S_MAX = 4.0
SETTLES_POLL_S = 0.1
EVENT_ID_CHARS_MAX = 64
TEXT_CHARS_MAX = 2_000
"""Twice what the fields let people type, since a browser sends two characters for each end of line."""

SEARCHES = ("number", "application_id", "contractor", "project")
KIND_JA = {
    "advance_payment": "前払金保証",
    "interim_advance_payment": "中間前払金保証",
    "contract_performance": "契約保証",
}
DONE_JA = {
    "concluded": "保証契約を引き受けました。",
    "declined": "お引受できないことを通知しました。",
    "correction": "訂正を送信しました。",
    "change_cancellation": "変更取消を送信しました。",
    "termination": "解約を送信しました。",
}
NO_NUMBER = "保証契約番号として読めません。00000-000000 の形で入力してください。"
NOT_SENT = "送信できませんでした。もう一度お試しください。同じ画面から送り直しても、二重には処理されません。"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Way(StrEnum):
    """What is in the way: a slip in what was typed, which was not sent; a refusal by the system; or something else."""

    SLIP = "slip"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Told:
    """What stands above a page: done, or what is in the way.

    Attributes:
        problems: sentences by the name of the field they belong to, under '' what belongs to none.
        labels: what people call those fields.
    """

    done: str | None = None
    way: Way | None = None
    problems: Mapping[str, list[str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the two forms of a decision; whoever sends them again sends the same decision again."""

    event_id: str
    conclusion_message: str = ""
    refusal_reason: str = UNDERWRITING_DECLINED["message_ja"]
    refusal_message: str = ""


class OfficeDoor:
    """The pages of the office."""

    def __init__(self, office: Office, desk: Desk, sender: Sender) -> None:
        self._office = office
        self._desk = desk
        self._sender = sender
        self._pages = Pages(NAME, ABOUT, Path(__file__).parent / "templates")

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        one = "/guarantees/{number}"
        return [
            *self._pages.routes(),
            web.get("/", self._calm(self.overview)),
            web.get("/orders", self._calm(self.orders)),
            web.get(one, self._calm(self.guarantee)),
            web.post(f"{one}/conclusion", self._calm(self.conclude)),
            web.post(f"{one}/refusal", self._calm(self.decline)),
            web.get(f"{one}/{{kind:correction|change_cancellation|termination}}", self._calm(self.change_form)),
            web.post(f"{one}/{{kind:correction|change_cancellation|termination}}", self._calm(self.change)),
        ]

    async def overview(self, request: web.Request) -> web.Response:
        """What waits for a person, or all guarantees, narrowed by what is searched for."""
        searched = {name: text for name in SEARCHES if (text := request.query.get(name, "").strip())}
        wanted = request.query.get("tab", "")
        tab = Tab.ALL if searched else (Tab(wanted) if wanted in list(Tab) else Tab.AWAITING)
        cursor = request.query.get("cursor") or None
        listed = problem = None
        asked = searched | ({"number": number_of(searched["number"]) or ""} if "number" in searched else {})
        try:
            if "" in asked.values():
                problem = NO_NUMBER
            else:
                listed = await self._office.listed(tab, cursor, **asked)
        except OutsideFailed:
            if not searched or cursor:
                raise
            problem = "この条件では検索できません。"
        here = searched or {"tab": tab.value}
        following = listed and listed.following and "/?" + urlencode(here | {"cursor": listed.following})
        facts: dict[str, object] = {"tab": tab.value, "listed": listed, "searched": searched, "problem": problem}
        facts |= {"following": following, "is_first": cursor is None, "no_number": problem == NO_NUMBER}
        return self._pages.page("list.html", facts, 422 if problem else 200)

    async def orders(self, _: web.Request) -> web.Response:
        """The paper orders, newest first."""
        found = [one for one in await self._desk.orders() if isinstance(one["order"], dict)]
        facts = {"orders": list(reversed(found)), "kinds": KIND_JA}
        return self._pages.page("orders.html", facts)

    async def guarantee(self, request: web.Request) -> web.Response:
        """One guarantee's folder."""
        folder = await self._folder(request)
        return self._shown(folder, Told(done=DONE_JA.get(request.query.get("done", ""))))

    async def conclude(self, request: web.Request) -> web.StreamResponse:
        """引受: announces the conclusion and waits a moment for what comes of it."""
        sent = await self._sent(request)
        folder = await self._folder(request)
        conclusion = Conclusion(**_who(folder, sent), message_from_guarantor=_text(sent, "message_from_guarantor"))
        typed = Typed(_event_id(sent) or clock.new_id(), conclusion_message=sent.get("message_from_guarantor", ""))
        return await self._announce(folder, conclusion, "concluded", typed)

    async def decline(self, request: web.Request) -> web.StreamResponse:
        """お引受できません: announces the refusal with its reason."""
        sent = await self._sent(request)
        folder = await self._folder(request)
        reason = _text(sent, "reason")
        typed = Typed(
            _event_id(sent) or clock.new_id(),
            refusal_reason=sent.get("reason", ""),
            refusal_message=sent.get("message_from_guarantor", ""),
        )
        if reason is None:
            labels = {"refusal_reason": "お引受できない理由"}
            told = Told(way=Way.SLIP, problems={"refusal_reason": [slips.NO_REASON]}, labels=labels)
            return self._shown(folder, told, 422, typed)
        problem = UNDERWRITING_DECLINED | {"pointer": f"/guarantees/{folder.place}", "message_ja": reason}
        message = _text(sent, "message_from_guarantor")
        refusal = Refusal(**_who(folder, sent), problems=[problem], message_from_guarantor=message)
        return await self._announce(folder, refusal, "declined", typed)

    async def change_form(self, request: web.Request) -> web.Response:
        """The form of a 訂正, 変更取消 or 解約."""
        folder = await self._folder(request)
        return self._change_form(folder, ChangeKind(request.match_info["kind"]), changes.new_draft(folder), Told())

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Sends a 訂正, 変更取消 or 解約 as the portal `office`, or shows the form again with everything in the way.

        What can be seen to be a slip of the pen is not sent, so that it is never recorded as a refused change.
        """
        sent = await self._sent(request)
        folder = await self._folder(request)
        kind = ChangeKind(request.match_info["kind"])
        draft = changes.read_draft(folder, sent)
        labels = changes.labels_of(folder, kind)
        found = slips.slips_of(folder, kind, draft)
        if found:
            return self._change_form(folder, kind, draft, Told(way=Way.SLIP, problems=found, labels=labels), 422)
        reply = await self._office.doors.change(changes.body_of(folder, kind, draft))
        if reply.status in (200, 202):
            after = await self._settled(folder)
            problems = after.refusal_of(draft.change_id)
            if not problems:
                raise _see_other(folder, kind.value)
            # The refused change keeps its id; what is sent next is another change.
            folder, draft = after, replace(draft, change_id=changes.new_draft(after).change_id)
        else:
            problems = reply.json().get("errors", []) if reply.status in (409, 422) else []
        if not problems:
            return self._change_form(folder, kind, draft, _not_sent(), 503)
        told = Told(way=Way.REFUSED, problems=changes.by_field(problems, labels), labels=labels)
        return self._change_form(folder, kind, replace(draft, confirmed=False), told, 422)

    async def _announce(self, folder: Folder, decision: Conclusion | Refusal, done: str, typed: Typed) -> web.Response:
        if folder.status != "awaiting_conclusion":
            decided = f"この保証は「{folder.guarantee['status_ja']}」です。引受の判断は、すでに済んでいます。"
            return self._shown(folder, Told(way=Way.FAILED, problems={"": [decided]}), 409)
        message, key = message_of(decision)
        try:
            await self._sender.send(message, key)
        except (NotConfirmed, Unroutable):
            return self._shown(folder, _not_sent(), 503, typed)
        await self._settled(folder)
        raise _see_other(folder, done)

    async def _settled(self, before: Folder) -> Folder:
        """The folder once something has happened to it, or as it is after a moment."""
        number, now = str(before.guarantee["guarantee_number"]), before
        with suppress(TimeoutError, OutsideFailed, aiohttp.ClientError):
            async with asyncio.timeout(SETTLES_S_MAX):
                for _ in range(round(SETTLES_S_MAX / SETTLES_POLL_S)):
                    now = await self._office.folder(number) or before
                    if now.sign != before.sign:
                        break
                    await asyncio.sleep(SETTLES_POLL_S)
        return now

    async def _folder(self, request: web.Request) -> Folder:
        folder = await self._office.folder(request.match_info["number"])
        if folder is None:
            raise web.HTTPNotFound
        return folder

    async def _sent(self, request: web.Request) -> Mapping[str, str]:
        if request.headers.get("Sec-Fetch-Site") != "same-origin":
            raise web.HTTPForbidden(text="A form is taken from this office's own pages only.")
        return await sent_form(request)

    def _shown(self, folder: Folder, told: Told, status: int = 200, typed: Typed | None = None) -> web.Response:
        facts = {"folder": folder, "it": folder.guarantee, "told": told, "typed": typed or Typed(clock.new_id())}
        return self._pages.page("guarantee.html", facts, status)

    def _change_form(
        self, folder: Folder, kind: ChangeKind, draft: Draft, told: Told, status: int = 200
    ) -> web.Response:
        facts = {"folder": folder, "it": folder.guarantee, "draft": draft, "told": told, "kind": kind.value}
        if kind is ChangeKind.CORRECTION:
            facts["fields"] = changes.fields_of(folder)
            return self._pages.page("correction.html", facts, status)
        return self._pages.page("ending.html", facts, status)

    def _calm(self, handler: Handler) -> Handler:
        async def calm(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except web.HTTPNotFound:
                return self._pages.page("missing.html", {}, 404)
            except (OutsideFailed, aiohttp.ClientError, TimeoutError):
                return self._pages.page("away.html", {}, 502)

        return calm


def _not_sent() -> Told:
    return Told(way=Way.FAILED, problems={"": [NOT_SENT]})


def _who(folder: Folder, sent: Mapping[str, str]) -> dict[str, Any]:
    guarantee = folder.guarantee
    return {
        "portal": guarantee["portal"],
        "application_id": guarantee["application_id"],
        "kind": guarantee["kind"],
        "event_id": _event_id(sent),
    }


def _event_id(sent: Mapping[str, str]) -> str | None:
    event_id = sent.get("event_id", "")
    return event_id if 0 < len(event_id) <= EVENT_ID_CHARS_MAX else None


def _text(sent: Mapping[str, str], name: str) -> str | None:
    text = sent.get(name, "").strip()
    if len(text) > TEXT_CHARS_MAX:
        raise web.HTTPUnprocessableEntity(text=f"{name} is longer than {TEXT_CHARS_MAX} characters.")
    return text or None


def _see_other(folder: Folder, done: str) -> web.HTTPSeeOther:
    number = folder.guarantee["guarantee_number"]
    return web.HTTPSeeOther(f"/guarantees/{number}?{urlencode({'done': done})}", headers={"Cache-Control": "no-store"})
