"""Loops that live together end together, whatever swallows a cancellation on the way."""

import asyncio

import pytest

from shared import lives


async def deaf(times: int, heard: list[str]) -> None:
    """A loop in which a driver swallows the first cancellations."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            if len(heard) > times:
                raise


async def fails() -> None:
    raise ConnectionResetError("the line broke")


async def test_a_swallowed_cancellation_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is raised although its neighbour did not hear the first two cancellations."""
    monkeypatch.setattr(lives, "CANCEL_AGAIN_S", 0.01)
    heard: list[str] = []

    with pytest.raises(ConnectionResetError):
        await lives.together(fails(), deaf(2, heard))

    assert heard == ["cancelled"] * 3


async def test_whoever_ends_them_leaves_nobody_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second cancellation of the one who waits does not make it leave before its tasks are done."""
    monkeypatch.setattr(lives, "CANCEL_AGAIN_S", 0.01)
    heard: list[str] = []
    outer = asyncio.create_task(lives.together(deaf(5, heard)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await lives.ended([outer])

    assert outer.cancelled()
    assert len(heard) == 6
