"""Outages of the whole platform, switched on and off by hand."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.clock import monotonic_s
from simulators.platform.answers import Answer, status_answer
from simulators.platform.magic import RetryAfter, Travel

ModeName = Literal["normal", "503", "500", "401", "403", "429", "reset", "silence", "maintenance"]
RETRY_AFTER_S_DEFAULT = 1.0
SECONDS_MAX = 604_800.0


class Mode(BaseModel):
    """What `POST /admin/mode` takes; without `seconds` it lasts until it is changed, or the process ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: ModeName
    retry_after_s: Annotated[float, Field(ge=0, le=SECONDS_MAX)] = RETRY_AFTER_S_DEFAULT
    seconds: Annotated[float, Field(gt=0, le=SECONDS_MAX)] | None = None


class Outage:
    """The present mode; it touches everything below /v1 and counts as no try of any marker.

    Attributes:
        answered: how many requests each mode has spoilt since the start.
    """

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self._mode = Mode(mode="normal")
        self._ends_s: float | None = None

    def switch(self, mode: Mode) -> None:
        """Takes on another mode."""
        self._mode = mode
        self._ends_s = None if mode.seconds is None else monotonic_s() + mode.seconds

    def present(self) -> Mode:
        """The mode of this moment."""
        if self._ends_s is not None and monotonic_s() >= self._ends_s:
            self.switch(Mode(mode="normal"))
        return self._mode

    def answer(self, at: datetime) -> Answer | None:
        """What every request gets now; None when the platform works."""
        mode = self.present()
        if mode.mode == "normal":
            return None
        self.answered[mode.mode] += 1
        match mode.mode:
            case "reset":
                return Answer("reset", 0, travel=Travel.RESET)
            case "silence":
                return Answer("silence", 0, travel=Travel.SILENCE)
            case "maintenance":
                headers = {"Retry-After": str(round(mode.retry_after_s))}
                page = "<html><body>ただいまメンテナンス中です。</body></html>".encode()
                return Answer("maintenance", 503, page, "text/html", headers)
            case "503" | "500" | "401" | "403" | "429":
                pass
        return status_answer(int(mode.mode), mode.retry_after_s, RetryAfter.SECONDS, at)
