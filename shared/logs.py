"""Logs are JSON lines on stdout: an event named ``noun.verb_past`` and facts as keys, never prose.

Each delivery and each errand item writes one canonical line (``canonical``). ERROR means that a person must act now.
What libraries log through the standard library comes out the same way from WARNING up, as ``library.logged``.
Nothing here is the reason why a secret stays out of the logs; redaction is the last line of defence only.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final, TextIO, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from shared import clock

REDACTED: Final = "[redacted]"

_SECRET_WORDS: Final = ("auth_key", "authkey", "password", "passwd", "secret", "token", "sealed", "authorization")
_SECRET_WORDS_MORE: Final = ("cookie", "credential", "signing_key", "private_key", "api_key")
_SECRET_NAME: Final = re.compile("|".join((*_SECRET_WORDS, *_SECRET_WORDS_MORE)), re.IGNORECASE)
_URL_PASSWORD: Final = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")
_SHOWN_AS_TEXT: Final = (UUID, date, datetime, Decimal, PurePath)
_DEPTH_MAX: Final = 6

# These set up handlers of their own, which would write lines that are not JSON.
_LIBRARIES_WITH_HANDLERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream")

# They log at ERROR whenever a connection breaks, which is mended at once and by itself.
_NEVER_ABOVE_WARNING: Final = ("aiormq", "aio_pika")


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(value: object, depth: int) -> object:
    """Give back ``value`` with passwords in URLs struck out and secret fields redacted at any depth."""
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\1:{REDACTED}@", value) if "://" in value else value
    if isinstance(value, Mapping):
        if depth >= _DEPTH_MAX:
            return "[too deep]"
        return {str(name): _clean_field(str(name), inner, depth) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[too deep]" if depth >= _DEPTH_MAX else [_clean(inner, depth + 1) for inner in value]
    return value


def _clean_field(name: str, value: object, depth: int) -> object:
    # A flag or a missing value under such a name tells nothing, and often is the interesting fact.
    if _is_secret(name) and value is not None and not isinstance(value, bool):
        return REDACTED
    return _clean(value, depth + 1)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Strike out what must not be read in a log (a structlog processor)."""
    del logger, method
    for name, value in event.items():
        if isinstance(value, str):  # The usual case, kept short: this runs for every field of every line.
            if _is_secret(name):
                event[name] = REDACTED
            elif "://" in value:
                event[name] = _clean(value, 0)
        else:
            event[name] = _clean_field(name, value, 0)
    return event


def _shown(value: object) -> str:
    """Show what JSON cannot: identifiers and times as text; of any other object the type only, it may be private."""
    if isinstance(value, _SHOWN_AS_TEXT):
        return str(value)
    return f"<{type(value).__qualname__}>"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_shown)


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    del logger, method
    return _ENCODER.encode(event)


class _Head:
    """Puts time, level and service in front, where the eye looks for them."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        del logger
        at = clock.now().isoformat(timespec="milliseconds")
        return {"at": at, "level": method, "service": self._service, "event": event.pop("event", ""), **event}


class _Library(logging.Handler):
    """Carries a library's log record into a line of ours."""

    def __init__(self, head: _Head, stream: TextIO) -> None:
        super().__init__(logging.WARNING)
        self._head = head
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: EventDict = {"event": "library.logged", "logger": record.name, "text": record.getMessage()}
            if record.exc_info:
                event["exception"] = logging.Formatter().formatException(record.exc_info)
            event = redact(None, "", self._head(None, _level_of(record), event))
            self._stream.write(_as_json(None, "", event) + "\n")
            self._stream.flush()
        except (ValueError, TypeError, OSError):
            # The standard library's own way: a line that cannot be written must not stop the work it tells of.
            self.handleError(record)


def _level_of(record: logging.LogRecord) -> str:
    """The level of our line. ERROR means that a person must act now, whatever a library thinks of a lost connection."""
    # What was cancelled was meant to end, as all is that still reads when a process stops.
    is_cancelled = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    is_harmless = is_cancelled or record.name.partition(".")[0] in _NEVER_ABOVE_WARNING
    return "warning" if is_harmless and record.levelno > logging.WARNING else record.levelname.lower()


def configure(service: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process to ``stream`` (stdout if not given) under the name of ``service``."""
    out = stream or sys.stdout
    head = _Head(service)
    structlog.configure(
        processors=[head, structlog.processors.format_exc_info, redact, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Library(head, out)]
    root.setLevel(logging.WARNING)
    for name in _LIBRARIES_WITH_HANDLERS:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
    logging.captureWarnings(capture=True)


def get_logger(**facts: object) -> FilteringBoundLogger:
    """Get a logger whose lines carry ``facts``."""
    return cast(FilteringBoundLogger, structlog.get_logger(**facts))


@contextmanager
def canonical(logger: FilteringBoundLogger, event: str, **facts: object) -> Iterator[MutableMapping[str, Any]]:
    """Write one line about the whole of what happens inside, at its end, with ``duration_ms``.

    The mapping that is yielded gathers facts on the way. An exception is named in ``failed_with``, makes the line a
    warning and goes on: whoever catches it decides whether a person must act.
    """
    started_s = clock.monotonic_s()
    line: dict[str, Any] = dict(facts)
    write = logger.info
    try:
        yield line
    except BaseException as error:
        line["failed_with"] = type(error).__qualname__
        write = logger.warning
        raise
    finally:
        line["duration_ms"] = round((clock.monotonic_s() - started_s) * 1000, 1)
        write(event, **line)
