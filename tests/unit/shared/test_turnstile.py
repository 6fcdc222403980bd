"""The turnstile: turns, room, and how much of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared import turnstile
from shared.turnstile import TIGHT_FACTS_MAX, Turnstile


def _full(*answers: bool) -> Callable[[], Awaitable[bool]]:
    """Gives these answers and then for ever the last one."""
    left = list(answers)

    async def is_full() -> bool:
        return left.pop(0) if len(left) > 1 else left[0]

    return is_full


@pytest.fixture(autouse=True)
def _look_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "LOOK_AGAIN_S", 0.001)
    monkeypatch.setattr(turnstile, "ROOM_S_MAX", 0.01)


async def test_with_room_any_batch_may_pass() -> None:
    async with Turnstile(_full(False)).admit() as facts_max:
        assert facts_max is None


async def test_room_that_had_to_be_waited_for_is_little() -> None:
    async with Turnstile(_full(True, True, False)).admit() as facts_max:
        assert facts_max == TIGHT_FACTS_MAX


async def test_who_asked_first_goes_first_and_who_had_a_turn_asks_last() -> None:
    stile, order = Turnstile(_full(False)), []

    async def consumer(name: str) -> None:
        for _ in range(3):
            async with stile.admit():
                order.append(name)
                await asyncio.sleep(0)

    await asyncio.gather(consumer("flood"), consumer("quiet"))

    assert order == ["flood", "quiet"] * 3


async def test_a_caller_over_http_waits_for_room_and_not_for_ever() -> None:
    assert await Turnstile(_full(True, True, False)).has_room()
    assert not await Turnstile(_full(True)).has_room()
