"""The ledger at this moment, and the alarms that follow from it: gaps, and steps that are overdue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.ops.domain.ledger import (
    DIFFERENCE_S_MAX,
    Column,
    Difference,
    Step,
    Verdict,
    column_of,
    differences,
    overdue_before,
    step_of,
    verdict_of,
)
from services.ops.domain.troubles import Unknown
from services.ops.edge.doors import DoorAway, Doors
from services.ops.store import alarms
from services.ops.store import ledger as ledger_store
from services.ops.store.alarms import IDS_MAX, Alarm
from shared import clock
from shared.logs import get_logger
from shared.service import Service

TOLD_BY: Final = ("intake", "issuer")
FIND_EVERY_S: Final = 300.0
LINES_PAGE: Final = 5_000

GAP: Final = "gap"
OVERDUE: Final = "overdue"

_STATUSES_OF: Final[Mapping[Step, Sequence[str]]] = {
    step: [status for status in ("", "requested", "awaiting_conclusion", "in_transit") if step_of(status) is step]
    for step in Step
    if step is not Step.MAILING
}

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Report:
    """The ledger at one moment.

    Attributes:
        requested: lines of accepted applications, by the journal.
        columns: where they stand; their sum is `requested`.
        differences: where a service knows another number right now; what is on its way differs for a moment.
        unasked: services that could not be asked.
        outbox_rows: facts that services have still to announce.
    """

    at: datetime
    applications: int
    requested: int
    columns: Mapping[Column, int]
    told: Mapping[str, Mapping[str, int]]
    differences: Sequence[Difference]
    unasked: Sequence[str]
    outbox_rows: int

    @property
    def verdict(self) -> Verdict:
        """Whether it comes out even, as far as that can be said."""
        return verdict_of(self.requested, self.columns, self.differences, self.unasked)


async def report(service: Service, doors: Doors) -> Report:
    """Put the ledger together: the journal's columns beside what the services count."""
    told: dict[str, Mapping[str, int]] = {}
    unasked: list[str] = []
    outbox_rows = 0
    for name in TOLD_BY:
        try:
            answer = await doors.look(name, "/ledger")
        except DoorAway:
            unasked.append(name)
        else:
            told[name] = answer["counts"]
            outbox_rows += int(answer["outbox_rows"])
    async with service.pool.acquire() as connection:
        counted = await ledger_store.counted(connection)
        applications = await ledger_store.applications(connection)
        parked = await ledger_store.parked(connection)
    columns: Counter[Column] = Counter(dict.fromkeys(Column, 0))
    for one in counted:
        columns[column_of(one.status, one.form, is_parked=False)] += one.lines
    for one in parked:
        columns[column_of(one.status, one.form, is_parked=False)] -= one.lines
        columns[column_of(one.status, one.form, is_parked=True)] += one.lines
    requested = sum(one.lines for one in counted)
    different = differences(columns, applications, told)
    return Report(clock.now(), applications, requested, columns, told, different, unasked, outbox_rows)


@dataclass(slots=True)
class Reconciler:
    """Remembers since when something differs: what is on its way differs for a moment, a gap stays.

    Attributes:
        unknown: since when which services could not be asked, so that nobody knows whether the ledger comes out even.
        suspects: by what and id, when it was first seen to be missing in the journal.
    """

    service: Service
    doors: Doors
    since_s: dict[str, float] = field(default_factory=dict)
    suspects: dict[tuple[str, str], float] = field(default_factory=dict)
    found_s: float | None = None
    report: Report | None = None
    unknown: Unknown | None = None

    async def look(self) -> Report:
        """Compare once, and raise or clear what follows."""
        self.report = found = await report(self.service, self.doors)
        since = found.at if self.unknown is None else self.unknown.since
        self.unknown = Unknown(found.unasked, since) if found.verdict is Verdict.UNKNOWN else None
        now_s = clock.monotonic_s()
        different = {one.what for one in found.differences}
        self.since_s = {what: self.since_s.get(what, now_s) for what in different}
        lasting = [one for one in found.differences if now_s - self.since_s[one.what] >= DIFFERENCE_S_MAX]
        if not found.unasked:
            await self._gaps(lasting, now_s)
        await self._overdue(found.at)
        return found

    async def _gaps(self, lasting: Sequence[Difference], now_s: float) -> None:
        if not lasting:
            self.suspects, self.found_s = {}, None
            await self._sound(GAP, [])
            return
        # The first search names suspects, the next one those that still are; in between what was on its way arrives.
        wait_s = DIFFERENCE_S_MAX if self.suspects else FIND_EVERY_S
        if self.found_s is None or now_s - self.found_s >= wait_s:
            self.found_s = now_s
            missing = [pair for name in TOLD_BY for pair in await self._missing(name)]
            self.suspects = {pair: self.suspects.get(pair, now_s) for pair in missing}
        sure = [pair for pair, since_s in self.suspects.items() if now_s - since_s >= DIFFERENCE_S_MAX]
        found = [
            Alarm(GAP, name, f"the journal lacks what {name} knows", [which for whose, which in sure if whose == name])
            for name in sorted({name for name, _ in sure})
        ]
        # A service that knows less than the journal lost something: there is nothing on its side to find by.
        found += [
            Alarm(GAP, one.what, f"the journal knows {one.journal}, the service {one.service}")
            for one in lasting
            if one.missing < 0
        ]
        await self._sound(GAP, found)

    async def _missing(self, name: str) -> list[tuple[str, str]]:
        """What a service knows, line by line, and the journal does not know or knows otherwise."""
        missing: list[tuple[str, str]] = []
        after: str | None = None
        while True:
            params = {"limit": str(LINES_PAGE)} | ({} if after is None else {"after": after})
            page = await self.doors.look(name, "/ledger/lines", params=params)
            missing += [(name, which) for which in await self._unknown(name, page["lines"])]
            after = page["next_after"]
            if after is None or len(missing) >= IDS_MAX:
                return missing

    async def _unknown(self, name: str, lines: Sequence[Mapping[str, str]]) -> list[str]:
        async with self.service.pool.acquire() as connection:
            if name == "intake":
                return await ledger_store.unknown_applications(connection, [one["correlation"] for one in lines])
            known = await ledger_store.statuses(connection, [(one["correlation"], one["kind"]) for one in lines])
        wrong: list[str] = []
        for one in lines:
            status, form = known.get((one["correlation"], one["kind"]), ("", "electronic"))
            column = column_of(status, form, is_parked=False)
            if one["state"] != (column if column is not Column.WAITING else "waiting"):
                wrong.append(f"{one['correlation']} {one['kind']}")
        return wrong

    async def _overdue(self, now: datetime) -> None:
        found: list[Alarm] = []
        async with self.service.pool.acquire() as connection:
            for step, statuses in _STATUSES_OF.items():
                late = await ledger_store.overdue_lines(connection, statuses, overdue_before(step, now), IDS_MAX)
                found += _late(step, late)
            late = await ledger_store.overdue_mails(connection, overdue_before(Step.MAILING, now), IDS_MAX)
        await self._sound(OVERDUE, [*found, *_late(Step.MAILING, late)])

    async def _sound(self, kind: str, found: Sequence[Alarm]) -> None:
        async with self.service.pool.acquire() as connection, connection.transaction():
            fresh = [alarm for alarm in found if await alarms.sound(connection, alarm)]
            cleared = await alarms.clear_others(connection, kind, [alarm.key for alarm in found])
        for alarm in fresh:
            logger.error("alarm.raised", kind=kind, key=alarm.key, told=alarm.told, ids=list(alarm.ids))
        for key in cleared:
            logger.info("alarm.cleared", kind=kind, key=key)


def _late(step: Step, late: Sequence[ledger_store.Late]) -> list[Alarm]:
    if not late:
        return []
    count = f"{len(late)}{' or more' if len(late) == IDS_MAX else ''}"
    told = f"{count} overdue, the oldest since {late[0].since.astimezone(clock.TOKYO):%Y-%m-%d %H:%M:%S %Z}"
    return [Alarm(OVERDUE, step, told, [one.name for one in late])]
