"""Two processes' worth of one service, and an outside that is well or away."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.errands import Claimed, Later, Outcome, Settled, Sign
from shared.errands.breaker import Breaker
from shared.service.running import Running
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.outside import NAME, Outside

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

SERVICE = "notifier"
SLOTS = 4


@dataclass
class Weather:
    """An outside that is well or away, and two processes that call it."""

    lives: list[Running] = field(default_factory=list)
    outside: Outside = field(default_factory=Outside)
    away: Outcome | None = None
    poison: frozenset[str] = frozenset()

    def answer(self, claimed: Claimed) -> Outcome:
        if self.away is not None:
            return self.away
        if claimed.key in self.poison:
            return Later("always so", after_s=0.05, unknown=True, sign=Sign.FAILING)
        return Settled(claimed.key)

    def breakers(self) -> set[Breaker | None]:
        """What each process believes."""
        stages = [life.runners[NAME].gate.stage for life in self.lives]
        return {None if stage is None else stage.circuit.breaker for stage in stages}

    def standings(self) -> set[str]:
        """What each process would show."""
        return {life.stages()[NAME]["standing"] for life in self.lives}

    def rests(self) -> bool:
        """Whether no process holds a row."""
        return all(life.runners[NAME].in_hand == 0 for life in self.lives)


FAILING = Later("reset", unknown=True, sign=Sign.FAILING)


@asynccontextmanager
async def weather(stack: Servers, **changes: Any) -> AsyncIterator[Weather]:
    """Two processes' worth of one service, and their outside."""
    made = Weather()
    made.outside.otherwise = made.answer
    async with AsyncExitStack() as closing:
        for _ in range(2):
            errand = made.outside.errand(**{"slots": SLOTS, **changes})
            made.lives.append(await closing.enter_async_context(living(stack, SERVICE, errands=[errand])))
        await eventually(lambda: made.breakers() == {Breaker.CLOSED})
        yield made


def edges(logged: Ear) -> list[str]:
    """Every edge that a stage took without a warning, in order."""
    return [line["edge"] for line in logged.heard("info", "stage.moved")]


async def stage_row(tables: "Tables") -> Any:
    """The row of the stage, with how long it waits from now."""
    return await tables.fetchrow("select *, closed_until - now() as wait from notifier.stage where errand = $1", NAME)


async def rows_where(tables: "Tables", condition: str) -> int:
    """How many rows the errand has of this kind."""
    return int(await tables.fetchval(f"select count(*) from notifier.errand where {condition}"))
