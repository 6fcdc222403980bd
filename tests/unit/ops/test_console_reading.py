"""Tables of the console on a phone: each row is a card, so each of its cells says by itself what it is."""

import re
from pathlib import Path

import pytest

from deploy.places import CHECKOUT

TEMPLATES = CHECKOUT / "services" / "ops" / "web" / "console" / "templates"
STACKED = re.compile(r'<table class="stack">(.*?)</table>', re.DOTALL)


@pytest.mark.parametrize("name", ["live_journey", "live_due", "live_facts", "live_parked", "live_acts", "search"])
def test_what_people_read_at_night_is_stacked_on_a_phone(name: str) -> None:
    text = (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")

    assert text.count('<table class="stack">') == text.count("<table") > 0


@pytest.mark.parametrize("page", sorted(TEMPLATES.glob("*.html")), ids=lambda page: page.stem)
def test_every_cell_of_a_stacked_table_is_labelled_as_its_column(page: Path) -> None:
    for table in STACKED.findall(page.read_text(encoding="utf-8")):
        columns = re.findall(r'<th scope="col"[^>]*>\{\{ (.*?) \}\}</th>', table)
        labels = re.findall(r'<t[dh][^>]*? data-label="\{\{ (.*?) \}\}"', table)

        assert columns
        assert labels == columns
