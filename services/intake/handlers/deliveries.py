"""The door over AMQP: a batch of one portal's messages, applications and changes, readable or not."""

from collections.abc import Sequence

from services.intake.domain.body import Document, read_body
from services.intake.domain.body import Unreadable as UnreadableBody
from services.intake.domain.change import judge_change
from services.intake.domain.decision import Outcome
from services.intake.domain.judgement import Judged, judge
from services.intake.domain.obligees import Registry
from services.intake.handlers.applications import Draft, announce, refusal, remember, take_in
from services.intake.handlers.sent import Sent
from shared.envelope import Unreadable
from shared.messages.intake import ChangeRejected
from shared.problems import Problem
from shared.work import Work

UNREADABLE = "unreadable"
"""The code by which the desk groups what could not be read."""


async def answer_all(registry: Registry, sent: Sequence[Sent], work: Work) -> None:
    """Answer every message of a batch; what cannot be read is answered to the queue's portal and parked besides."""
    applications: list[tuple[Sent, Judged]] = []
    unreadable: list[Draft] = []
    for one in sent:
        if one.is_change:
            _answer_change(one, work)
            continue
        judged = judge(one.body, one.portal, registry)
        if isinstance(judged, UnreadableBody):
            unreadable.append(refusal(one, Outcome.REJECTED, None, judged.problems))
            _park(one, judged.problems, work)
        else:
            applications.append((one, judged))
    await remember(unreadable, work)
    for draft in unreadable:
        announce(draft, work)
    if applications:
        await take_in(applications, work)


async def give_up(one: Sent, code: str, reason: str, work: Work) -> None:
    """Park a message that no handler could take, whole if its JSON is sound, so that the desk can replay it."""
    document = read_body(one.body)
    if isinstance(document, Document) and not document.problems:
        work.park(one.as_fact(work.now.isoformat()), code, reason)
    else:
        work.park(Unreadable.of(one.body, reason, one.message_id), code, reason)


def _answer_change(one: Sent, work: Work) -> None:
    change = judge_change(one.body)
    if isinstance(change, UnreadableBody):
        answer = ChangeRejected(
            portal=one.portal,
            change_id=None,
            guarantee_number=None,
            message_id=one.message_id,
            problems=change.problems,
        )
        _park(one, change.problems, work)
    else:
        answer = ChangeRejected(
            portal=one.portal,
            change_id=change.change_id,
            guarantee_number=change.guarantee_number,
            message_id=one.message_id,
            problems=change.problems,
        )
    subject = one.subject(answer.change_id)
    work.announce(
        answer,
        subject=subject,
        occurrence=one.occurrence,
        correlation=subject,
        portal=one.portal,
        cause=one.as_fact(work.now.isoformat()),
    )


def _park(one: Sent, problems: Sequence[Problem], work: Work) -> None:
    reason = "; ".join(found.message_en for found in problems)
    work.park(Unreadable.of(one.body, reason, one.message_id), UNREADABLE, reason)
