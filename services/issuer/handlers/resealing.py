"""Sealing again, while everything runs, what another key than the ring's first has sealed.

A sweep goes through the rows of each such key by number, in small transactions that wait for nobody. What was done is
seen in the rows themselves, so a process that is killed in the middle leaves nothing to tidy: the next sweep finds
what is left. Several processes may sweep at once, for each skips what another holds.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from services.issuer.store import sealed
from shared import metrics, postgres
from shared.logs import get_logger
from shared.sealing import KeyRing, Unopenable

if TYPE_CHECKING:
    from shared.service import Service

BATCH_ROWS: Final = 200
PAUSE_S: Final = 0.02
"""Between two batches, so that issuing has the database for most of the time."""

SWEEP_EVERY_S: Final = 30.0
NUMBERS_TOLD_MAX: Final = 10

logger = get_logger()


class Resealer:
    """The sweep, with the service whose rows it goes through and the ring whose first key seals.

    Attributes:
        unopened: how many rows did not open in the last sweep although their key is in the ring.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self.unopened = 0

    async def run(self, service: "Service") -> None:
        """Sweep for ever; what time heals is waited for."""
        while True:
            try:
                await self.sweep(service.pool)
            except postgres.FAILURES as error:
                if not postgres.is_transient(error):
                    raise
                logger.warning("resealing.deferred", error=postgres.told(error))
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self, pool: "postgres.Pool") -> int:
        """Go once through all rows of all other keys; gives how many were sealed again."""
        first, *_ = self._ring.kids
        async with pool.acquire() as connection:
            others = [kid for kid in await sealed.kids(connection) if kid != first]
        done, unopened = 0, 0
        for kid in others:
            if kid in self._ring.kids:
                again, closed = await self._seal_again(pool, kid)
                done, unopened = done + again, unopened + closed
            else:
                async with pool.acquire() as connection:
                    logger.error("key.missed", kid=kid, rows=await sealed.count(connection, kid))
        self.unopened = unopened
        return done

    async def _seal_again(self, pool: "postgres.Pool", kid: str) -> tuple[int, int]:
        """Seal again what this key has sealed; gives how many rows were, and how many did not open."""
        done, closed, after = 0, 0, ""
        while True:
            async with postgres.transaction(pool) as connection:
                rows = await sealed.take(connection, kid, after, BATCH_ROWS)
                fresh, unopenable = resealed(self._ring, rows)
                await sealed.put(connection, fresh)
            done, closed = done + len(fresh), closed + len(unopenable)
            if unopenable:
                told = unopenable[:NUMBERS_TOLD_MAX]
                logger.error("key.unopenable", kid=kid, rows=len(unopenable), guarantee_numbers=told)
            if rows:
                async with pool.acquire() as connection:
                    left = await sealed.count(connection, kid)
                logger.info("keys.resealed", kid=kid, rows=len(fresh), left=left)
            if len(rows) < BATCH_ROWS:
                return done, closed
            after = rows[-1][0]
            await asyncio.sleep(PAUSE_S)

    async def set_gauges(self, service: "Service") -> None:
        """How many rows each other key seals, and how many of all rows cannot be opened."""
        first, *_ = self._ring.kids
        async with service.pool.acquire() as connection:
            found = await sealed.kids(connection)
            rows = {kid: await sealed.count(connection, kid) for kid in found if kid != first}
        metrics.SEALED_BY_OTHERS.clear()
        for kid in self._ring.kids[1:]:
            metrics.SEALED_BY_OTHERS.labels(kid).set(0)
        for kid, count in rows.items():
            metrics.SEALED_BY_OTHERS.labels(kid).set(count)
        missed = sum(count for kid, count in rows.items() if kid not in self._ring.kids)
        metrics.SEALED_UNOPENABLE.set(missed + self.unopened)


def resealed(ring: KeyRing, rows: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Rows (number, sealed key) sealed by the first key, and the numbers of those that did not open."""
    fresh: list[tuple[str, str]] = []
    unopenable: list[str] = []
    for number, closed in rows:
        try:
            fresh.append((number, ring.seal(ring.open(closed, associated=number), associated=number)))
        except Unopenable:
            unopenable.append(number)
    return fresh, unopenable
