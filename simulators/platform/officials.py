"""The official's page: number and key are entered, and the certificate with its versions is seen (domain, rule 15).

The key comes in the body of a POST and goes nowhere from there: not into an address, a page, a cookie or the log.
What is told when nothing matches follows from what was entered and from how often, never from what is stored.
"""

import math
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from simulators.clock import TOKYO
from simulators.pages import Pages
from simulators.pages.forms import sent_form
from simulators.platform.checks import FAILURES_MAX, LOCKED_S, Checking, Locked, Match, NoMatch
from simulators.platform.entry import Entry, entered
from simulators.platform.shown import shown
from simulators.platform.signature import SigningKeys

NAME = "電子証書確認プラットフォーム（模擬）"
ABOUT = "動作確認用の模擬プラットフォームです。実在のサービスとは関係ありません。"
NOTHING_ENTERED = Entry("", "", "")


class OfficialsDoor:
    """The pages for officials, open to everybody: the key is what one must know."""

    def __init__(self, checking: Checking, keys: SigningKeys | None) -> None:
        self._checking = checking
        self._keys = keys
        self._pages = Pages(NAME, ABOUT, Path(__file__).parent / "templates")

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [*self._pages.routes(), web.get("/", self.form), web.post("/", self.check)]

    async def form(self, _: web.Request) -> web.Response:
        """The empty form; nothing in the address is read, so no link can carry a key."""
        return self._form(NOTHING_ENTERED, 200)

    async def check(self, request: web.Request) -> web.Response:
        """The check screen, or the form again: 422 malformed, 404 no match, 429 locked."""
        sent = await sent_form(request)
        entry = entered(sent.get("guarantee_number", ""), sent.get("auth_key", ""))
        if not entry.is_whole:
            return self._form(entry, 422)
        outcome, at = await self._checking.check(entry.number, entry.auth_key)
        match outcome:
            case Match(versions):
                return await self._certificate(entry.number, versions, at)
            case NoMatch(tries_left):
                return self._form(entry, 404, tries_left=tries_left)
            case Locked(seconds_left):
                return self._locked(entry, at, seconds_left)

    async def _certificate(self, number: str, versions: list[dict[str, object]], at: datetime) -> web.Response:
        facts = {
            "number": number,
            "shown": await shown(versions, self._keys, at.astimezone(TOKYO).date()),
            "checked_at": at,
            "keys_at": None if self._keys is None else self._keys.fetched_at,
            "keys_url": None if self._keys is None else self._keys.url,
        }
        return self._pages.page("certificate.html", facts)

    def _locked(self, entry: Entry, at: datetime, seconds_left: float) -> web.Response:
        # To the full second after it, so that nobody comes too early by a fraction.
        opens_at = at + timedelta(seconds=seconds_left)
        if opens_at.microsecond:
            opens_at = opens_at.replace(microsecond=0) + timedelta(seconds=1)
        answer = self._form(entry, 429, opens_at=opens_at)
        answer.headers["Retry-After"] = str(max(1, math.ceil(seconds_left)))
        return answer

    def _form(
        self, entry: Entry, status: int, tries_left: int | None = None, opens_at: datetime | None = None
    ) -> web.Response:
        facts = {
            "entry": entry,
            "tries_left": tries_left,
            "opens_at": opens_at,
            "failures_max": FAILURES_MAX,
            "locked_minutes": round(LOCKED_S / 60),
        }
        return self._pages.page("check.html", facts, status)
