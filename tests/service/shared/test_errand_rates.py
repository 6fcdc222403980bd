"""A stage's rate holds for all processes together, and costs nothing where there is enough of it."""

from typing import TYPE_CHECKING

import pytest

from shared import clock
from shared.errands import Claimed, Outcome, Settled, runner
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.shared.outside import NAME, due, row
from tests.service.shared.weather import weather

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps in tenths of seconds."""
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.1)


@pytest.mark.parametrize("rate", [40.0, 5.0])
async def test_all_processes_together_call_no_faster_than_the_rate(stack: Servers, rate: float) -> None:
    began: list[float] = []
    count = int(3 * rate) + 12

    def note(claimed: Claimed) -> Outcome:
        began.append(clock.monotonic_s())
        return Settled(claimed.key)

    async with weather(stack, calls_per_s_max=rate) as both:
        both.outside.otherwise = note
        await due(both.lives[0].desk(), *(row(f"a-{number:03}") for number in range(count // 2)))
        await due(both.lives[1].desk(), *(row(f"b-{number:03}") for number in range(count - count // 2)))
        await eventually(lambda: len(both.outside.settled) == count, within_s=30.0)
    began.sort()
    # What may come at once after a rest: the bucket, and what each process had in hand.
    burst = 3 * max(1.0, rate / 4)

    assert all(
        began[last] - began[first] >= (last - first + 1 - burst) / rate - 0.3
        for first in range(count)
        for last in range(first, count)
    )
    assert began[-1] - began[0] < 3 * count / rate + 5


async def test_where_all_is_well_a_call_costs_its_stage_nothing(stack: Servers, tables: "Tables") -> None:
    async with weather(stack, calls_per_s_max=2_000.0) as both:
        await eventually(lambda: all(life.runners[NAME].gate.calls_wanted == 0 for life in both.lives))
        for life in both.lives:
            # So that forty calls do not happen to use up what is in hand.
            life.runners[NAME].gate.grant(100)
        before = await tables.fetchval("select xmin::text || '/' || xmax::text from notifier.stage")
        for number in range(40):
            await due(both.lives[0].desk(), row(f"{number}"))
        await eventually(lambda: len(both.outside.settled) == 40)
        after = await tables.fetchval("select xmin::text || '/' || xmax::text from notifier.stage")

    assert before == after
