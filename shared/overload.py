"""When a service has let in so much that more would only wait further on: in its outbox, or at those who hear it.

A flood is to wait where it delays its sender alone, in the sender's own queue at the door. Behind the door everybody's
facts share queues, and what waits in the broker's is passed by nobody. So the door is shut while the hearers have not
even fetched what was told last; what they have fetched they take in turns between the portals.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from shared import clock, outbox
from shared.publisher import Publisher, Queued

if TYPE_CHECKING:
    from shared import postgres

OUTBOX_ROWS_MAX: Final = 2_000

AWAY_PACKS_MAX: Final = 1_000
"""Packs that may wait for a hearer that is away: its restart must not shut the door to everybody."""

ON_THEIR_WAY_PACKS_MAX: Final = 8
"""Packs that may lie in the queue of a hearer that is there. A pack that has just been told lies there for a moment
before it is fetched; a door that shuts for that stands shut half of the time.
"""

LOOK_EVERY_S: Final = 0.05
LOOK_AT_REST_EVERY_S: Final = 1.0
"""While nothing of ours is on its way, little was let in since the last look; and a look takes three round trips."""


class Overload:
    """Looks at the outbox and at the queues of the hearers, and remembers what it saw for a moment.

    Args:
        on_their_way: how many rows are committed here and not yet confirmed by the broker.
    """

    def __init__(
        self, pool: "postgres.Pool", publisher: Publisher, hearers: Sequence[str], on_their_way: Callable[[], int]
    ) -> None:
        self._pool, self._publisher, self._hearers, self._on_their_way = pool, publisher, hearers, on_their_way
        self._looked_s = -LOOK_EVERY_S
        self._reached = False

    async def is_reached(self) -> bool:
        """Whether nothing more should be let in for now."""
        now_s = clock.monotonic_s()
        if now_s - self._looked_s >= (LOOK_EVERY_S if self._reached or self._on_their_way() else LOOK_AT_REST_EVERY_S):
            # Noted first, so that of many who ask at once only one looks.
            self._looked_s = now_s
            self._reached = await self._hearers_lag() or await self._outbox_is_full()
        return self._reached

    async def _hearers_lag(self) -> bool:
        return any([_lags(await self._publisher.look_into(queue)) for queue in self._hearers])

    async def _outbox_is_full(self) -> bool:
        async with self._pool.acquire() as connection:
            return await outbox.depth(connection, OUTBOX_ROWS_MAX + 1) > OUTBOX_ROWS_MAX


def _lags(queued: Queued) -> bool:
    # A hearer fetches far ahead of its work; so none stands idle because the door is shut at unfetched packs.
    return queued.messages > (ON_THEIR_WAY_PACKS_MAX if queued.consumers else AWAY_PACKS_MAX)
