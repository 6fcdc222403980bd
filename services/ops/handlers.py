"""What ops does with what it hears: keep it."""

from collections.abc import Sequence

from services.ops import store
from services.ops.domain import Parked, Record
from shared.logs import get_logger
from shared.work import Work

logger = get_logger()


async def note_records(records: Sequence[Record], work: Work) -> None:
    """Write the announcements into the journal, each once, however often its record comes."""
    entries = [entry for record in records if record.entries is not None for entry in record.entries]
    await store.add_entries(work.connection, entries)
    unread = [_unread(record) for record in records if record.entries is None]
    if unread:
        await store.add_parked(work.connection, unread)


async def lay_on_desk(parked: Sequence[Parked], work: Work) -> None:
    """Keep what no handler could take, with its whole content, for a person."""
    await store.add_parked(work.connection, parked)


async def keep_unread(item: Record | Parked, code: str, reason: str, work: Work) -> None:
    """The desk parks on itself: it has nobody behind it."""
    await store.add_parked(work.connection, [_unread(item, code, reason)])


def _unread(item: Record | Parked, code: str = "unreadable", reason: str = "not a journal record") -> Parked:
    return Parked(item.id, item.digest, None, "ops", code, reason.replace("\x00", ""), "", "", "", item.body)
