"""Taking applications in: decided one by one, saved and announced as arrays, in one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.intake import store
from services.intake.domain.decision import Accept, Outcome, Refuse, Reply, Submission, decide
from services.intake.domain.judgement import Good, Judged
from services.intake.handlers.sent import Sent
from services.intake.store import Identity, Taken
from shared.envelope import fact_id
from shared.messages.intake import AcceptedLine, ApplicationAccepted, ApplicationConflicted, ApplicationRejected
from shared.problems import Problem
from shared.work import Work

Answer = ApplicationAccepted | ApplicationRejected | ApplicationConflicted


@dataclass(frozen=True, slots=True)
class Draft:
    """An application with its answer, before anything is saved.

    Attributes:
        identity: portal and application id; None if the id cannot be read.
        occurrence: with type and subject it makes the answer's id.
        digest: of the content, in hex, if its JSON is sound.
        is_new: whether there is something to remember; a repeat is remembered already.
    """

    sent: Sent
    answer: Answer
    identity: Identity | None
    occurrence: str
    digest: str | None
    is_new: bool

    @property
    def subject(self) -> str:
        """What the answer is about."""
        return self.sent.subject(self.answer.application_id)

    @property
    def reply(self) -> Reply:
        """The answer as a caller over HTTP is told it."""
        name = self.answer.application_id
        if isinstance(self.answer, ApplicationAccepted):
            return Reply(Outcome.ACCEPTED, name, remarks=self.answer.remarks, is_repeat=not self.is_new)
        return Reply(_outcome(self.answer), name, problems=self.answer.problems)


async def take_in(applications: Sequence[tuple[Sent, Judged]], work: Work) -> list[Reply]:
    """Answer applications that could be read; what is accepted is remembered and occupies its id."""
    drafts: list[Draft] = []
    waiting = list(applications)
    while waiting:
        known = await store.taken(work.connection, {identity for identity in map(_identity, waiting) if identity})
        round_drafts = [_draft(sent, judged, known, work) for sent, judged in waiting]
        lost = await _save(round_drafts, work)
        drafts += [draft for draft in round_drafts if draft.identity not in lost]
        # Another transaction took these ids while this one decided: now they are seen, so they are decided again.
        waiting = [pair for pair in waiting if _identity(pair) in lost]
    for draft in drafts:
        announce(draft, work)
    return [draft.reply for draft in drafts]


def refusal(sent: Sent, outcome: Outcome, application_id: str | None, problems: tuple[Problem, ...]) -> Draft:
    """The answer to an application that is not taken."""
    answer: Answer
    if outcome is Outcome.CONFLICTED and application_id is not None:
        answer = ApplicationConflicted(
            portal=sent.portal, application_id=application_id, message_id=sent.message_id, problems=problems
        )
    else:
        answer = ApplicationRejected(
            portal=sent.portal, application_id=application_id, message_id=sent.message_id, problems=problems
        )
    identity = (sent.portal, application_id) if application_id else None
    return Draft(sent, answer, identity, sent.occurrence, None, is_new=True)


def announce(draft: Draft, work: Work) -> None:
    """Tell the portal, and for an accepted application whoever hears of it."""
    work.announce(
        draft.answer,
        subject=draft.subject,
        occurrence=draft.occurrence,
        correlation=draft.subject,
        portal=draft.sent.portal,
        cause=draft.sent.as_fact(work.now.isoformat()),
    )


async def remember(drafts: Collection[Draft], work: Work) -> set[Identity]:
    """Remember answers that are new; give back the identities of those that are remembered only now."""
    rows = [_submission(draft, work) for draft in drafts if draft.is_new]
    return await store.add(work.connection, rows) if rows else set()


async def _save(drafts: Sequence[Draft], work: Work) -> set[Identity | None]:
    """Remember these answers; give back the identities that were to be accepted but are taken by another."""
    accepted = [draft for draft in drafts if draft.is_new and isinstance(draft.answer, ApplicationAccepted)]
    refused = [draft for draft in drafts if not isinstance(draft.answer, ApplicationAccepted)]
    wanted = {draft.identity for draft in accepted}
    lost = wanted - await remember(accepted, work)
    await remember([draft for draft in refused if draft.identity not in lost], work)
    return lost


def _identity(application: tuple[Sent, Judged]) -> Identity | None:
    sent, judged = application
    return (sent.portal, judged.application_id) if judged.application_id else None


def _draft(sent: Sent, judged: Judged, known: dict[Identity, Taken], work: Work) -> Draft:
    """Decide on one application; what is accepted counts as known for those behind it in the batch."""
    identity = _identity((sent, judged))
    taken = known.get(identity) if identity else None
    decision = decide(judged, taken.digest if taken else None)
    if isinstance(decision, Refuse):
        return refusal(sent, decision.outcome, judged.application_id, decision.problems)
    if isinstance(decision, Accept):
        answer = _accepted(decision.good, work)
        known[(sent.portal, answer.application_id)] = Taken(decision.good.digest, answer.model_dump_json())
        return Draft(sent, answer, identity, decision.good.digest, decision.good.digest, is_new=True)
    assert taken is not None  # noqa: S101 - a repeat repeats something; said for the type checker.
    answer = ApplicationAccepted.model_validate_json(taken.answer)
    return Draft(sent, answer, identity, taken.digest, taken.digest, is_new=False)


def _accepted(good: Good, work: Work) -> ApplicationAccepted:
    application = good.application
    return ApplicationAccepted(
        portal=application.portal,
        application_id=application.application_id,
        accepted_at=work.now,
        remarks=good.remarks,
        lines=tuple(
            AcceptedLine(kind=line.kind.value, certificate_form=line.certificate_form.value)
            for line in application.guarantees
        ),
        application=application.model_dump(mode="json"),
    )


def _outcome(answer: Answer) -> Outcome:
    if isinstance(answer, ApplicationAccepted):
        return Outcome.ACCEPTED
    return Outcome.CONFLICTED if isinstance(answer, ApplicationConflicted) else Outcome.REJECTED


def _submission(draft: Draft, work: Work) -> Submission:
    return Submission(
        answer_id=fact_id(draft.answer.TYPE, draft.subject, draft.occurrence),
        portal=draft.sent.portal,
        application_id=draft.answer.application_id,
        outcome=_outcome(draft.answer),
        message_id=draft.sent.message_id,
        digest=draft.digest,
        answered_at=work.now,
        answer=draft.answer.model_dump_json(),
        body=draft.sent.body,
    )
