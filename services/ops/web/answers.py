"""What ops answers as JSON, as types: for its description, and so that no answer lacks what is described.

What services say of themselves passes through with whatever a newer one adds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.ops.domain.desk import Obstacle, State
from services.ops.domain.ledger import Column, Step, Verdict
from shared.operator_door.answers import Answer, DueRow, ServiceState


class QueueDepth(Answer):
    """One queue: messages that are with no consumer, and how many consume."""

    queue: str
    messages: int
    consumers: int


class Point(Answer):
    """One moment of the last hour: depths that are not zero, by queue; rows by service and errand; facts by type."""

    at: datetime
    queues: Mapping[str, int]
    outbox: Mapping[str, int]
    outsides: Mapping[str, int]
    told: Mapping[str, int]


class FlowTold(Answer):
    """Everything as it was seen last; a service that does not answer is null, and so are queues without a broker."""

    at: datetime
    services: Mapping[str, ServiceState | None]
    queues: Sequence[QueueDepth] | None
    history: Sequence[Point]


class DifferenceTold(Answer):
    """Where the journal and a service count differently right now."""

    what: str
    journal: int
    service: int


class LedgerTold(Answer):
    """Every line in one column; `told` is what services count; `balanced` is null while the verdict is unknown."""

    at: datetime
    applications: int
    requested: int
    columns: Mapping[Column, int]
    verdict: Verdict
    balanced: bool | None
    differences: Sequence[DifferenceTold]
    told: Mapping[str, Mapping[str, int]]
    unasked: Sequence[str]
    outbox_rows: int


class Acted(Answer):
    """What an operator did: who, what, to what, and why."""

    no: int
    service: str
    at: datetime
    who: str = ""
    what: str = ""
    keys: str = ""
    count: str = ""
    reason: str = ""


class Acts(Answer):
    """A page of acts, the latest first; the next one lies before `next_before`."""

    acts: Sequence[Acted]
    next_before: int | None


class AlarmTold(Answer):
    """Something that is wrong, or was within a day."""

    kind: str
    key: str
    told: str
    ids: Sequence[str]
    raised_at: datetime | None
    seen_at: datetime | None
    cleared_at: datetime | None


class ParkedCount(Answer):
    """How many facts lie parked for one hearer."""

    consumer: str
    facts: int
    oldest_at: datetime


class Alarms(Answer):
    """What is wrong, and what lies parked."""

    alarms: Sequence[AlarmTold]
    parked: Sequence[ParkedCount]


class Acknowledgement(Answer):
    """The alarm that was cleared by hand."""

    acknowledged: str


class FindingsTaken(Answer):
    """How many findings of the doctor stand now, and how many do not any more."""

    raised: int
    cleared: int


class ApplicationFound(Answer):
    """An application, as people know it."""

    portal: str
    application_id: str
    contractor: str
    project: str
    obligee: str
    accepted_at: datetime


class JourneysFound(Answer):
    """Applications that fit; `unaccepted` are portal and id of those that were never accepted."""

    found: Sequence[ApplicationFound]
    more: bool
    unaccepted: Sequence[str]


class JourneyStep(Answer):
    """One announcement; `after_s` are the seconds since the one before, `words` what the journal keeps of it."""

    no: int
    id: UUID
    service: str
    type: str
    subject: str
    at: datetime
    after_s: float | None
    heard_at: datetime
    trace_id: str | None
    words: Mapping[str, str]
    batch_no: int | None


class NextStep(Answer):
    """What comes next, and after how many seconds it is overdue."""

    step: Step
    overdue_after_s: float


class JourneyLine(Answer):
    """One guarantee applied for: where it stands, what comes next, and what waits for it outside."""

    kind: str
    form: str | None
    guarantee_number: str | None
    status: str
    since: datetime
    column: Column
    next: NextStep | None
    due: Sequence[DueRow]


class ParkedTold(Answer):
    """A fact on the desk without its content; `obstacle` is why it cannot be replayed."""

    id: UUID
    fact_id: UUID | None
    consumer: str
    code: str
    reason: str
    type: str
    subject: str
    correlation: str
    replay: int
    state: State
    parked_at: datetime
    acted_by: str | None
    acted_at: datetime | None
    acted_why: str | None
    obstacle: Obstacle | None


class Journey(Answer):
    """Everything about one application."""

    application: ApplicationFound | None
    correlation: str
    steps: Sequence[JourneyStep]
    lines: Sequence[JourneyLine]
    parked: Sequence[ParkedTold]


class ParkedGroup(Answer):
    """Open facts that were parked at one hearer for one reason; `reason` is the last one's."""

    consumer: str
    code: str
    type: str
    facts: int
    replayable: int
    first_at: datetime
    last_at: datetime
    reason: str


class ParkedGroups(Answer):
    """What lies open, the most first."""

    groups: Sequence[ParkedGroup]


class ParkedFacts(Answer):
    """A page of parked facts."""

    facts: Sequence[ParkedTold]
    next_after: UUID | None


class ParkedFact(ParkedTold):
    """A parked fact with its content, secrets and personal data struck out."""

    why_not: str | None
    content: Mapping[str, Any]


class Hindered(Answer):
    """Facts that were left alone, and why; only the first ids are told."""

    obstacle: Obstacle
    told: str
    facts: int
    ids: Sequence[UUID]


class DeskOutcome(Answer):
    """What became of a wish, or would become of it; `left` is whether the group has more than one act can take."""

    act_id: UUID | None
    dry_run: bool
    facts: int
    ids: Sequence[UUID]
    obstacles: Sequence[Hindered]
    left: bool
    unasked: Sequence[str]


class ReplayProgress(Answer):
    """How far a replay is; `underway` is on its way or waits in the hearer's queue."""

    facts: int
    done: int
    parked_again: int
    underway: int
    unasked: Sequence[str]


class KeyBorne(Answer):
    """One sealing key by id: what bears it, who can open with it, and whether it may leave all rings."""

    kid: str
    rows: Mapping[str, int]
    seals: bool
    in_ring_of: Sequence[str]
    may_be_retired: bool


class KeysBorne(Answer):
    """All sealing keys; `on_the_way` is null when the broker could not be asked."""

    keys: Sequence[KeyBorne]
    unasked: Sequence[str]
    on_the_way: Mapping[str, int] | None


class JournalHead(Answer):
    """The last batch of the journal, and the hash that all of it leads to, in hexadecimal."""

    batch_no: int
    entries: int
    chain: str
