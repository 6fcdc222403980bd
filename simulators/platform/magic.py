"""Markers in `project_name` that make the platform misbehave: `[platform:<name>[-<seconds>][x<times>|x*]]`.

Markers are played in the order they stand in, one try of a key after the other; when all are played, the
platform behaves. So `[platform:503x2][platform:reset-after]` gives 503, 503, a reset, and then the truth.
Markers whose name begins with `get-` are played on the reads of that key instead.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

_MARKER = re.compile(r"\[platform:([^\]\s]{1,64})\]")
_TIMES = re.compile(r"x([1-9]\d{0,5}|\*)$")
_SECONDS = re.compile(r"-(\d{1,5}(?:\.\d{1,3})?)$")
_STATUS = re.compile(r"^([2-5]\d\d)(-after)?(-date|-bare)?$")

SLOW_S = 2.0
DRIP_S = 5.0
RETRY_AFTER_S = 1.0
TIMES_UNENDING = 1_000_000


class UnknownMarker(ValueError):
    """Raised when a marker names no misbehaviour; mend the test's project name."""


class Travel(StrEnum):
    """How an answer reaches the caller."""

    AT_ONCE = "at once"
    SLOW = "slow"
    DRIP = "drip"
    CUT = "cut"
    RESET = "reset"
    SILENCE = "silence"


class Says(StrEnum):
    """What an answer says."""

    TRUTH = "truth"
    STATUS = "status"
    REFUSED = "refused"
    KEY_REUSED = "key reused"
    UNREADABLE = "unreadable"
    HTML = "html"
    EMPTY = "empty"
    HUGE = "huge"
    REPEAT = "repeat"
    ARRIVED_MISSING = "arrived missing"
    ARRIVED_NULL = "arrived null"
    ARRIVED_UNREADABLE = "arrived unreadable"
    ARRIVED_PAST = "arrived past"
    ARRIVED_FUTURE = "arrived future"


class Stamp(StrEnum):
    """How the arrival time is written, for good; every one of them is RFC 3339."""

    TOKYO = "tokyo"
    ODD_ZONE = "odd zone"
    UTC_LOWER = "utc in lower case"
    NANOS = "nanoseconds"
    WHOLE_SECONDS = "whole seconds"


class RetryAfter(StrEnum):
    """How a 429 or 503 says when to come again."""

    SECONDS = "seconds"
    DATE = "date"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens on one try.

    Attributes:
        stores: whether the certificate arrives in this try.
        seconds: how late the answer is, or what Retry-After says.
    """

    marker: str
    says: Says = Says.TRUTH
    travel: Travel = Travel.AT_ONCE
    stores: bool = True
    status: int = 0
    seconds: float = RETRY_AFTER_S
    stamp: Stamp = Stamp.TOKYO
    retry_after: RetryAfter = RetryAfter.SECONDS


@dataclass(frozen=True, slots=True)
class Script:
    """The steps for the posts and the reads of one key, each with the number of tries it lasts."""

    posts: tuple[tuple[Step, int], ...] = ()
    gets: tuple[tuple[Step, int], ...] = ()

    def post(self, try_no: int) -> Step | None:
        """The step of the nth post, counted from 0; None when the platform behaves."""
        return _at(self.posts, try_no)

    def get(self, try_no: int) -> Step | None:
        """The step of the nth read, counted from 0; None when the platform behaves."""
        return _at(self.gets, try_no)


_STEPS: dict[str, Step] = {
    step.marker: step
    for step in (
        Step("slow", travel=Travel.SLOW, seconds=SLOW_S),
        Step("drip", travel=Travel.DRIP, seconds=DRIP_S),
        Step("cut", travel=Travel.CUT),
        Step("reset-before", travel=Travel.RESET, stores=False),
        Step("reset-after", travel=Travel.RESET),
        Step("silence", travel=Travel.SILENCE, stores=False),
        Step("silence-after", travel=Travel.SILENCE),
        Step("refuse", says=Says.REFUSED, stores=False),
        Step("key-reused", says=Says.KEY_REUSED, stores=False),
        Step("unreadable", says=Says.UNREADABLE),
        Step("html", says=Says.HTML),
        Step("empty", says=Says.EMPTY),
        Step("huge", says=Says.HUGE),
        Step("repeat-200", says=Says.REPEAT),
        Step("arrived-missing", says=Says.ARRIVED_MISSING),
        Step("arrived-null", says=Says.ARRIVED_NULL),
        Step("arrived-unreadable", says=Says.ARRIVED_UNREADABLE),
        Step("arrived-past", says=Says.ARRIVED_PAST),
        Step("arrived-future", says=Says.ARRIVED_FUTURE),
        Step("arrived-zone", stamp=Stamp.ODD_ZONE),
        Step("arrived-lower", stamp=Stamp.UTC_LOWER),
        Step("arrived-nanos", stamp=Stamp.NANOS),
        Step("arrived-seconds", stamp=Stamp.WHOLE_SECONDS),
    )
}
MARKERS = tuple(_STEPS)


@lru_cache(maxsize=1024)
def script_of(project_name: str) -> Script:
    """The script that the markers in a project name spell. Raises UnknownMarker."""
    posts: list[tuple[Step, int]] = []
    gets: list[tuple[Step, int]] = []
    for text in _MARKER.findall(project_name):
        name, times = _cut_times(text)
        reads = name.startswith("get-")
        step = _step(name.removeprefix("get-"))
        (gets if reads else posts).append((replace(step, marker=text), times))
    return Script(tuple(posts), tuple(gets))


def _cut_times(text: str) -> tuple[str, int]:
    found = _TIMES.search(text)
    if found is None:
        return text, 1
    return text[: found.start()], TIMES_UNENDING if found[1] == "*" else int(found[1])


def _step(name: str) -> Step:
    if name in _STEPS:
        return _STEPS[name]
    seconds = _SECONDS.search(name)
    if seconds is not None:
        return replace(_step(name[: seconds.start()]), seconds=float(seconds[1]))
    status = _STATUS.match(name)
    if status is None:
        raise UnknownMarker(f"[platform:{name}] is no marker; simulators/README.md lists them.")
    manner = RetryAfter(status[3].removeprefix("-")) if status[3] else RetryAfter.SECONDS
    return Step(name, says=Says.STATUS, stores=bool(status[2]), status=int(status[1]), retry_after=manner)


def _at(steps: tuple[tuple[Step, int], ...], try_no: int) -> Step | None:
    for step, times in steps:
        if try_no < times:
            return step
        try_no -= times
    return None
