"""Loops that live side by side and end together, also when a driver swallows a cancellation.

On Python 3.11 a cancellation that meets the result of a `wait_for` is lost, and asyncpg waits that way when it takes a
connection. A loop that was cancelled once would then go on for ever, and so would whoever waits for its end. So here
a task is cancelled again and again until it is done.
"""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

CANCEL_AGAIN_S = 1.5
"""Longer than a task may need to clean up after its first cancellation."""


async def together(*lives: Coroutine[Any, Any, None]) -> None:
    """Run these until one ends or fails, or we are cancelled; then end them all. Raises what the failed one raised."""
    tasks = [asyncio.create_task(life) for life in lives]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await ended(tasks)


async def ended(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel these tasks until they are done. What they raise on the way is taken note of and dropped."""
    pending = {task for task in tasks if not task.done()}
    interrupted = False
    while pending:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        except asyncio.CancelledError:
            # Whoever ends us is as patient as we are; leaving now would leave tasks behind.
            interrupted = True
        pending = {task for task in pending if not task.done()}
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if interrupted:
        raise asyncio.CancelledError
