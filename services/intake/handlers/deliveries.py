"""The door over AMQP: a batch of one portal's messages, applications and changes, readable or not."""

from collections.abc import Sequence
from typing import Any

from services.intake.domain.body import Document, read_body
from services.intake.domain.body import Unreadable as UnreadableBody
from services.intake.domain.change import judge_change
from services.intake.domain.decision import Outcome
from services.intake.domain.judgement import judge
from services.intake.domain.obligees import Registry
from services.intake.domain.verdict import Judged
from services.intake.handlers.answering import Answering, Named, announce, refusal, remember, take_in
from services.intake.handlers.applications import APPLICATIONS
from services.intake.handlers.changes import CHANGES
from services.intake.handlers.sent import Sent
from shared.envelope import Unreadable
from shared.problems import Problem
from shared.work import Work

UNREADABLE = "unreadable"
"""The code by which the desk groups what could not be read."""


async def answer_all(registry: Registry, sent: Sequence[Sent], work: Work) -> None:
    """Answer every message of a batch; what cannot be read is answered to the queue's portal and parked besides."""
    applications = [one for one in sent if not one.is_change]
    changes = [one for one in sent if one.is_change]
    await _answer(APPLICATIONS, [(one, judge(one.body, one.portal, registry)) for one in applications], work)
    await _answer(CHANGES, [(one, judge_change(one.body, one.portal)) for one in changes], work)


async def give_up(one: Sent, code: str, reason: str, work: Work) -> None:
    """Park a message that no handler could take, whole if its JSON is sound, so that the desk can replay it.

    What cannot be read is answered here as everywhere; what can be is answered when the desk has replayed it.
    """
    document = read_body(one.body)
    if isinstance(document, UnreadableBody):
        await _refuse_unread(CHANGES if one.is_change else APPLICATIONS, [(one, document)], work)
    if isinstance(document, Document) and not document.problems:
        work.park(one.as_fact(work.now.isoformat()), code, reason)
    else:
        work.park(Unreadable.of(one.body, reason, one.message_id), code, reason)


async def _answer(
    answering: Answering, verdicts: Sequence[tuple[Sent, Judged[Any] | UnreadableBody]], work: Work
) -> None:
    unread = [(one, judged) for one, judged in verdicts if isinstance(judged, UnreadableBody)]
    readable = [(one, judged) for one, judged in verdicts if not isinstance(judged, UnreadableBody)]
    await _refuse_unread(answering, unread, work)
    for one, judged in unread:
        _park(one, judged.problems, work)
    if readable:
        await take_in(answering, readable, work)


async def _refuse_unread(answering: Answering, unread: Sequence[tuple[Sent, UnreadableBody]], work: Work) -> None:
    """Answer bodies that cannot be read to the portal whose queue they came through, with their message ids."""
    drafts = [refusal(answering, one, Outcome.REJECTED, Named(), body.problems) for one, body in unread]
    await remember(answering.book, drafts, work)
    for draft in drafts:
        announce(draft, work)


def _park(one: Sent, problems: Sequence[Problem], work: Work) -> None:
    reason = "; ".join(found.message_en for found in problems)
    work.park(Unreadable.of(one.body, reason, one.message_id), UNREADABLE, reason)
