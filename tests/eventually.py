"""Waiting for something that will become true, with a deadline: the only place in the tests that polls."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")

WITHIN_S: Final = 15.0
EVERY_S: Final = 0.02
EVERY_S_MAX: Final = 0.25


@overload
async def eventually(probe: Callable[[], Awaitable[T]], *, within_s: float = WITHIN_S) -> T: ...


@overload
async def eventually(probe: Callable[[], T], *, within_s: float = WITHIN_S) -> T: ...


async def eventually(probe: Callable[[], Any], *, within_s: float = WITHIN_S) -> Any:
    """Ask `probe` again and again until what it gives is true, and return that.

    The probe says "not yet" by an `AssertionError` or by anything false. When the time is up, its last assertion is
    raised, or one that shows the last value.
    """
    deadline_s = time.monotonic() + within_s
    pause_s = EVERY_S
    while True:
        failure: AssertionError | None = None
        value = None
        try:
            given = probe()
            value = await given if inspect.isawaitable(given) else given
        except AssertionError as error:
            failure = error
        if failure is None and value:
            return value
        if time.monotonic() > deadline_s:
            raise failure or AssertionError(f"not within {within_s:g} s; the last value was {value!r}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, EVERY_S_MAX)
