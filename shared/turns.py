"""Taking turns: what waits in one line is passed between those it belongs to, so that a flood delays its sender."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TypeVar

T = TypeVar("T")


def in_turns(waiting: Iterable[T], turn_of: Callable[[T], str]) -> deque[T]:
    """The same things, one of each owner after the other, whoever waits longest first; each owner's in their order."""
    lines: dict[str, list[T]] = {}
    for one in waiting:
        lines.setdefault(turn_of(one), []).append(one)
    rounds = zip_longest(*lines.values())
    return deque(one for turn in rounds for one in turn if one is not None)


def portal_of(correlation: str) -> str:
    """Whose turn a fact or an errand takes: the portal its application came from."""
    return correlation.partition("/")[0]
