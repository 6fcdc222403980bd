"""What the platform saw and how it behaves, for tests and for the curious; the same token opens it."""

import sqlite3

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from simulators.ledger import Ledger
from simulators.platform import store
from simulators.platform.outage import Mode, Outage
from simulators.platform.web import Bearer
from simulators.program import json_answer, problem_answer

LINES_DEFAULT = 1_000
LINES_MAX = 10_000


class AdminDoor:
    """The routes below /admin."""

    def __init__(self, ledger: Ledger, bearer: Bearer, outage: Outage) -> None:
        self._ledger = ledger
        self._bearer = bearer
        self._outage = outage

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            web.get("/admin/requests", self._guarded(self.requests)),
            web.get("/admin/certificates", self._guarded(self.certificates)),
            web.get("/admin/mode", self._guarded(self.mode)),
            web.post("/admin/mode", self._guarded(self.switch)),
        ]

    async def requests(self, request: web.Request) -> web.Response:
        """Every request, oldest first; `key`, `after` (an id) and `limit` narrow it."""
        key = request.query.get("key")
        after, count = _number(request, "after", 0), _limit(request)
        lines = await self._ledger.do(lambda db: store.requests(db, key, after, count))
        return json_answer({"requests": lines, "next_after": lines[-1]["id"] if len(lines) == count else None})

    async def certificates(self, request: web.Request) -> web.Response:
        """Every stored certificate in the order of keys; `after` (a key) and `limit` narrow it."""
        after, count = request.query.get("after", ""), _limit(request)

        def job(connection: sqlite3.Connection) -> tuple[int, list[dict[str, object]]]:
            return store.count_certificates(connection), store.certificates(connection, after, count)

        total, rows = await self._ledger.do(job)
        following = rows[-1]["key"] if len(rows) == count else None
        return json_answer({"total": total, "certificates": rows, "next_after": following})

    async def mode(self, _: web.Request) -> web.Response:
        """The present mode, and how many requests each mode has spoilt since the start."""
        return json_answer({**self._outage.present().model_dump(), "answered": self._outage.answered})

    async def switch(self, request: web.Request) -> web.Response:
        """Takes on another mode."""
        try:
            mode = Mode.model_validate_json(await request.read())
        except ValidationError as error:
            return problem_answer(422, str(error))
        self._outage.switch(mode)
        return json_answer(mode.model_dump())

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._bearer.admits(request):
                return problem_answer(401, "The bearer token is missing or wrong.")
            return await handler(request)

        return guarded


def _number(request: web.Request, name: str, default: int) -> int:
    try:
        return max(0, int(request.query.get(name, default)))
    except ValueError:
        raise web.HTTPBadRequest(text=f"{name} must be a whole number.") from None


def _limit(request: web.Request) -> int:
    return min(max(1, _number(request, "limit", LINES_DEFAULT)), LINES_MAX)
