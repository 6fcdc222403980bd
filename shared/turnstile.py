"""Back-pressure at the door: one batch at a time, in rotation between the queues that ask, and none while full.

An `asyncio.Lock` is fair: whoever asked first goes first, and a queue that has just had its turn asks last. So a
flooding portal gets every n-th batch like all the others, and its flood waits in its own queue at the broker.
A caller over HTTP takes no turn, since each brings one thing only; it waits for room for a moment and is then told
to come again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared import postgres
from shared.logs import get_logger

LOOK_AGAIN_S = 0.05
TIGHT_FACTS_MAX = 50
ROOM_S_MAX = 2.0
"""How long a caller over HTTP waits for room; a flood through the queues makes it come and go again and again."""

logger = get_logger()


class Turnstile:
    """What several consumers of one process pass one after another.

    Args:
        is_full: whether so much is under way that nothing more may be taken in.
    """

    def __init__(self, is_full: Callable[[], Awaitable[bool]]) -> None:
        self._is_full = is_full
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[int | None]:
        """Wait for the turn and for room; the turn lasts as long as the block.

        Gives how many facts may be taken, None for any: room that had to be waited for is little.
        """
        async with self._lock:
            waited = False
            while await self._full():
                if not waited:
                    logger.info("turnstile.closed")
                    waited = True
                await asyncio.sleep(LOOK_AGAIN_S)
            yield TIGHT_FACTS_MAX if waited else None

    async def has_room(self) -> bool:
        """Whether there is room, now or within `ROOM_S_MAX`."""
        for _ in range(round(ROOM_S_MAX / LOOK_AGAIN_S)):
            if not await self._full():
                return True
            await asyncio.sleep(LOOK_AGAIN_S)
        return False

    async def _full(self) -> bool:
        try:
            return await self._is_full()
        except postgres.FAILURES:
            # With the database away the batch itself will wait; the turnstile need not know why.
            return False
