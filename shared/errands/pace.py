"""How fast the rows of one errand go through one process, and so how many of them it should hold."""

import asyncio
import math
from collections.abc import Iterable

from shared import clock
from shared.errands import Outcome, Settled
from shared.filling import FILL_S_MAX, fill_s

RECORDED_ROWS_MAX = 200
"""Rows of one commit at most, and outcomes that may wait to be recorded."""

WAITING_PER_SLOT_MAX = 2
AHEAD_S = 0.25
"""How long the rows in memory last at the present pace: few claims when calls are quick, short turns when slow."""

AHEAD_ROWS_MAX = 200


class Pace:
    """Counts what is in flight and how fast it ends.

    A slot is free again when the outside has said its last word on a row, and after anything else when that is
    recorded: so one commit serves more rows than there are slots, and an outside that fails is called no faster than
    its failures are known.
    """

    def __init__(self) -> None:
        self.slots_taken = 0
        self._filling_s = 0.0
        self._ended_per_s = 0.0
        self._recorded_at_s = clock.monotonic_s()
        self._looked_at_s = -math.inf

    def begun(self) -> None:
        """A call begins."""
        self.slots_taken += 1

    def ended(self, outcome: Outcome) -> None:
        """A call has ended and waits to be recorded."""
        if isinstance(outcome, Settled):
            self.slots_taken -= 1

    def has_slot(self, slots: int, calling: int) -> bool:
        """Whether another call may begin; `calling` counts those that wait to be recorded too."""
        return self.slots_taken < slots and calling - self.slots_taken < RECORDED_ROWS_MAX

    async def filled(self, waiting: int) -> None:
        """Let the next commit fill a moment, if calls end fast enough for that."""
        if self._filling_s and waiting < RECORDED_ROWS_MAX:
            await asyncio.sleep(self._filling_s)

    def may_look(self, every_s: float) -> bool:
        """Whether it is time again for what need not be done with every sweep."""
        if clock.monotonic_s() - self._looked_at_s < every_s:
            return False
        self._looked_at_s = clock.monotonic_s()
        return True

    def recorded(self, outcomes: Iterable[Outcome]) -> None:
        """These are committed together."""
        settled = [isinstance(outcome, Settled) for outcome in outcomes]
        self.slots_taken -= settled.count(False)
        now_s = clock.monotonic_s()
        within_s = now_s - self._recorded_at_s
        self._filling_s = fill_s(len(settled), within_s)
        self._ended_per_s = len(settled) / max(within_s, FILL_S_MAX)
        self._recorded_at_s = now_s

    def rows_ahead(self, slots: int, *, is_open: bool) -> int:
        """How many rows memory should hold, in calls or waiting; on a stage that is not quite open no more than few."""
        at_this_pace = min(AHEAD_ROWS_MAX, int(self._ended_per_s * AHEAD_S)) if is_open else 0
        return max(slots * WAITING_PER_SLOT_MAX, at_this_pace)
