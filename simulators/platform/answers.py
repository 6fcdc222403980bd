"""From a verdict to what goes over the line, and how it goes."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from simulators.platform.magic import RetryAfter, Says, Step, Travel
from simulators.platform.store import Kind, Verdict
from simulators.program import problem

PROBLEM_REFUSED = "https://platform.example/problems/certificate-refused"
PROBLEM_KEY_REUSED = "https://platform.example/problems/idempotency-key-reused"

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
HUGE_BYTES = 2_097_152
DRIP_PIECES = 20
PAST_BY = timedelta(days=400)
FUTURE_BY = timedelta(days=2)
# Linger on, for no time: closing then sends a reset instead of an orderly end.
LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and manner of one answer; `name` is what the record of requests calls it."""

    name: str
    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    travel: Travel = Travel.AT_ONCE
    seconds: float = 0.0

    @property
    def sent_status(self) -> int | None:
        """The status, or None when the caller never sees it."""
        return None if self.travel in (Travel.RESET, Travel.SILENCE) else self.status


def refusal(name: str, status: int, detail: str, problem_type: str = "about:blank", **headers: str) -> Answer:
    """A problem answer."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    body = json.dumps(problem(status, detail, problem_type), ensure_ascii=False).encode()
    return Answer(name, status, body, PROBLEM_TYPE, named)


def render(verdict: Verdict, at: datetime) -> Answer:
    """The answer to a verdict, given at this instant."""
    step = verdict.step
    if step is None:
        return _truth(verdict, {})
    if step.travel in (Travel.RESET, Travel.SILENCE):
        return Answer(step.travel.value, 0, travel=step.travel)
    return _spoken(verdict, step, at)


def _spoken(verdict: Verdict, step: Step, at: datetime) -> Answer:
    if step.says is Says.STATUS:
        return status_answer(step.status, step.seconds, step.retry_after, at)
    if step.says is Says.REFUSED:
        return _refused()
    if step.says is Says.KEY_REUSED:
        return _key_reused()
    if verdict.kind not in (Kind.ARRIVED, Kind.REPEATED):
        return _truth(verdict, {})
    told = _truth(verdict, _arrived_lies(step.says, at))
    match step.says:
        case Says.UNREADABLE:
            return Answer("unreadable", told.status, b'{"certificate_id": "\xff\xfe')
        case Says.HTML:
            return Answer("html", 200, "<html><body>ただいま処理しています</body></html>".encode(), "text/html")
        case Says.EMPTY:
            return Answer("empty", told.status)
        case Says.HUGE:
            return Answer("huge", told.status, b'{"certificate_id": "' + b"0" * HUGE_BYTES + b'"}')
        case Says.REPEAT:
            return Answer("repeat", 200, told.body)
        case _:
            return Answer(told.name, told.status, told.body, travel=step.travel, seconds=step.seconds)


def _arrived_lies(says: Says, at: datetime) -> dict[str, object]:
    lies: dict[Says, object] = {
        Says.ARRIVED_MISSING: ...,
        Says.ARRIVED_NULL: None,
        Says.ARRIVED_UNREADABLE: "昨日の午後",
        Says.ARRIVED_PAST: (at - PAST_BY).isoformat(timespec="milliseconds"),
        Says.ARRIVED_FUTURE: (at + FUTURE_BY).isoformat(timespec="milliseconds"),
    }
    return {"arrived_at": lies[says]} if says in lies else {}


def _truth(verdict: Verdict, lies: dict[str, object]) -> Answer:
    match verdict.kind:
        case Kind.REFUSED:
            return _refused()
        case Kind.KEY_REUSED:
            return _key_reused()
        case Kind.NOT_FOUND:
            return refusal("not_found", 404, "No such certificate has arrived.")
        case Kind.NOTHING:
            return refusal("failed", 500, "Nothing was stored.")
        case Kind.ARRIVED | Kind.REPEATED:
            pass
    fields: dict[str, object] = {"certificate_id": verdict.certificate_id, "arrived_at": verdict.arrived_at} | lies
    body = json.dumps({name: value for name, value in fields.items() if value is not ...}, ensure_ascii=False)
    return Answer(verdict.kind.value, 201 if verdict.kind is Kind.ARRIVED else 200, body.encode())


def _refused() -> Answer:
    return refusal("refused", 422, "発注者が確認できない電子証書です。", PROBLEM_REFUSED)


def _key_reused() -> Answer:
    return refusal("key_reused", 422, "The key was used for another certificate.", PROBLEM_KEY_REUSED)


def status_answer(status: int, seconds: float, manner: RetryAfter, at: datetime) -> Answer:
    """A bare status; 429 and 503 say when to come again, in the manner asked for."""
    headers: dict[str, str] = {}
    if status in (429, 503) and manner is RetryAfter.SECONDS:
        headers["Retry-After"] = str(max(0, round(seconds)))
    elif status in (429, 503) and manner is RetryAfter.DATE:
        moment = (at + timedelta(seconds=seconds)).astimezone(UTC)
        headers["Retry-After"] = format_datetime(moment, usegmt=True)
    told = refusal(str(status), status, "This answer was asked for by a marker or a mode.")
    return Answer(told.name, status, b"" if status == 204 else told.body, PROBLEM_TYPE, headers)


async def send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Lets the answer travel in its manner; a caller that hangs up cancels this."""
    match answer.travel:
        case Travel.SILENCE:
            await _never()
        case Travel.RESET:
            _reset(request)
            await _never()
        case Travel.SLOW:
            await asyncio.sleep(answer.seconds)
        case Travel.DRIP:
            return await _in_pieces(request, answer, DRIP_PIECES, answer.seconds / DRIP_PIECES)
        case Travel.CUT:
            await _in_pieces(request, answer, 2, 0.0, stop_after=1)
            _reset(request)
            await _never()
        case Travel.AT_ONCE:
            pass
    return web.Response(
        body=answer.body, status=answer.status, headers=answer.headers, content_type=answer.content_type
    )


async def _in_pieces(
    request: web.Request, answer: Answer, pieces: int, pause_s: float, stop_after: int | None = None
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    size = -(-len(answer.body) // pieces)
    for number, start in enumerate(range(0, len(answer.body), size)):
        if number == stop_after:
            break
        await response.write(answer.body[start : start + size])
        await asyncio.sleep(pause_s)
    return response


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    plug = transport.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    transport.abort()


async def _never() -> None:
    await asyncio.Event().wait()
