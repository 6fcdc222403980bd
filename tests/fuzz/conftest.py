"""A run of hostile input: how long, with which seed, against one whole system, and one tally of it all."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import system as system  # noqa: PLC0414  # The same system, one for this folder.
from tests.fuzz.tally import Tally

SECONDS = 30.0
SECONDS_MAX = 300.0


@pytest.fixture(scope="session")
def tally() -> Iterator[Tally]:
    """What comes of everything; written at the end, whatever the tests say."""
    seed = int(os.environ.get("HOSHO_FUZZ_SEED") or 1)
    made = Tally(seed, min(float(os.environ.get("HOSHO_FUZZ_SECONDS") or SECONDS), SECONDS_MAX))
    yield made
    made.write()
