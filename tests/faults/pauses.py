"""Letting time pass on purpose: a fault lasts so long, a plan strikes at such a second, a wire is so slow.

Nothing here waits for something to have happened; that is what signals and `eventually()` are for.
"""

import asyncio
from collections.abc import Callable


async def lapse(seconds: float) -> None:
    """Let so many seconds pass."""
    over = asyncio.Event()
    timer = asyncio.get_running_loop().call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


def elapsed_s() -> Callable[[], float]:
    """A stop watch that runs from now on."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    return lambda: loop.time() - began_s
