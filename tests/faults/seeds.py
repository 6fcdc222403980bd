"""Seeds that once found a broken promise. They are kept, and `make storm-again` runs each of them once more."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Regression:
    """A round that must stay clean because it was not.

    Attributes:
        found: what was broken then, as a sentence.
        is_quick: a quick round; otherwise a storm.
    """

    seed: int
    applications: int
    found: str
    is_quick: bool = False


REGRESSIONS: Final[tuple[Regression, ...]] = ()
