"""Faults of clocks: the time of day of one process jumps forwards or backwards, and back again at the end."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.faults.kinds import NothingHit
from tests.faults.pauses import lapse
from tests.faults.world import World

NEAR_S_MAX: Final = 240.0
"""Inside the five minutes by which two clocks may disagree; beyond them the bridge holds arrivals for a person."""

FAR_S_MIN: Final = -400 * 24 * 3_600.0
FAR_S_MAX: Final = 4 * 24 * 3_600.0
"""Short of the five days after which the notifier gives a mail up; backwards there is no such end."""

LOG_LINES_READ: Final = 20
SEEN_WITHIN: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ClockJumped:
    """A service's clock is wrong by so many seconds for a while."""

    name: str
    by_s: float
    lasts_s: float

    @property
    def kind(self) -> str:
        """Both directions are kinds."""
        return f"clock jumps {'forwards' if self.by_s > 0 else 'backwards'}"

    async def strike(self, world: World) -> None:
        """Set the clock wrong and right again; the service's own log must show the wrong time in between."""
        world.tally.note("clock", self.name)
        world.set_clock(self.name, self.by_s)
        try:
            await lapse(self.lasts_s)
            if not _was_seen(world.system.log(self.name, LOG_LINES_READ), timedelta(seconds=self.by_s)):
                raise NothingHit(f"{self.name} has not looked at its clock")
        finally:
            world.set_clock(self.name, 0.0)


def _was_seen(log: str, by: timedelta) -> bool:
    return any(abs(told - datetime.now(UTC) - by) < SEEN_WITHIN for told in map(_time_of, log.splitlines()) if told)


def _time_of(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(line)["at"])
    except (ValueError, KeyError, TypeError):
        # What a process says while it dies need not be a line of a log.
        return None
