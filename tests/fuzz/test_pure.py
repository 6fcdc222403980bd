"""Everything that reads or judges survives whatever is drawn, and names what came of it."""

import pytest

from tests.fuzz.pure import PROBES, Probe, explore
from tests.fuzz.tally import Tally

SHARE = 0.25
"""Of the whole run's time, for all of these together."""


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_whatever_is_drawn_ends_in_an_outcome_with_a_name(probe: Probe, tally: Tally) -> None:
    surface = tally.surface(probe.name)

    explore(surface, probe, tally.seed, tally.seconds * SHARE / len(PROBES))

    assert not surface.findings
    assert surface.inputs > 1
