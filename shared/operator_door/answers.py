"""What the operator door answers, as types: for its description, and so that no answer lacks what is described.

What a later version adds is passed on as it is, for ops asks the doors of services that may be newer than itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.errands.breaker import Breaker
from shared.errands.operators import Told
from shared.errands.stages import Standing


class Answer(BaseModel):
    """What all of them have in common; unknown members are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class QueueTold(Answer):
    """One queue that a process consumes: what it has in hand, and since when that waits for the database."""

    queue: str
    consuming: bool
    facts_in_hand: int
    failing_for_s: float | None


class OutboxTold(Answer):
    """Facts that are committed and wait for the broker; `failing` of them came back at least once."""

    rows: int
    failing: int
    oldest_at: datetime | None
    last_error: str | None


class PauseTold(Answer):
    """That an operator stopped an outside, and why."""

    since: datetime
    by: str
    reason: str


class ClosingTold(Answer):
    """Hours of closing that are announced."""

    closes_at: datetime
    opens_at: datetime
    by: str
    reason: str


class StageTold(Answer):
    """How a service stands to the outside of one errand; `reason` is what was said when it last went wrong."""

    errand: str
    standing: Standing
    since: datetime | None
    until: datetime | None
    breaker: Breaker
    reason: str | None
    paused: PauseTold | None
    closings: Sequence[ClosingTold]


class RowsCounted(Answer):
    """The rows of an errand that are not settled; each is in one of the four numbers."""

    due: int
    calling: int
    waiting: int
    held: int
    oldest_at: datetime | None


class StageCounted(StageTold):
    """A stage with its slots and its rows counted."""

    slots: int
    rows: RowsCounted


class Stages(Answer):
    """Every errand of a service."""

    stages: Sequence[StageCounted]


class ServiceState(Stages):
    """What a process holds and what waits in its service's tables; `reasons` say why it is not ready."""

    service: str
    version: str
    ready: bool
    reasons: Mapping[str, str]
    queues: Sequence[QueueTold]
    outbox: OutboxTold
    parked: Mapping[str, int]


class Ending(Answer):
    """How a fact ended at one consumer: `done` or `parked`, and at which replay."""

    id: UUID
    outcome: str
    replay: int
    heard_at: datetime


class Endings(Answer):
    """Those of the facts asked for that have ended."""

    endings: Sequence[Ending]


class LedgerCounts(Answer):
    """How many of its own things a service has in which state, and how many facts it has still to announce."""

    service: str
    counts: Mapping[str, int]
    outbox_rows: int


class LedgerLine(Answer):
    """One of the things counted; `kind` is the guarantee's, and empty where it has none."""

    correlation: str
    kind: str
    state: str


class LedgerLines(Answer):
    """A page of them; the next one begins after `next_after`, and there is none without it."""

    lines: Sequence[LedgerLine]
    next_after: str | None


class DueRow(Answer):
    """A row that waits for the outside, without what is to be sent; `held_by` is the operator who held it."""

    errand: str
    key: str
    turn_of: str
    state: str
    is_calling: bool
    created_at: datetime
    due_at: datetime
    attempts: int
    unknown: bool
    last_error: str | None
    holds: int
    held_at: datetime | None
    held_by: str | None
    correlation: str


class DueCursor(Answer):
    """Where the next page of rows begins."""

    after_at: datetime
    after_key: str


class DuePage(Answer):
    """Rows in the order in which they are due."""

    rows: Sequence[DueRow]
    next: DueCursor | None


class DueRows(Answer):
    """The rows that were asked for by key, of whichever errand."""

    rows: Sequence[DueRow]


class RowTold(Answer):
    """What became of one row that was acted on, and how it stands now."""

    key: str
    told: Told
    row: DueRow | None


class RowsActedOn(Answer):
    """What an act on rows came to; `done` counts those it changed."""

    rows: Sequence[RowTold]
    done: int


class StageActedOn(Answer):
    """What an act on a stage came to."""

    told: Told
    stage: StageTold


class KeysTold(Answer):
    """How many rows each sealing key seals, by place and key id; `ring` are the ids a service can open with."""

    service: str
    ring: Sequence[str]
    places: Mapping[str, Mapping[str, int]]
    facts_in_hand: int
