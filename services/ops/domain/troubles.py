"""What is wrong at this moment, in the order in which a person at night should look at it.

Each trouble says what, about what, since when, how many and why; its name is the heading of the runbook that tells what
to press. What is planned (an outside's closing hours) and what mends itself is told too, but as a note.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

OUTBOX_S_MAX: Final = 120.0
WAIT_S_MAX: Final = 600.0
"""An outside that is not there, or asks to wait for longer than this, is one that fails."""

OLD_CALL_S_MAX: Final = 3_600.0
MANY_PARKED_FACTS: Final = 50
HEAPS_TOLD_MAX: Final = 4
"""Heaps of the desk that are told one by one; a deployment with a bug makes dozens, and one page must hold it all."""

REFUSED_WHY: Final = "the platform does not take what stands in them"

LEDGER_ALARMS: Final = frozenset({"gap", "double"})


class Level(IntEnum):
    """How soon a person must look."""

    NOW = 0
    SOON = 1
    NOTE = 2


class Kind(StrEnum):
    """What can be wrong; each is a heading of the runbook."""

    SERVICE_DOWN = "ServiceDown"
    SERVICE_NOT_READY = "ServiceNotReady"
    DATABASE_AWAY = "DatabaseAway"
    BROKER_AWAY = "BrokerAway"
    CONSUMER_MISSING = "ConsumerMissing"
    MESSAGES_WITHOUT_CONSUMER = "MessagesWithoutConsumer"
    OUTBOX_STUCK = "OutboxStuck"
    FACTS_NOT_TAKEN = "FactsNotTaken"
    LEDGER_BROKEN = "LedgerBroken"
    BROKER_NOT_AS_PLANNED = "BrokerNotAsPlanned"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    OUTSIDE_FAILING = "OutsideFailing"
    MANY_FACTS_PARKED = "ManyFactsParked"
    FACTS_PARKED = "FactsParked"
    CERTIFICATES_REFUSED = "CertificatesRefused"
    ROWS_HELD = "RowsHeld"
    STAGE_PAUSED = "StagePaused"
    ERRANDS_OLD = "ErrandsOld"
    STEP_OVERDUE = "StepOverdue"
    LEDGER_UNKNOWN = "LedgerUnknown"


_SOON: Final = frozenset(
    {
        Kind.FACTS_PARKED,
        Kind.CERTIFICATES_REFUSED,
        Kind.ROWS_HELD,
        Kind.STAGE_PAUSED,
        Kind.ERRANDS_OLD,
        Kind.STEP_OVERDUE,
        Kind.LEDGER_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong.

    Attributes:
        about: the service, queue, errand or alarm it is about.
        why: the reason as the one who noticed it told; words of outsiders may be in it.
        since: when it began or was first seen; None when nobody knows yet.
        count: how many messages, rows, facts, lines or ids.
        ids: some of them, where they are applications or guarantees.
        service: whose door it was seen at, where it was.
    """

    kind: Kind
    about: str
    why: str = ""
    since: datetime | None = None
    count: int | None = None
    ids: Sequence[str] = ()
    service: str = ""
    level: Level = Level.NOW

    @property
    def key(self) -> tuple[str, str]:
        """By which it is known again at the next look."""
        return (self.kind, self.about)


@dataclass(frozen=True, slots=True)
class Heap:
    """Open facts on the desk of one hearer and one code."""

    consumer: str
    code: str
    facts: int
    first_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that is not cleared."""

    kind: str
    key: str
    told: str
    ids: Sequence[str]
    raised_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Certificates that the platform refused and nobody has mended yet."""

    lines: int
    since: datetime | None
    numbers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """The ledger cannot be said to come out even: these services could not be asked, since then."""

    services: Sequence[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is looked at.

    Attributes:
        services: by service, what its door says; None when it does not answer.
        queues: by queue of ours, messages and consumers; None when the broker does not answer.
    """

    at: datetime
    services: Mapping[str, Mapping[str, Any] | None]
    queues: Mapping[str, tuple[int, int]] | None
    heaps: Sequence[Heap] = ()
    alarms: Sequence[Raised] = ()
    refused: Refused = field(default=Refused(0, None))
    unknown: Unknown | None = None


def troubles_of(seen: Seen, since: Mapping[tuple[str, str], datetime]) -> list[Trouble]:
    """All that is wrong, the most pressing and then the oldest first.

    `since` tells when a trouble that knows no beginning of its own was first seen.
    """
    found = [
        *_of_services(seen),
        *_of_queues(seen),
        *_of_desk(seen.heaps),
        *_of_alarms(seen.alarms),
        *_of_refused(seen.refused),
        *_of_ledger(seen.unknown),
    ]
    dated = [one if one.since is not None else replace(one, since=since.get(one.key)) for one in found]
    leveled = [replace(one, level=Level.SOON) if one.kind in _SOON and one.level is Level.NOW else one for one in dated]
    return sorted(leveled, key=lambda one: (one.level, one.since or seen.at, one.kind, one.about))


def _of_services(seen: Seen) -> Iterator[Trouble]:
    for name, state in seen.services.items():
        if state is None:
            yield Trouble(Kind.SERVICE_DOWN, name, service=name)
            continue
        reasons: Mapping[str, str] = state["reasons"]
        if not state["ready"]:
            why = "; ".join(f"{what}: {told}" for what, told in reasons.items())
            yield Trouble(_kind_of(reasons), name, why, service=name)
        yield from _of_outbox(name, state["outbox"], seen.at)
        for stage in state["stages"]:
            yield from _of_stage(name, stage, seen.at)


def _kind_of(reasons: Mapping[str, str]) -> Kind:
    by_reason = {
        "database": Kind.DATABASE_AWAY,
        "broker": Kind.BROKER_AWAY,
        "consumers": Kind.CONSUMER_MISSING,
    }
    return next((kind for reason, kind in by_reason.items() if reason in reasons), Kind.SERVICE_NOT_READY)


def _of_outbox(name: str, outbox: Mapping[str, Any], at: datetime) -> Iterator[Trouble]:
    oldest_at = read_moment(outbox["oldest_at"])
    why = outbox["last_error"] or ""
    if outbox["failing"]:
        yield Trouble(Kind.FACTS_NOT_TAKEN, name, why, oldest_at, outbox["failing"], service=name)
    elif oldest_at is not None and at - oldest_at > timedelta(seconds=OUTBOX_S_MAX):
        yield Trouble(Kind.OUTBOX_STUCK, name, why, oldest_at, outbox["rows"], service=name)


def _of_stage(name: str, stage: Mapping[str, Any], at: datetime) -> Iterator[Trouble]:
    errand, standing, rows = stage["errand"], stage["standing"], stage["rows"]
    waits = rows["due"] + rows["waiting"] + rows["calling"]
    since, oldest_at = read_moment(stage["since"]), read_moment(rows["oldest_at"])
    why = stage["reason"] or ""
    by_standing = {"our_fault": Kind.CREDENTIALS_REFUSED, "failing": Kind.OUTSIDE_FAILING, "paused": Kind.STAGE_PAUSED}
    is_old = oldest_at is not None and at - oldest_at > timedelta(seconds=OLD_CALL_S_MAX)
    if standing in by_standing:
        paused = stage["paused"]
        told = f"{paused['by']}: {paused['reason']}" if paused else why
        yield Trouble(by_standing[standing], errand, told, since, waits, service=name)
    elif standing in ("waiting", "closed_hours"):
        is_lasting = standing == "waiting" and since is not None and at - since > timedelta(seconds=WAIT_S_MAX)
        level = Level.NOW if is_lasting else Level.NOTE
        yield Trouble(Kind.OUTSIDE_FAILING, errand, why or standing, since, waits, service=name, level=level)
    elif waits and is_old:
        yield Trouble(Kind.ERRANDS_OLD, errand, why, oldest_at, waits, service=name)
    elif rows["waiting"]:
        # It failed and is tried again by itself; a person need not act, but may want to see why.
        yield Trouble(Kind.ERRANDS_OLD, errand, why, oldest_at, rows["waiting"], service=name, level=Level.NOTE)
    if rows["held"]:
        yield Trouble(Kind.ROWS_HELD, errand, "", oldest_at, rows["held"], service=name)


def _of_queues(seen: Seen) -> Iterator[Trouble]:
    if seen.queues is None:
        yield Trouble(Kind.BROKER_AWAY, "ops")
        return
    for queue, (messages, consumers) in seen.queues.items():
        if messages and not consumers:
            yield Trouble(Kind.MESSAGES_WITHOUT_CONSUMER, queue, count=messages)


def _of_desk(heaps: Sequence[Heap]) -> Iterator[Trouble]:
    ordered = sorted(heaps, key=lambda one: -one.facts)
    others = ordered[HEAPS_TOLD_MAX:]
    if others:
        facts, first_at = sum(one.facts for one in others), min(one.first_at for one in others)
        yield Trouble(Kind.FACTS_PARKED, f"+{len(others)}", "", first_at, facts)
    for one in ordered[:HEAPS_TOLD_MAX]:
        kind = Kind.MANY_FACTS_PARKED if one.facts > MANY_PARKED_FACTS else Kind.FACTS_PARKED
        yield Trouble(kind, f"{one.consumer} {one.code}", one.reason, one.first_at, one.facts)


def _of_alarms(alarms: Sequence[Raised]) -> Iterator[Trouble]:
    for one in alarms:
        kind = Kind.BROKER_NOT_AS_PLANNED
        if one.kind in LEDGER_ALARMS:
            kind = Kind.LEDGER_BROKEN
        elif one.kind == "overdue":
            kind = Kind.STEP_OVERDUE
        about, why = f"{one.kind}: {one.key}", one.told
        if one.kind == "doctor":
            # A finding begins with what was looked at, and is the alarm's name as a whole.
            about, _, why = one.told.partition(": ")
        yield Trouble(kind, about, why, one.raised_at, len(one.ids) or None, one.ids)


def _of_refused(refused: Refused) -> Iterator[Trouble]:
    if refused.lines:
        yield Trouble(Kind.CERTIFICATES_REFUSED, "platform", REFUSED_WHY, refused.since, refused.lines, refused.numbers)


def _of_ledger(unknown: Unknown | None) -> Iterator[Trouble]:
    if unknown is not None:
        yield Trouble(Kind.LEDGER_UNKNOWN, ", ".join(unknown.services), "", unknown.since, len(unknown.services))


def read_moment(told: str | datetime | None) -> datetime | None:
    """A moment as a door tells it."""
    return datetime.fromisoformat(told) if isinstance(told, str) else told
