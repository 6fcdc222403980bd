"""`make diagram`: the two transition tables of a guarantee's life, written into ARCHITECTURE.md as diagrams."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from deploy.places import CHECKOUT
from services.issuer.domain.states import (
    GUARANTEE_TRANSITIONS,
    VERSION_TRANSITIONS,
    GuaranteeState,
    VersionState,
)

ARCHITECTURE: Final = CHECKOUT / "ARCHITECTURE.md"
BEGIN: Final = "<!-- Written by `make diagram` from services/issuer/domain/states.py. -->"
END: Final = "<!-- Here ends what `make diagram` writes. -->"

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def diagrams() -> str:
    """What stands between the two markers."""
    return "\n".join(
        [
            BEGIN,
            "A guarantee (保証契約):",
            _mermaid(GuaranteeState.REQUESTED, GUARANTEE_TRANSITIONS),
            "A version of its certificate; a mark beside `in_transit`, no state, says whether it is held:",
            _mermaid(VersionState.CREATED, VERSION_TRANSITIONS),
            END,
        ]
    )


def _mermaid(first: S, table: Mapping[tuple[S, E], S]) -> str:
    edges = [f"    {source} --> {target}: {event}" for (source, event), target in table.items()]
    sources = {source for source, _ in table}
    ends = [f"    {state} --> [*]" for state in type(first) if state not in sources]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *edges, *ends, "```"])


def written(text: str) -> str:
    """The page with today's diagrams in it.

    Raises:
        ValueError: if one of the markers is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{BEGIN} and {END} must stand in the page; put them back")
    return before + diagrams() + after


def main(page: Path = ARCHITECTURE) -> None:
    """Write the diagrams into the page."""
    text = page.read_text(encoding="utf-8")
    page.write_text(written(text), encoding="utf-8")


if __name__ == "__main__":
    main()
