"""Back-pressure at the door: one batch at a time, in rotation between the queues that ask, and none while full.

An `asyncio.Lock` is fair: whoever asked first goes first, and a queue that has just had its turn asks last. So a
flooding portal gets every n-th batch like all the others, and its flood waits in its own queue at the broker.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared import postgres
from shared.logs import get_logger

LOOK_AGAIN_S = 0.05

logger = get_logger()


class Turnstile:
    """What several consumers of one process pass one after another.

    Args:
        is_full: whether so much waits to go out that nothing more may be taken in.
    """

    def __init__(self, is_full: Callable[[], Awaitable[bool]]) -> None:
        self._is_full = is_full
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Wait for the turn and for room; the turn lasts as long as the block."""
        async with self._lock:
            waited = False
            while await self._full():
                if not waited:
                    logger.info("turnstile.closed")
                    waited = True
                await asyncio.sleep(LOOK_AGAIN_S)
            yield

    async def _full(self) -> bool:
        try:
            return await self._is_full()
        except postgres.FAILURES:
            # With the database away the batch itself will wait; the turnstile need not know why.
            return False
