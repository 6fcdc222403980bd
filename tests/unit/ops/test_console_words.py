"""Every word that a page asks for is there in both languages, and no word is there that nobody asks for."""

import re
from pathlib import Path

import pytest

from deploy.places import CHECKOUT
from services.ops.domain.desk import Obstacle, State
from services.ops.domain.ledger import Column, Step, Verdict
from services.ops.domain.troubles import Kind
from services.ops.web.console import runbook
from services.ops.web.console.words import LANGUAGES, WORDS, Words
from shared.errands.due_store import Which
from shared.errands.operators import Told
from shared.errands.stages import Standing
from shared.topology import SERVICES

CONSOLE = CHECKOUT / "services" / "ops" / "web" / "console"

FAMILIES = {
    "kind": Kind,
    "press": Kind,
    "obstacle": Obstacle,
    "told": Told,
    "column": Column,
    "verdict": Verdict,
    "state": State,
    "step": Step,
    "standing": Standing,
    "which": Which,
    "service": SERVICES,
    "scope": ("viewer", "operator"),
}
"""Sections of which a name is chosen by a value: each value needs its words."""

FREE = frozenset({"type", "line", "form", "why", "errand", "code"})
"""Sections for names that may have no words; then the name itself is shown."""


def _asked() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py"))]
    return {key for text in texts for key in re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", text)}


def test_every_word_that_a_page_names_is_there() -> None:
    named = {
        key
        for path in CONSOLE.rglob("*.html")
        for key in re.findall(r"""\bt\(["']([a-z]+\.[a-z_]+)["']""", path.read_text(encoding="utf-8"))
    }

    assert named
    assert sorted(named - set(WORDS)) == []


@pytest.mark.parametrize("section", FAMILIES)
def test_every_value_has_its_words(section: str) -> None:
    missing = [f"{section}.{name}" for name in FAMILIES[section] if f"{section}.{name}" not in WORDS]

    assert missing == []


def test_no_word_is_there_that_nobody_asks_for() -> None:
    chosen = {"nav", "alarm", "chart", "verb", "desk", *FAMILIES, *FREE}
    idle = [key for key in WORDS if key.partition(".")[0] not in chosen and key not in _asked()]

    assert idle == []


def test_both_languages_say_something_and_take_the_same_values() -> None:
    for key, texts in WORDS.items():
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in texts]

        assert len(texts) == len(LANGUAGES), key
        assert all(text.strip() for text in texts), key
        assert places[0] == places[1], key


def test_a_name_without_words_is_shown_as_it_is() -> None:
    assert Words("en").maybe("type", "never_heard_of") == "never_heard_of"
    assert Words("ja").maybe("type", "mail_sent") == "メールを送った"


def test_every_trouble_leads_to_a_heading_of_the_runbook() -> None:
    headings = {section.heading for section in runbook.sections()}

    assert sorted(set(Kind) - headings) == []


def test_the_runbook_in_japanese_has_the_same_headings_as_the_one_in_english() -> None:
    """All that an alert leads to, in the same order; what can wait for the day is in English only."""
    (_, *japanese), (_, *english) = (runbook.sections(runbook.FILES[language]) for language in LANGUAGES)
    at_night = [section.heading for section in english if section.heading.isalpha()]
    marks = {"**意味**": "**Means**", "**見る**": "**See**", "**する**": "**Press**"}
    told = runbook.FILES["ja"].read_text(encoding="utf-8")

    assert [section.heading for section in japanese] == at_night
    for mark in marks:
        assert told.count(f"\n{mark} ") == len(at_night), mark
    assert set(Kind) <= set(at_night)


def test_whoever_reads_japanese_finds_the_rest_of_the_runbook_in_english_after_it() -> None:
    own, read = runbook.read_in("en"), runbook.read_in("ja")

    assert {language for language, _ in own} == {"en"}
    assert [section.heading for language, section in read if language == "en"] == [
        section.heading for _, section in own if not section.heading.isalpha()
    ]
    assert {section.heading for _, section in own[1:]} <= {section.heading for _, section in read}


def test_the_runbooks_marks_become_pieces(tmp_path: Path) -> None:
    file = tmp_path / "runbook.md"
    file.write_text("# Runbook\n\nLook.\n\n## A\n\n**Press** `b` now.\n", encoding="utf-8")
    first, second = runbook.sections(file)

    assert first.heading == "Runbook"
    assert second.heading == "A"
    assert [(piece.kind, piece.text) for piece in second.paragraphs[0]] == [
        ("strong", "Press"),
        ("text", " "),
        ("code", "b"),
        ("text", " now."),
    ]


def test_without_a_runbook_there_are_no_sections(tmp_path: Path) -> None:
    assert runbook.sections(tmp_path / "none.md") == ()
