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


REGRESSIONS: Final[tuple[Regression, ...]] = (
    Regression(14, 10_000, "One asking for a second of rest cost the whole stage six: mails came too late."),
    Regression(1, 10_000, "Poison thrown by two faults at once was counted once: too much on the desk."),
)
