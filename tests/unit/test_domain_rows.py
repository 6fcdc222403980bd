"""Every row of the form (domain, section 2), every rule (section 4) and both life cycles (section 5), with the tests
that prove it. A row without a test fails; so does a field of the form or a rule of the code that no row claims.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from services.intake.domain.change import Change
from services.intake.domain.change.form import Corrections
from services.intake.domain.change.rules import RULES as CHANGE_RULES
from services.intake.domain.fields import Part
from services.intake.domain.form import Application
from services.intake.domain.reading import _nested
from services.intake.domain.rules import LINE_RULES, RULES
from shared.messages.intake import ChangeAccepted
from shared.topology import HEARERS
from tests.unit.domain_rows import FORM, RULES_OF_INTAKE, RULES_OF_OTHERS, RULES_ON_CHANGES, Row, row_of

ROOT: Final = Path(__file__).parents[2]


TABLES: Final = (FORM, RULES_OF_INTAKE, RULES_OF_OTHERS)
THE_ISSUER_HEARS_CHANGES: Final = ChangeAccepted.TYPE in HEARERS


def _rows(*tables: Mapping[str, Row]) -> list[tuple[str, Row]]:
    return [(title, row) for table in tables for title, row in table.items()]


@cache
def _tests_in(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(row: Row) -> list[str]:
    """What a row lacks: a test, or one that it names and that is not there."""
    gone = []
    for name in row.tests:
        file, test = name.split(":")
        place = file if "/" in file else f"unit/intake/{file}"
        if test not in _tests_in(ROOT / "tests" / f"{place}.py"):
            gone.append(name)
    return gone or ([] if row.tests else ["no test at all"])


@pytest.mark.parametrize(("title", "row"), _rows(*TABLES), ids=lambda value: value if isinstance(value, str) else "")
def test_every_row_is_proven_by_tests_that_are_there(title: str, row: Row) -> None:
    assert missing(row) == [], title


def test_the_rows_on_changes_are_proven_as_soon_as_the_issuer_hears_them() -> None:
    lacking = {title: missing(row) for title, row in RULES_ON_CHANGES.items() if missing(row)}

    assert all(row.tests for row in RULES_ON_CHANGES.values())
    assert not (THE_ISSUER_HEARS_CHANGES and lacking), lacking


def test_a_row_that_names_nothing_or_something_unknown_is_found() -> None:
    assert missing(row_of("")) == ["no test at all"]
    assert missing(row_of("test_form:test_that_is_not_there")) == ["test_form:test_that_is_not_there"]
    assert missing(row_of("test_nowhere:test_a")) == ["test_nowhere:test_a"]


def test_every_rule_of_section_4_has_its_row() -> None:
    numbered = [title.split()[0] for title, _ in _rows(RULES_OF_INTAKE, RULES_OF_OTHERS, RULES_ON_CHANGES)]

    assert {number for number in numbered if number.isdecimal()} == {str(number) for number in range(1, 16)}
    assert len(FORM) == 15


def _fields(part: type[Part], pointer: str) -> Iterator[str]:
    for name in part.model_fields:
        held, _ = _nested(part, name)
        place = f"{pointer}/{name}"
        if held is None:
            yield place
        else:
            yield from _fields(held, place)


def test_every_field_and_every_rule_of_the_code_belongs_to_a_row() -> None:
    claimed = [claim for _, row in _rows(*TABLES) for claim in row.claims]
    rules = {rule.__name__ for rule in (*RULES, *LINE_RULES)}
    on_changes = {f"change:{rule.__name__}" for rule in CHANGE_RULES}
    change_fields = {f"change:{field}" for field in (*_fields(Change, ""), *_fields(Corrections, "/corrections"))}

    assert set(claimed) == {*_fields(Application, ""), *rules, *change_fields, *on_changes}
    assert len(claimed) == len(set(claimed))
