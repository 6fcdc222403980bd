"""The one door to time and dice.

Everything that asks what time it is, waits a random while or needs a fresh identifier asks here, so that a test can
hold the clock still (``standing_at``) and a reader can find every source of surprise in one file. Secrets (nonces,
authentication keys) come from the operating system's generator and cannot be seeded, not even by a test.
"""

import os
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")

_SHIFT_BYTES_MAX = 32

# Only jitter is drawn from this one: it spreads retries and decides nothing.
_dice = random.Random()  # noqa: S311 - see above.


@dataclass(slots=True)
class Hands:
    """The hands of a clock that stands still until a test moves them.

    Attributes:
        instant: what ``now()`` tells, aware, UTC.
        elapsed_s: what ``monotonic_s()`` tells, in seconds.
    """

    instant: datetime
    elapsed_s: float

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds``."""
        self.instant += timedelta(seconds=seconds)
        self.elapsed_s += seconds


_hands: Hands | None = None
_wrong_by_s: Callable[[], float] | None = None


def now() -> datetime:
    """Tell the time of day: aware, UTC."""
    if _hands is not None:
        return _hands.instant
    instant = datetime.now(UTC)
    return instant if _wrong_by_s is None else instant + timedelta(seconds=_wrong_by_s())


def jump_by(wrong_by_s: Callable[[], float] | None) -> None:
    """The one named hook at which a fault run may set this process's time of day wrong; None takes it away.

    Only the time of day jumps, as when somebody sets a host's clock. `monotonic_s` goes on evenly, and the database
    tells its own time.
    """
    global _wrong_by_s  # noqa: PLW0603 - one process has one clock, and the hook is set once before it starts.
    _wrong_by_s = wrong_by_s


def told_by(file: Path) -> Callable[[], float]:
    """For `jump_by`: wrong by as many seconds as the file says at that moment; right while it says nothing."""
    told = os.open(file, os.O_RDONLY)
    return lambda: float(os.pread(told, _SHIFT_BYTES_MAX, 0).strip() or 0)


def monotonic_s() -> float:
    """Tell a time in seconds that never runs backwards; only differences mean something."""
    return time.monotonic() if _hands is None else _hands.elapsed_s


@contextmanager
def standing_at(instant: datetime) -> Iterator[Hands]:
    """Hold this process's clock at ``instant``; the hands that are yielded move it. For tests.

    Raises:
        ValueError: if ``instant`` has no zone, because a naive time is a guess.
    """
    global _hands  # noqa: PLW0603 - one process has one clock, and a test holds it for a moment.
    if instant.tzinfo is None:
        raise ValueError("A clock can only stand at an aware time; give it a zone.")
    before = _hands
    _hands = Hands(instant.astimezone(UTC), elapsed_s=monotonic_s())
    try:
        yield _hands
    finally:
        _hands = before


def jittered(seconds: float, rng: random.Random | None = None) -> float:
    """Draw a wait between half of ``seconds`` and ``seconds``.

    Half stays fixed so that a retry is never hot, half is drawn so that the retries of many rows spread. It shortens,
    so it is not for a wait that somebody else asked for (Retry-After).
    """
    return seconds * (0.5 + 0.5 * (rng or _dice).random())


def new_uuid() -> UUID:
    """Make a random identifier (version 4)."""
    return uuid4()


def random_bytes(count: int) -> bytes:
    """Draw ``count`` bytes that are fit for secrets."""
    return secrets.token_bytes(count)


def random_text(alphabet: str, length: int) -> str:
    """Draw ``length`` characters of ``alphabet``, each with the same chance, fit for secrets."""
    # Bytes beyond the last whole multiple are thrown away: they would favour the first letters.
    fair = 256 - 256 % len(alphabet)
    text = ""
    while len(text) < length:
        text += "".join(alphabet[byte % len(alphabet)] for byte in secrets.token_bytes(2 * length) if byte < fair)
    return text[:length]
