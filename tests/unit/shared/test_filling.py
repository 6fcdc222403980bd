"""A batch fills where that gathers more rows, and costs nobody a wait where it does not."""

import pytest

from shared.errands import Settled
from shared.errands.pace import Pace
from shared.filling import FILL_S_MAX, fill_s


@pytest.mark.parametrize(
    ("rows", "within_s", "fills"),
    [
        (1, 0.05, False),
        (1, 0.001, False),
        (0, 1.0, False),
        # Two that met by chance at twenty a second.
        (2, 0.05, False),
        (2, 0.02, True),
        (2, 0.001, True),
        (50, 0.25, True),
        # One pack after a silence is no pace.
        (50, 1.0, False),
        (200, 1.0, True),
    ],
)
def test_a_batch_waits_only_while_rows_come_fast_enough_to_fill_it(rows: int, within_s: float, fills: bool) -> None:
    assert fill_s(rows, within_s) == (FILL_S_MAX if fills else 0.0)


@pytest.mark.parametrize(("rows", "seconds", "waits"), [(1, 0.05, False), (2, 0.05, False), (9, 0.05, True)])
async def test_outcomes_wait_for_each_other_only_under_load(
    monkeypatch: pytest.MonkeyPatch, rows: int, seconds: float, waits: bool
) -> None:
    now_s = 100.0
    slept: list[float] = []

    async def sleep(for_s: float) -> None:
        slept.append(for_s)

    monkeypatch.setattr("shared.clock.monotonic_s", lambda: now_s)
    monkeypatch.setattr("asyncio.sleep", sleep)
    pace = Pace()
    now_s += seconds
    pace.recorded([Settled("posted")] * rows)
    await pace.filled(1)
    assert slept == ([FILL_S_MAX] if waits else [])
