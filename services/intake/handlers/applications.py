"""The answers to applications (申込)."""

from datetime import datetime
from typing import Final

from services.intake.domain.decision import Book, Outcome
from services.intake.domain.judgement import Good
from services.intake.handlers.answering import Answer, Answering, Named
from services.intake.handlers.sent import Sent
from shared.messages.intake import AcceptedLine, ApplicationAccepted, ApplicationConflicted, ApplicationRejected
from shared.problems import Problem


def _accepted(_: Sent, good: Good, now: datetime) -> ApplicationAccepted:
    application = good.application
    return ApplicationAccepted(
        portal=application.portal,
        application_id=application.application_id,
        accepted_at=now,
        remarks=good.remarks,
        lines=tuple(
            AcceptedLine(kind=line.kind.value, certificate_form=line.certificate_form.value)
            for line in application.guarantees
        ),
        application=application.model_dump(mode="json"),
        terms=good.terms,
    )


def _refused(sent: Sent, outcome: Outcome, named: Named, problems: tuple[Problem, ...]) -> Answer:
    if outcome is Outcome.CONFLICTED and named.id is not None:
        return ApplicationConflicted(
            portal=sent.portal, application_id=named.id, message_id=sent.message_id, problems=problems
        )
    return ApplicationRejected(
        portal=sent.portal, application_id=named.id, message_id=sent.message_id, problems=problems
    )


APPLICATIONS: Final = Answering(Book.APPLICATIONS, _accepted, _refused, ApplicationAccepted)
