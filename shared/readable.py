"""Properties of a message that cannot be read, read all the same: with marks in the place of what is no text.

A broker hands on a message's properties without a look. The library that reads them gives up the whole connection over
one byte that is no UTF-8 or one time beyond the calendar. The broker then delivers the message again, and one portal
would keep every queue of the process from being heard. So the few readers that can fail are replaced by ones that
cannot; which message it was, its body and the other properties then tell.
"""

import struct
from datetime import datetime
from typing import Any, Final

from pamqp import decode

_LENGTH: Final = struct.Struct(">I")
_TIME_BYTES: Final = 8

_read_time, _read_table, _read_array = decode.timestamp, decode.field_table, decode.field_array
_UNREADABLE: Final = (ValueError, TypeError, OverflowError, OSError, ArithmeticError, RecursionError, struct.error)


def short_text(value: bytes) -> tuple[int, str]:
    """A text of up to 255 bytes, with U+FFFD for what is no UTF-8."""
    if not value:
        raise ValueError("Could not unpack short string value")
    end = value[0] + 1
    return end, value[1:end].decode("utf-8", "replace")


def time(value: bytes) -> tuple[int, datetime | None]:
    """A time, or None if no calendar has it."""
    try:
        return _read_time(value)
    except _UNREADABLE:
        return _TIME_BYTES, None


def table(value: bytes) -> tuple[int, dict[str, Any]]:
    """A table of headers; one that cannot be read is empty."""
    try:
        return _read_table(value)
    except _UNREADABLE:
        return _LENGTH.unpack_from(value)[0] + _LENGTH.size, {}


def array(value: bytes) -> tuple[int, list[Any]]:
    """An array in a table; one that cannot be read is empty."""
    try:
        return _read_array(value)
    except _UNREADABLE:
        return _LENGTH.unpack_from(value)[0] + _LENGTH.size, []


def read_everything() -> None:
    """Let the library read with these."""
    named, lettered = decode.METHODS, decode.TABLE_MAPPING
    named |= {"shortstr": short_text, "timestamp": time, "table": table, "array": array}
    lettered |= {b"T": time, b"F": table, b"A": array}
