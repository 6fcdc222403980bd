"""How submissions are answered, applications as well as changes: decided one by one, saved and announced as arrays.

What differs between the two is an `Answering`: which answers there are, and in which book they are written down.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake import store
from services.intake.domain.decision import Accept, Book, Outcome, Refuse, Reply, Submission, decide
from services.intake.domain.verdict import Judged
from services.intake.handlers.sent import Sent
from services.intake.store import Identity, Taken
from shared.envelope import fact_id
from shared.messages.intake import (
    ApplicationAccepted,
    ApplicationConflicted,
    ApplicationRejected,
    ChangeAccepted,
    ChangeRejected,
)
from shared.problems import Problem
from shared.work import Work

Accepted = ApplicationAccepted | ChangeAccepted
Answer = Accepted | ApplicationRejected | ApplicationConflicted | ChangeRejected


@dataclass(frozen=True, slots=True)
class Named:
    """What a submission calls itself, as far as that could be read."""

    id: str | None = None
    guarantee_number: str | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """How one kind of submission is answered.

    Attributes:
        accepts: makes the answer to what a good verdict holds.
        refuses: makes the answer to what is not taken.
        repeats: the kind of fact that accepts; a repeat is told it again as it was.
    """

    book: Book
    accepts: Callable[[Sent, Any, datetime], Accepted]
    refuses: Callable[[Sent, Outcome, Named, tuple[Problem, ...]], Answer]
    repeats: type[Accepted]


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission with its answer, before anything is saved.

    Attributes:
        identity: portal and id; None if the id cannot be read.
        occurrence: with type and subject it makes the answer's id.
        digest: of the content, in hex, if its JSON is sound.
        is_new: whether there is something to remember; a repeat is remembered already.
    """

    sent: Sent
    answer: Answer
    outcome: Outcome
    identity: Identity | None
    occurrence: str
    digest: str | None
    is_new: bool

    @property
    def id(self) -> str | None:
        """The application or change id."""
        return self.identity[1] if self.identity else None

    @property
    def subject(self) -> str:
        """What the answer is about."""
        return self.sent.subject(self.id)

    @property
    def reply(self) -> Reply:
        """The answer as a caller over HTTP is told it."""
        if isinstance(self.answer, Accepted):
            return Reply(self.outcome, self.id, remarks=self.answer.remarks, is_repeat=not self.is_new)
        return Reply(self.outcome, self.id, problems=self.answer.problems)


async def take_in(answering: Answering, submissions: Sequence[tuple[Sent, Judged[Any]]], work: Work) -> list[Reply]:
    """Answer submissions that could be read; what is accepted is remembered and occupies its id."""
    drafts: list[Draft] = []
    waiting = list(submissions)
    while waiting:
        identities = {identity for identity in map(_identity, waiting) if identity}
        # What is presumed to be new is not looked up; the end says whether it was.
        known = {} if work.presumes else await store.taken(work.connection, answering.book, identities)
        round_drafts = [_draft(answering, sent, judged, known, work) for sent, judged in waiting]
        lost = await _save(answering.book, round_drafts, work)
        drafts += [draft for draft in round_drafts if draft.identity not in lost]
        # Another transaction took these ids while this one decided: now they are seen, so they are decided again.
        waiting = [pair for pair in waiting if _identity(pair) in lost]
    for draft in drafts:
        announce(draft, work)
    return [draft.reply for draft in drafts]


def refusal(answering: Answering, sent: Sent, outcome: Outcome, named: Named, problems: tuple[Problem, ...]) -> Draft:
    """The answer to a submission that is not taken."""
    answer = answering.refuses(sent, outcome, named, problems)
    identity = (sent.portal, named.id) if named.id else None
    return Draft(sent, answer, outcome, identity, sent.occurrence, None, is_new=True)


def announce(draft: Draft, work: Work) -> None:
    """Tell the portal, and of what is accepted whoever hears of it."""
    work.announce(
        draft.answer,
        subject=draft.subject,
        occurrence=draft.occurrence,
        correlation=draft.sent.correlation(draft.id),
        portal=draft.sent.portal,
        cause=draft.sent.as_fact(work.now.isoformat()),
    )


async def remember(book: Book, drafts: Collection[Draft], work: Work) -> set[Identity | None]:
    """Remember answers that are new; give back the identities of those that are remembered only now."""
    rows = {(row := _submission(draft, work)).answer_id: (draft.identity, row) for draft in drafts if draft.is_new}
    if not rows:
        return set()
    fresh = await work.fresh(store.adding(book, [row for _, row in rows.values()]), list(rows))
    return {identity for answer_id, (identity, _) in rows.items() if answer_id in fresh}


async def _save(book: Book, drafts: Sequence[Draft], work: Work) -> set[Identity | None]:
    """Remember these answers; give back the identities that were to be accepted but are taken by another."""
    accepted = [draft for draft in drafts if draft.is_new and draft.outcome is Outcome.ACCEPTED]
    refused = [draft for draft in drafts if draft.outcome is not Outcome.ACCEPTED]
    wanted = {draft.identity for draft in accepted}
    lost = wanted - await remember(book, accepted, work)
    await remember(book, [draft for draft in refused if draft.identity not in lost], work)
    return lost


def _identity(submission: tuple[Sent, Judged[Any]]) -> Identity | None:
    sent, judged = submission
    return (sent.portal, judged.id) if judged.id else None


def _draft(answering: Answering, sent: Sent, judged: Judged[Any], known: dict[Identity, Taken], work: Work) -> Draft:
    """Decide on one submission; what is accepted counts as known for those behind it in the batch."""
    identity = _identity((sent, judged))
    taken = known.get(identity) if identity else None
    decision = decide(answering.book, judged, taken.digest if taken else None)
    if isinstance(decision, Refuse):
        named = Named(judged.id, judged.guarantee_number)
        return refusal(answering, sent, decision.outcome, named, decision.problems)
    assert identity is not None  # noqa: S101 - without an id nothing is good; said for the type checker.
    if isinstance(decision, Accept):
        answer = answering.accepts(sent, decision.good, work.now)
        digest = decision.good.digest
        known[identity] = Taken(digest, answer.model_dump_json())
        return Draft(sent, answer, Outcome.ACCEPTED, identity, digest, digest, is_new=True)
    assert taken is not None  # noqa: S101 - a repeat repeats something; said for the type checker.
    answer = answering.repeats.model_validate_json(taken.answer)
    return Draft(sent, answer, Outcome.ACCEPTED, identity, taken.digest, taken.digest, is_new=False)


def _submission(draft: Draft, work: Work) -> Submission:
    return Submission(
        answer_id=fact_id(draft.answer.TYPE, draft.subject, draft.occurrence),
        portal=draft.sent.portal,
        id=draft.id,
        outcome=draft.outcome,
        message_id=draft.sent.message_id,
        digest=draft.digest,
        answered_at=work.now,
        answer=draft.answer.model_dump_json(),
        body=draft.sent.body,
    )
