"""An outside for errands: it notes each call, answers as told, and waits while its door is closed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errands import Claimed, Due, Ended, Errand, Outcome, Settled
from shared.work import Desk, Work, unit_of_work

NAME = "call"


@dataclass
class Outside:
    """What an errand calls, and the recorder behind it.

    Attributes:
        answers: by key, the outcomes of its next calls (an exception is raised); afterwards `Settled(key)`.
        closed: while it is cleared, calls hang.
        unrecordable: keys at which the recorder raises.
    """

    answers: dict[str, list[Outcome | BaseException]] = field(default_factory=dict)
    otherwise: Callable[[Claimed], Outcome] | None = None
    unrecordable: dict[str, Exception] = field(default_factory=dict)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[Claimed] = field(default_factory=list)
    told: list[tuple[Sequence[Ended], Work]] = field(default_factory=list)
    calling: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    one_row_at_once: int = 0

    def __post_init__(self) -> None:
        self.closed.set()

    async def call(self, row: Claimed) -> Outcome:
        self.calls.append(row)
        self.calling[row.key] += 1
        self.at_once = max(self.at_once, self.calling.total())
        self.one_row_at_once = max(self.one_row_at_once, self.calling[row.key])
        try:
            await self.closed.wait()
            told = self.answers.get(row.key)
            outcome = told.pop(0) if told else self.otherwise(row) if self.otherwise else Settled(row.key)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome
        finally:
            self.calling[row.key] -= 1

    async def record(self, ended: Sequence[Ended], work: Work) -> None:
        for row, _ in ended:
            if row.key in self.unrecordable:
                raise self.unrecordable[row.key]
        self.told.append((ended, work))

    def errand(self, **changes: Any) -> Errand:
        """The errand that calls it."""
        return Errand(**{"name": NAME, "call": self.call, "record": self.record, "slots": 4, **changes})

    @property
    def called(self) -> list[str]:
        """The key of each call, in order."""
        return [row.key for row in self.calls]

    @property
    def recorded(self) -> list[tuple[str, object]]:
        """Each key with what came of it, as far as that has become true."""
        return [(row.key, result) for ended, work in self.told if work.committed for row, result in ended]

    @property
    def records(self) -> list[int]:
        """How many rows each commit recorded."""
        return [len(ended) for ended, work in self.told if work.committed]

    @property
    def settled(self) -> Counter[str]:
        """How often each key was recorded."""
        return Counter(key for key, _ in self.recorded)


async def due(desk: Desk, *rows: Due) -> None:
    """Make these due in one unit of work."""
    async with unit_of_work(desk) as work:
        work.make_due(NAME, rows)


def row(key: str, turn_of: str = "portal-a", *, order: int | None = None) -> Due:
    """One row; with `order`, the key in front of the slash orders it."""
    order_key = key.partition("/")[0] if order is not None else None
    return Due(key, turn_of, key.encode(), f"{turn_of}/{key}", order_key=order_key, order_no=order)
