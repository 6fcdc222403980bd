"""The simulators' one door to time and dice."""

import secrets
import time
import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def epoch_s() -> float:
    """The present instant in seconds since 1970, for windows that outlive a restart."""
    return time.time()


def monotonic_s() -> float:
    """Seconds of a clock that never goes back, for waiting times inside one process."""
    return time.monotonic()


def random_bytes(count: int) -> bytes:
    """Bytes fit for keys."""
    return secrets.token_bytes(count)


def new_id() -> str:
    """A random UUID as text."""
    return str(uuid.uuid4())
