"""The door over HTTP: one application or change whose sender waits for the answer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from services.intake.domain.body import Unreadable
from services.intake.domain.change import judge_change
from services.intake.domain.decision import Book, Outcome, Reply
from services.intake.domain.judgement import judge
from services.intake.domain.obligees import Registry
from services.intake.domain.verdict import Judged
from services.intake.handlers.answering import take_in
from services.intake.handlers.applications import APPLICATIONS
from services.intake.handlers.changes import CHANGES
from services.intake.handlers.sent import Sent
from shared.work import Work

_OVER_HTTP = {Book.APPLICATIONS: "application.over_http", Book.CHANGES: "change.over_http"}
_ANSWERING = {Book.APPLICATIONS: APPLICATIONS, Book.CHANGES: CHANGES}


def judged_for(book: Book, portal: str, body: bytes, registry: Registry) -> Judged[Any] | Unreadable:
    """The verdict on a body, whichever of the two it is said to be."""
    return judge(body, portal, registry) if book is Book.APPLICATIONS else judge_change(body, portal)


async def answer_one(
    registry: Registry,
    unit_of_work: Callable[[], AbstractAsyncContextManager[Work]],
    book: Book,
    portal: str,
    body: bytes,
) -> Reply:
    """Take in one submission, committed when this returns. What cannot be read is told and not remembered."""
    judged = judged_for(book, portal, body, registry)
    if isinstance(judged, Unreadable):
        return Reply(Outcome.REJECTED, None, problems=judged.problems)
    async with unit_of_work() as work:
        (reply,) = await take_in(_ANSWERING[book], [(Sent(portal, _OVER_HTTP[book], body), judged)], work)
    return reply
