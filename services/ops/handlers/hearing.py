"""What ops does with what it hears: keep it, in a chain, and note what it means for the ledger."""

from collections import Counter
from collections.abc import Sequence

from services.ops.domain import journal, ledger
from services.ops.domain.wire import Entry, Parked, Record
from services.ops.store import alarms, desk
from services.ops.store import journal as journal_store
from services.ops.store import ledger as ledger_store
from services.ops.store.alarms import Alarm
from shared import metrics
from shared.logs import get_logger
from shared.work import Work

DOUBLE = "double"

logger = get_logger()


async def note_records(records: Sequence[Record], work: Work) -> None:
    """Write the announcements into the journal, each once, however often its record comes."""
    entries = {
        (entry.fact_id, entry.digest): entry
        for record in records
        if record.entries is not None
        for entry in record.entries
    }
    if entries:
        await _write(list(entries.values()), work)
    unread = [_unread(record) for record in records if record.entries is None]
    if unread:
        await desk.add(work.connection, unread)


async def _write(entries: Sequence[Entry], work: Work) -> None:
    connection = work.connection
    await journal_store.lock(connection)
    known = await journal_store.known(connection, {entry.fact_id for entry in entries})
    fresh = [entry for entry in entries if (entry.fact_id, entry.digest) not in known]
    if not fresh:
        return
    head = await journal_store.head(connection)
    batch = journal.append(head, [journal.line_of(entry, work.now) for entry in fresh])
    await _look_for_doubles(fresh, {identity for identity, _ in known}, work)
    await journal_store.add(connection, batch, fresh, work.now, head.entries)
    await _note_in_ledger(fresh, work)
    await _measure_ways(fresh, work)


async def _look_for_doubles(fresh: Sequence[Entry], known: set[object], work: Work) -> None:
    found = [
        Alarm(DOUBLE, f"{entry.type} {entry.fact_id}", "one fact id came with two contents", [entry.correlation])
        for entry in fresh
        if entry.fact_id in known
    ]
    once = [entry for entry in fresh if entry.type in ledger.ONCE]
    times = Counter((entry.type, entry.subject) for entry in once)
    before = await journal_store.told_before(work.connection, once) if once else []
    before += [(entry.type, entry.subject, entry.correlation) for entry in once if times[entry.type, entry.subject] > 1]
    found += [Alarm(DOUBLE, f"{kind} {about}", "told twice of one thing", [whose]) for kind, about, whose in before]
    await _raise(found, work)


async def _note_in_ledger(fresh: Sequence[Entry], work: Work) -> None:
    applications = ledger.applications_of(fresh)
    if applications:
        await ledger_store.add_applications(work.connection, applications)
    moves = ledger.moves_of(fresh)
    if moves:
        numbers = await ledger_store.move(work.connection, moves)
        other = [
            one
            for one in moves
            if numbers.get((one.correlation, one.kind), one.guarantee_number) != one.guarantee_number
        ]
        told = "one line of an application has two guarantee numbers"
        await _raise(
            [Alarm(DOUBLE, f"{one.correlation} {one.kind}", told, [one.guarantee_number]) for one in other], work
        )
    mails = ledger.mails_of(fresh)
    if mails:
        await ledger_store.note_mails(work.connection, mails)


async def _measure_ways(fresh: Sequence[Entry], work: Work) -> None:
    ways = ledger.ways_of(fresh)
    if ways:
        begun = await ledger_store.accepted_at(work.connection, [correlation for correlation, *_ in ways])
        for correlation, is_mail, at in ways:
            if correlation in begun:
                way = metrics.MAILED if is_mail else metrics.ISSUED
                way.observe(max(0.0, (at - begun[correlation]).total_seconds()))


async def _raise(found: Sequence[Alarm], work: Work) -> None:
    for alarm in sorted(found, key=lambda one: one.key):
        if await alarms.sound(work.connection, alarm):
            logger.error("alarm.raised", kind=alarm.kind, key=alarm.key, told=alarm.told, ids=list(alarm.ids))


async def lay_on_desk(parked: Sequence[Parked], work: Work) -> None:
    """Keep what no handler could take, with its whole content, for a person."""
    await desk.add(work.connection, parked)


async def keep_unread(item: Record | Parked, code: str, reason: str, work: Work) -> None:
    """The desk parks on itself: it has nobody behind it."""
    await desk.add(work.connection, [_unread(item, code, reason)])


def _unread(item: Record | Parked, code: str = "unreadable", reason: str = "not a journal record") -> Parked:
    return Parked(item.id, item.digest, None, "ops", code, reason.replace("\x00", ""), "", "", "", item.body)
