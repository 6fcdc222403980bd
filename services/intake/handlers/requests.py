"""The door over HTTP: one application whose sender waits for the answer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from services.intake.domain.body import Unreadable
from services.intake.domain.decision import Outcome, Reply
from services.intake.domain.judgement import judge
from services.intake.domain.obligees import Registry
from services.intake.handlers.applications import take_in
from services.intake.handlers.sent import Sent
from shared.work import Work

OVER_HTTP = "application.over_http"


async def answer_one(
    registry: Registry, unit_of_work: Callable[[], AbstractAsyncContextManager[Work]], portal: str, body: bytes
) -> Reply:
    """Take in one application, committed when this returns. What cannot be read is told and not remembered."""
    judged = judge(body, portal, registry)
    if isinstance(judged, Unreadable):
        return Reply(Outcome.REJECTED, None, problems=judged.problems)
    async with unit_of_work() as work:
        (reply,) = await take_in([(Sent(portal, OVER_HTTP, body), judged)], work)
    return reply
