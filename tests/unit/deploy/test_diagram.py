"""The diagrams in ARCHITECTURE.md are those of the transition tables as they are."""

import pytest

from deploy.diagram import ARCHITECTURE, BEGIN, END, diagrams, written
from services.issuer.domain.states import GUARANTEE_TRANSITIONS, VERSION_TRANSITIONS


def test_the_page_shows_the_tables_as_they_are() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")

    assert written(page) == page, "run `make diagram`"


def test_every_edge_of_both_tables_is_drawn_with_its_event() -> None:
    lines = [line.strip() for line in diagrams().splitlines()]

    for table in (GUARANTEE_TRANSITIONS, VERSION_TRANSITIONS):
        for (source, event), target in table.items():
            assert f"{source} --> {target}: {event}" in lines


def test_only_what_stands_between_the_markers_is_written() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert written(page) == f"before\n{diagrams()}\nafter\n"
    with pytest.raises(ValueError, match="put them back"):
        written("nothing of the kind")
