"""What a judged application becomes, given what is accepted under its id already (domain rule 11)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.judgement import Bad, Good, Judged
from shared.problems import Problem


class Outcome(StrEnum):
    """How the door answers. What cannot be read is rejected, and parked besides."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONFLICTED = "conflicted"


@dataclass(frozen=True, slots=True)
class Accept:
    """It is new and good: it occupies its id from now on."""

    good: Good


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same content was accepted before and gets the same answer again, whatever the rules say by now."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It is not taken and occupies nothing."""

    outcome: Outcome
    problems: tuple[Problem, ...]


Decision = Accept | Repeat | Refuse


def decide(judged: Judged, taken: str | None) -> Decision:
    """Decide on one application; `taken` is the digest of the content accepted under its id, if there is any."""
    if taken is not None and judged.is_for_this_door:
        if judged.digest == taken:
            return Repeat()
        return Refuse(Outcome.CONFLICTED, (problem(Code.APPLICATION_ID_TAKEN, "/application_id"),))
    if isinstance(judged.verdict, Bad):
        return Refuse(Outcome.REJECTED, judged.verdict.problems)
    return Accept(judged.verdict)


@dataclass(frozen=True, slots=True)
class Submission:
    """What is remembered of one answered application.

    Attributes:
        answer_id: the id of the fact that answers it.
        application_id: None if it could not be read.
        digest: of the content, in hex; None if the JSON is unsound.
        answer: the answering fact's data, JSON, so that a repeat gets it word for word.
        body: the bytes as they were sent.
    """

    answer_id: UUID
    portal: str
    application_id: str | None
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
    application_id: str | None
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    is_repeat: bool = False
