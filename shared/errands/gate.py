"""What one process may call of a stage at this moment: the stage as it was last read, and calls in hand to be made."""

from datetime import datetime, timedelta

from shared import clock
from shared.errands import Errand, closing
from shared.errands.stage_store import bucket_of
from shared.errands.stages import Shown, Stage, Standing, permitted, shown

UNLIMITED = 1 << 30
PAUSE_S_MIN = 0.05


class Gate:
    """The way of one process to one stage. Read anew with every sweep; in between, time alone is looked at.

    Attributes:
        stage: the stage as it was last read; None before the first time.
        probe_key: the row with which this process probes.
    """

    def __init__(self, errand: Errand) -> None:
        self.stage: Stage | None = None
        self.probe_key: str | None = None
        self._errand = errand
        self._read_s = 0.0
        self._closes_s: float | None = None
        self._is_open = False
        self._calls_in_hand = 0

    def saw(self, stage: Stage) -> None:
        """Remember the stage as it stands now."""
        weekly = self._errand.closing_hours
        self.stage, self._read_s = stage, clock.monotonic_s()
        self._is_open = shown(stage, weekly, stage.at).standing is Standing.CALLING
        closes_at = closing.closes_next(weekly, stage.announced, stage.at)
        self._closes_s = None if closes_at is None else self._read_s + (closes_at - stage.at).total_seconds()

    @property
    def is_open(self) -> bool:
        """Whether every slot may be used."""
        return self._is_open and (self._closes_s is None or clock.monotonic_s() < self._closes_s)

    @property
    def slots(self) -> int:
        """How many calls may be in flight, a probe apart."""
        if self.is_open:
            return self._errand.slots
        if self.stage is None:
            return 0
        return permitted(self.stage, self._errand.closing_hours, self._errand.slots, self._now(self.stage))

    @property
    def shown(self) -> Shown | None:
        """The stage for people and metrics; None before it was read."""
        return None if self.stage is None else shown(self.stage, self._errand.closing_hours, self._now(self.stage))

    def _now(self, stage: Stage) -> datetime:
        """The database's time, by which all processes agree."""
        return stage.at + timedelta(seconds=clock.monotonic_s() - self._read_s)

    @property
    def calls_in_hand(self) -> int:
        """How many calls may be begun before this process must ask for the right to more."""
        return UNLIMITED if self._errand.calls_per_s_max is None else self._calls_in_hand

    @property
    def calls_wanted(self) -> int:
        """The right to how many calls should be asked for with the next sweep."""
        if self._errand.calls_per_s_max is None:
            return 0
        hand = int(bucket_of(self._errand.calls_per_s_max))
        return hand - self._calls_in_hand if self._calls_in_hand * 2 < hand else 0

    @property
    def pause_s_max(self) -> float | None:
        """How long to wait at most before asking for calls again; None when there are some in hand."""
        if self._errand.calls_per_s_max is None or self._calls_in_hand:
            return None
        return max(1.0 / self._errand.calls_per_s_max, PAUSE_S_MIN)

    def grant(self, calls: int) -> None:
        """Take the right to so many calls in hand."""
        self._calls_in_hand += calls

    def spend(self) -> None:
        """A call is begun."""
        if self._errand.calls_per_s_max is not None:
            self._calls_in_hand -= 1
