"""Rows as the arrays that one statement takes for all of them."""

from collections.abc import Sequence
from typing import Any, Final

from shared.errors import Transient


class AuthKeyTaken(Transient):
    """Another guarantee drew the same authentication key; the next try draws another."""


DRAWN_AGAIN: Final = {"no_two_guarantees_have_one_auth_key": AuthKeyTaken}
"""What a broken unique constraint means: a second draw heals a doubled key, nothing heals any other."""


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """The rows of `width` values each as `width` arrays, also when there are no rows."""
    return [[row[place] for row in rows] for place in range(width)]
