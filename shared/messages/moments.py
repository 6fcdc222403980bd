"""One form for every time that is told: RFC 3339 in Japan's offset, to the millisecond, later digits cut."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Final

from pydantic import PlainSerializer, WithJsonSchema

JAPAN: Final = timezone(timedelta(hours=9), "JST")
"""Japan has had one offset and no summer time since 1952, so a fixed offset tells every time that we record."""


def told(moment: datetime) -> str:
    """An aware instant as `2026-01-15T09:30:00.412+09:00`."""
    return moment.astimezone(JAPAN).isoformat(timespec="milliseconds")


Instant = Annotated[
    datetime,
    PlainSerializer(told, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-15T09:30:00.412+09:00"]}),
]
"""A time in something that is told; read from any offset, written in the one form."""
