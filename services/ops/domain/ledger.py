"""The ledger: every line of every accepted application is, at any moment, in exactly one column.

requested = waiting + issued + paper_ordered + declined + refused + parked. The journal gives these columns, and each
service is asked whether it knows the same: what never left a relay is missing in the journal, and shows as a gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.ops.domain.wire import Entry
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import CertificateCreated, GuaranteeIssued, GuaranteeStatusChanged, PaperOrdered
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import CertificateArrived, CertificateRefused


class Column(StrEnum):
    """Where a line stands."""

    WAITING = "waiting"
    ISSUED = "issued"
    PAPER_ORDERED = "paper_ordered"
    DECLINED = "declined"
    REFUSED = "refused"
    PARKED = "parked"


class Verdict(StrEnum):
    """Whether the ledger comes out even; unknown where nobody differs, and not every service could be asked."""

    EVEN = "even"
    UNEVEN = "uneven"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """A part of the way on which a line can stay for too long."""

    TAKING_IN = "taking_in"
    CONCLUSION = "conclusion"
    POSTING = "posting"
    MAILING = "mailing"


OVERDUE_S: Final[Mapping[Step, float]] = {
    Step.TAKING_IN: 300.0,
    # The core system and its people decide; after a week somebody should ask them.
    Step.CONCLUSION: 7 * 24 * 3600.0,
    Step.POSTING: 1_800.0,
    Step.MAILING: 1_800.0,
}
"""After so many seconds a step is overdue, and an alarm tells which."""

DIFFERENCE_S_MAX: Final = 120.0
"""What two services count at the same moment differs by what is on its way; after so long it is a gap."""

ONCE: Final = frozenset(
    kind.TYPE
    for kind in (ApplicationAccepted, CertificateCreated, CertificateArrived, CertificateRefused, PaperOrdered)
)
"""Types of which one subject has one fact for ever; a second one is a double."""

_COLUMN_OF_STATUS: Final[Mapping[str, Column]] = {
    "active": Column.ISSUED,
    "terminated": Column.ISSUED,
    "expired": Column.ISSUED,
    "paper_ordered": Column.PAPER_ORDERED,
    "declined": Column.DECLINED,
    "refused_by_platform": Column.REFUSED,
}
_STEP_OF_STATUS: Final[Mapping[str, Step]] = {
    "": Step.TAKING_IN,
    "requested": Step.TAKING_IN,
    "awaiting_conclusion": Step.CONCLUSION,
    "in_transit": Step.POSTING,
}


@dataclass(frozen=True, slots=True)
class Application:
    """An accepted application as the ledger keeps it; `lines` are (kind, certificate form)."""

    correlation: str
    contractor: str
    project: str
    obligee: str
    lines: tuple[tuple[str, str], ...]
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A line reached a status."""

    correlation: str
    kind: str
    guarantee_number: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail was wished for (`wanted_at`) or ended (`ended_at`)."""

    subject: str
    ordinal: int
    correlation: str
    wanted_at: datetime | None
    ended_at: datetime | None


def applications_of(entries: Iterable[Entry]) -> list[Application]:
    """The applications these entries accept."""
    return [
        Application(
            correlation=entry.correlation,
            contractor=entry.search.get("contractor", ""),
            project=entry.search.get("project", ""),
            obligee=entry.search.get("obligee", ""),
            lines=lines_of(entry.search.get("lines", "")),
            accepted_at=entry.announced_at,
        )
        for entry in entries
        if entry.type == ApplicationAccepted.TYPE
    ]


def lines_of(told: str) -> tuple[tuple[str, str], ...]:
    """The lines of an application, as its journal words tell them: `kind:form,kind:form`."""
    pairs = (line.partition(":") for line in told.split(",") if line)
    return tuple((kind, form) for kind, _, form in pairs)


def moves_of(entries: Iterable[Entry]) -> list[Move]:
    """The changes of status these entries tell."""
    return [
        Move(entry.correlation, entry.search["kind"], entry.subject, entry.search["status"], entry.announced_at)
        for entry in entries
        if entry.type == GuaranteeStatusChanged.TYPE and {"kind", "status"} <= entry.search.keys()
    ]


def mails_of(entries: Iterable[Entry]) -> list[Mail]:
    """The mails these entries wish for or end."""
    return [mail for entry in entries if (mail := _mail(entry)) is not None]


def _mail(entry: Entry) -> Mail | None:
    ordinal = int(told) if (told := entry.search.get("ordinal", "1")).isdecimal() else 1
    # A mail's subject may end in its ordinal; number and version name it everywhere.
    subject = "/".join(entry.subject.split("/")[:2])
    if entry.type == GuaranteeIssued.TYPE and entry.search.get("mail") == "wanted":
        return Mail(subject, ordinal, entry.correlation, entry.announced_at, None)
    if entry.type in (MailSent.TYPE, MailRefused.TYPE):
        return Mail(subject, ordinal, entry.correlation, None, entry.announced_at)
    return None


def ways_of(entries: Iterable[Entry]) -> list[tuple[str, bool, datetime]]:
    """What ends the way of an application: its correlation, whether by mail (or by issue), and when."""
    first = (
        entry for entry in entries if entry.search.get("ordinal", "1") == "1" and entry.subject.split("/")[1:2] == ["1"]
    )
    return [
        (entry.correlation, entry.type == MailSent.TYPE, entry.announced_at)
        for entry in first
        if entry.type in (GuaranteeIssued.TYPE, MailSent.TYPE)
    ]


def column_of(status: str, form: str, *, is_parked: bool) -> Column:
    """Where a line stands, by its last status (empty before the first) and whether a fact of its lies on the desk."""
    column = _COLUMN_OF_STATUS.get(status, Column.WAITING)
    if column is Column.ISSUED and form == "paper":
        return Column.PAPER_ORDERED
    return Column.PARKED if column is Column.WAITING and is_parked else column


def step_of(status: str) -> Step | None:
    """The step a line with this status is on, if it is on any."""
    return _STEP_OF_STATUS.get(status)


def overdue_before(step: Step, now: datetime) -> datetime:
    """Whatever is on this step since before that is overdue."""
    return now - timedelta(seconds=OVERDUE_S[step])


@dataclass(frozen=True, slots=True)
class Difference:
    """The journal and a service count differently; positive `missing` is what the journal lacks."""

    what: str
    journal: int
    service: int

    @property
    def missing(self) -> int:
        """How many the journal lacks; negative if it has more than the service knows."""
        return self.service - self.journal


def verdict_of(
    requested: int, columns: Mapping[Column, int], different: Sequence[Difference], unasked: Sequence[str]
) -> Verdict:
    """What may be said of the ledger: a difference is known whoever else is silent, evenness only when all were asked.

    Args:
        requested: lines of accepted applications, from the journal.
        columns: where they stand, from the journal.
        different: where a service that was asked knows another number.
        unasked: services that could not be asked.
    """
    if different or requested != sum(columns.values()):
        return Verdict.UNEVEN
    return Verdict.UNKNOWN if unasked else Verdict.EVEN


def differences(
    columns: Mapping[Column, int], requested: int, told: Mapping[str, Mapping[str, int]]
) -> list[Difference]:
    """Where a service that was asked knows another number than the journal.

    Args:
        columns: lines by column, from the journal.
        requested: accepted applications, from the journal.
        told: by service, its counts by state; a service that could not be asked is not among them.
    """
    found: list[Difference] = []
    if "intake" in told:
        found.append(Difference("intake: accepted", requested, told["intake"].get("accepted", 0)))
    if "issuer" in told:
        states = told["issuer"]
        pairs: Sequence[tuple[Column, str]] = (
            (Column.ISSUED, "issued"),
            (Column.PAPER_ORDERED, "paper_ordered"),
            (Column.DECLINED, "declined"),
            (Column.REFUSED, "refused"),
        )
        found += [Difference(f"issuer: {name}", columns.get(one, 0), states.get(name, 0)) for one, name in pairs]
    return [one for one in found if one.missing]
