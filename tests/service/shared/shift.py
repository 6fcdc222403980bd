"""A living errand as an operator meets it, and everything it told of holds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.errands import Errand, Held, due_store
from shared.errands.due_store import Which
from shared.service.running import Running
from shared.work import Work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.outside import NAME, Outside

SERVICE = "notifier"


@dataclass
class Shift:
    """A living errand and everything it told of holds."""

    life: Running
    outside: Outside
    errand: Errand
    told: list[tuple[str, str, int, str]] = field(default_factory=list)

    async def act(self, act: Any, *what: Any, **how: Any) -> Any:
        """One act of an operator."""
        return await act(self.life.desk(), self.errand, *what, **{"by": "sato", **how})

    async def rows(self, which: Which, **how: Any) -> Sequence[due_store.Row]:
        """The rows an operator sees."""
        async with self.life.pool.acquire() as connection:
            return await due_store.rows(connection, NAME, which, **how)

    async def counts(self) -> due_store.Counts:
        """What the ledger is told."""
        async with self.life.pool.acquire() as connection:
            return await due_store.counts(connection, NAME)


@asynccontextmanager
async def shift(stack: Servers, **outside: Any) -> AsyncIterator[Shift]:
    """An operator's shift at one errand."""
    made: list[Shift] = []
    door = Outside(**outside)

    async def held(rows: Sequence[Held], work: Work) -> None:
        made[0].told += [("held", one.key, one.hold_no, one.reason) for one in rows]

    async def released(rows: Sequence[Held], work: Work) -> None:
        made[0].told += [("released", one.key, one.hold_no, one.reason) for one in rows]

    errand = door.errand(held=held, released=released)
    async with living(stack, SERVICE, errands=[errand]) as life:
        await eventually(lambda: life.runners[NAME].gate.is_open)
        made.append(Shift(life, door, errand))
        yield made[0]
