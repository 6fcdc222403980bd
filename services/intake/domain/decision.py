"""What a judged application or change becomes, given what is accepted under its id already (domain rule 11)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic
from uuid import UUID

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.verdict import Bad, GoodT, Judged
from shared.problems import Problem


class Book(StrEnum):
    """What is written down apart: an application and a change may bear the same id."""

    APPLICATIONS = "applications"
    CHANGES = "changes"


class Outcome(StrEnum):
    """How the door answers. What cannot be read is rejected, and parked besides."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONFLICTED = "conflicted"


_TAKEN: Final = {
    Book.APPLICATIONS: problem(Code.APPLICATION_ID_TAKEN, "/application_id"),
    Book.CHANGES: problem(Code.CHANGE_ID_TAKEN, "/change_id"),
}


@dataclass(frozen=True, slots=True)
class Accept(Generic[GoodT]):
    """It is new and good: it occupies its id from now on."""

    good: GoodT


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same content was accepted before and gets the same answer again, whatever the rules say by now."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It is not taken and occupies nothing."""

    outcome: Outcome
    problems: tuple[Problem, ...]


def decide(book: Book, judged: Judged[GoodT], taken: str | None) -> Accept[GoodT] | Repeat | Refuse:
    """Decide on one submission; `taken` is the digest of the content accepted under its id, if there is any."""
    if taken is not None and judged.is_for_this_door:
        if judged.digest == taken:
            return Repeat()
        return Refuse(Outcome.CONFLICTED, (_TAKEN[book],))
    if isinstance(judged.verdict, Bad):
        return Refuse(Outcome.REJECTED, judged.verdict.problems)
    return Accept(judged.verdict)


@dataclass(frozen=True, slots=True)
class Submission:
    """What is remembered of one answered application or change.

    Attributes:
        answer_id: the id of the fact that answers it.
        id: its application or change id, None if it could not be read.
        digest: of the content, in hex; None if the JSON is unsound.
        answer: the answering fact's data, JSON, so that a repeat gets it word for word.
        body: the bytes as they were sent.
    """

    answer_id: UUID
    portal: str
    id: str | None
    outcome: Outcome
    message_id: str | None
    digest: str | None
    answered_at: datetime
    answer: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller who waits for the answer is told."""

    outcome: Outcome
    id: str | None
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    is_repeat: bool = False
