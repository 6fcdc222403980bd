"""What came of hostile input, counted: every input ends in an outcome that has a name, or it is a finding."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from deploy.places import BUILD

V = TypeVar("V")

REPORT: Final = BUILD / "fuzz.json"
BRIEF_S_MAX: Final = 60.0
"""A run of at most this length takes only some of what is fixed."""

SOME: Final = 6
"""One of so many is taken then, others with each seed."""

SHOWN_CHARS_MAX: Final = 600
FINDINGS_SHOWN_MAX: Final = 50


@dataclass
class Surface:
    """One place that takes input.

    Attributes:
        outcomes: how often each named outcome came.
        crashes: inputs that raised, or were answered as an error of ours.
        unclassified: inputs whose outcome has no name, or is another one than what is published.
    """

    name: str
    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    unclassified: list[str] = field(default_factory=list)

    @contextmanager
    def one(self, shown: object) -> Iterator[None]:
        """One input. Whatever the block raises is a crash, and goes on to whoever wants to shrink it."""
        self.inputs += 1
        try:
            yield
        except BaseException as error:
            self.crashed(f"{type(error).__name__}: {error} at {shown!r}")
            raise

    def ended(self, outcome: str) -> None:
        """Note an outcome that has a name."""
        self.outcomes[outcome] += 1

    def crashed(self, told: str) -> None:
        """Note an input that something of ours did not survive."""
        self.crashes.append(told[:SHOWN_CHARS_MAX])

    def unknown(self, told: str) -> None:
        """Note an outcome without a name."""
        self.unclassified.append(told[:SHOWN_CHARS_MAX])

    @property
    def findings(self) -> list[str]:
        """Everything that may not be, as sentences."""
        return [f"crash: {told}" for told in self.crashes] + [f"unclassified: {told}" for told in self.unclassified]


@dataclass
class Tally:
    """All surfaces of one run."""

    seed: int
    seconds: float
    surfaces: dict[str, Surface] = field(default_factory=dict)

    def surface(self, name: str) -> Surface:
        """The surface of this name."""
        return self.surfaces.setdefault(name, Surface(name))

    @property
    def is_brief(self) -> bool:
        """Whether there is no time for everything."""
        return self.seconds <= BRIEF_S_MAX

    def some(self, everything: Iterable[V]) -> list[V]:
        """All of it, or in a brief run a part that depends on the seed."""
        held = list(everything)
        return held[self.seed % SOME :: SOME] if self.is_brief else held

    def figures(self) -> dict[str, Any]:
        """The run in numbers."""
        every = self.surfaces.values()
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "inputs": sum(one.inputs for one in every),
            "crashes": sum(len(one.crashes) for one in every),
            "unclassified": sum(len(one.unclassified) for one in every),
            "surfaces": {
                one.name: {
                    "inputs": one.inputs,
                    "crashes": len(one.crashes),
                    "unclassified": len(one.unclassified),
                    "outcomes": dict(sorted(one.outcomes.items())),
                    "findings": one.findings[:FINDINGS_SHOWN_MAX],
                }
                for one in every
            },
        }

    def write(self, path: Path = REPORT) -> None:
        """Write the figures where `make fuzz` promises them."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.figures(), indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
