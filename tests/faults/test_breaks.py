"""The breaks still fit the tree: each changes what it says, leaves Python behind, and names a check that is there."""

import ast

import pytest

from deploy.places import CHECKOUT
from tests.faults.breaking import DoesNotFit, _decisive, _line_with, _summary, applied
from tests.faults.breaks import BREAKS, Break, Edit

TEN = 10


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_a_break_still_applies_and_leaves_python_behind(one: Break) -> None:
    texts = {edit.path: (CHECKOUT / edit.path).read_text(encoding="utf-8") for edit in one.edits}
    for edit in one.edits:
        texts[edit.path] = applied(texts[edit.path], edit)

    for path, text in texts.items():
        assert text != (CHECKOUT / path).read_text(encoding="utf-8")
        ast.parse(text)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_the_check_of_a_break_is_there(one: Break) -> None:
    path, _, name = one.check.partition("::")
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_ten_breaks_with_names_of_their_own() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS) == TEN


@pytest.mark.parametrize("text", ["", "twice, twice"])
def test_a_break_that_does_not_fit_any_more_fails_loudly(text: str) -> None:
    with pytest.raises(DoesNotFit, match=r"a\.py holds"):
        applied(text, Edit("a.py", "twice", "once"))


SAID = """\
F
=== FAILURES ===
tests/faults/test_quick.py:31: in test_brief_faults
    assert outcome.clean
E   AssertionError: seed 2026, lost 1
E     missed: Cut(wire='a')
E     NOT CLEAN lost: portal-a/S1-000001: no guarantee
=== short test summary info ===
FAILED tests/faults/test_quick.py::test_brief_faults - AssertionError
1 failed in 30.10s
sys:1: ResourceWarning: subprocess 5734 is still running
"""


def test_the_line_that_says_what_was_found_and_the_line_that_counts_are_picked_out() -> None:
    assert _decisive(SAID) == "NOT CLEAN lost: portal-a/S1-000001: no guarantee"
    assert _summary(SAID) == "1 failed in 30.10s"
    assert _decisive("E   assert 3 == 60\n1 failed in 2.00s") == "assert 3 == 60"
    assert _summary("E  SyntaxError: invalid syntax") == "no test ran"
    assert _line_with(SAID, "NOT CLEAN lost") == "NOT CLEAN lost: portal-a/S1-000001: no guarantee"
    assert _line_with(SAID, "NOT CLEAN doubled") is None
