"""The answers to changes (変更, and the office's 訂正, 変更取消 and 解約)."""

from datetime import datetime
from typing import Final

from services.intake.domain.change import GoodChange
from services.intake.domain.decision import Book, Outcome
from services.intake.handlers.answering import Answer, Answering, Named
from services.intake.handlers.sent import Sent
from shared.messages.intake import ChangeAccepted, ChangeRejected
from shared.problems import Problem


def _accepted(_: Sent, good: GoodChange, now: datetime) -> ChangeAccepted:
    submitted = good.submitted
    return ChangeAccepted(
        portal=submitted.portal,
        change_id=submitted.change_id,
        guarantee_number=submitted.guarantee_number,
        accepted_at=now,
        remarks=good.remarks,
        change=good.change,
    )


def _refused(sent: Sent, _: Outcome, named: Named, problems: tuple[Problem, ...]) -> Answer:
    # A taken id is a rejection too; its code says so.
    return ChangeRejected(
        portal=sent.portal,
        change_id=named.id,
        guarantee_number=named.guarantee_number,
        message_id=sent.message_id,
        problems=problems,
    )


CHANGES: Final = Answering(Book.CHANGES, _accepted, _refused, ChangeAccepted)
