"""A fault that touches nothing says so, is tried again, and is never counted as struck."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tests.faults.kinds import NothingHit
from tests.faults.kinds.clocks import _was_seen
from tests.faults.kinds.network import Closed, Cut, Delayed, HalfOpen, Throttled
from tests.faults.ledger import Account
from tests.faults.plan import Plan
from tests.faults.proxy import Wire
from tests.faults.rounds import STRIKE_AGAIN_S, Outcome, _strike
from tests.faults.world import Tally, World

WIRE = "issuer-postgres"


@dataclass
class _Empty:
    """A world with one wire that nobody uses."""

    wires: dict[str, Wire] = field(default_factory=lambda: {WIRE: Wire(WIRE, 1)})
    tally: Tally = field(default_factory=Tally)


@dataclass
class _Elusive:
    """A fault that hits something at the n-th try."""

    hits_at: int
    kind: str = "elusive"
    tries: int = 0

    async def strike(self, _world: World) -> None:
        """Try once more."""
        self.tries += 1
        if self.tries < self.hits_at:
            raise NothingHit("nobody there")


@pytest.fixture
def outcome() -> Outcome:
    """Of a round that wants one fault struck."""
    return Outcome(Plan(1, (), 1, 1), Account(), cast(World, _Empty()))


@pytest.mark.parametrize(
    "fault",
    [
        Cut(WIRE),
        Closed(WIRE, 0),
        HalfOpen(WIRE, 0, cut_at_the_end=True),
        Delayed(WIRE, 0, 0.1),
        Throttled(WIRE, 0, 10),
        Cut("*-postgres"),
    ],
)
async def test_a_fault_on_a_wire_that_nobody_uses_hits_nothing_and_mends_all_the_same(fault: Cut) -> None:
    world = _Empty()
    with pytest.raises(NothingHit):
        await fault.strike(cast(World, world))

    wire = world.wires[WIRE]
    assert (wire.delay_s, wire.bytes_per_s, wire.closed) == (0.0, None, False)


async def test_what_never_hits_is_missed_and_a_round_of_such_proves_nothing(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.rounds.STRIKE_AGAIN_S", STRIKE_AGAIN_S / 1_000)
    await _strike(_Elusive(hits_at=4), outcome, 3)

    assert outcome.struck == Counter()
    assert "nobody there" in outcome.missed[0]
    assert not outcome.clean
    await _strike(_Elusive(hits_at=3), outcome, 3)
    assert outcome.struck == {"elusive": 1}
    assert outcome.clean


def test_a_wrong_clock_is_seen_in_a_log_and_a_right_one_is_not() -> None:
    now, by = datetime.now(UTC), timedelta(hours=-3)
    wrong, right = (f'{{"at": "{told.isoformat()}"}}' for told in (now + by, now))

    assert _was_seen(f"Traceback\n{right}\n{wrong}", by)
    assert not _was_seen(f"{right}\n{{}}\n[1]\n", by)
