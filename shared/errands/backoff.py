"""How long a row waits after a call that brought nothing."""

from shared import clock
from shared.errands import Claimed, Later, OurFault, Sign

BACKOFF_S_MIN = 1.0
BACKOFF_S_MAX = 300.0
OUTSIDE_WISH_S_MAX = 3_600.0

Postponed = tuple[Claimed, float, str, bool, bool]
"""Row, seconds to wait, reason, whether the outcome is unknown, whether the attempt is not counted."""


def writable(reason: str) -> str:
    """What PostgreSQL can keep of a text that may come from the outside."""
    return reason.replace("\x00", "").encode(errors="replace").decode()


def postponed(row: Claimed, outcome: Later | OurFault, *, is_probe: bool = False) -> Postponed:
    """How long a row waits and what of the try is remembered.

    A row that probed has lost nothing by it: the stage waits, not the row.
    """
    reason = writable(outcome.reason)
    if isinstance(outcome, OurFault):
        return row, 0.0, reason, False, True
    if is_probe and outcome.sign is not Sign.NOTHING:
        return row, 0.0, reason, outcome.unknown, False
    # The wish of the outside is a lower bound and is not shortened; only our own back-off is jittered.
    backoff_s = clock.jittered(min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0 ** min(row.attempts - 1, 20)))
    after_s = backoff_s if outcome.after_s is None else min(OUTSIDE_WISH_S_MAX, max(outcome.after_s, 0.0))
    return row, after_s, reason, outcome.unknown, False
