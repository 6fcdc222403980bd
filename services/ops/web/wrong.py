"""What is wrong at this moment, put together once: the front page and the command line tell the same."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.ops.domain.troubles import Heap, Level, Raised, Seen, Trouble, troubles_of
from services.ops.handlers.watching import seen
from services.ops.store import alarms, desk
from services.ops.store import ledger as ledger_store
from services.ops.web.means import Means
from shared import postgres
from shared.errors import Transient

ALARMS_MAX: Final = 200
REFUSED_TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong; `database_is_away` if what ops itself keeps could not be looked at."""

    at: datetime
    troubles: list[Trouble]
    database_is_away: bool

    @property
    def level(self) -> Level | None:
        """How soon a person must look; None where nobody must."""
        pressing = [one.level for one in self.troubles if one.level is not Level.NOTE]
        return Level.NOW if self.database_is_away else min(pressing, default=None)


async def wrong_now(means: Means) -> Wrong:
    """Everything that is wrong, the most pressing first."""
    flow = means.watch.flow or await means.watch.look()
    now = replace(seen(flow), unknown=means.reconciler.unknown)
    kept = await _kept(means, now)
    return Wrong(flow.at, troubles_of(kept or now, means.watch.since), kept is None)


async def _kept(means: Means, now: Seen) -> Seen | None:
    """The same with what ops wrote down; None when its own database does not answer."""
    try:
        async with means.service.pool.acquire() as connection:
            groups = await desk.groups(connection)
            listed = await alarms.listed(connection, ALARMS_MAX)
            refused = await ledger_store.refused(connection, REFUSED_TOLD_MAX)
    except (*postgres.FAILURES, Transient):
        return None
    heaps = [Heap(one.consumer, one.code, one.facts, one.first_at, one.reason) for one in groups]
    raised = [Raised(one.kind, one.key, one.told, one.ids, one.raised_at) for one in listed if one.cleared_at is None]
    return replace(now, heaps=heaps, alarms=raised, refused=refused)
