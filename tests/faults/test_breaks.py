"""The breaks still fit the tree: each changes what it says, leaves Python behind, and names a check that is there."""

import ast

import pytest

from deploy.places import CHECKOUT
from tests.faults.breaking import DoesNotFit, applied
from tests.faults.breaks import BREAKS, Break, Edit

NINE = 9


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


def test_there_are_nine_breaks_with_names_of_their_own() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS) == NINE


@pytest.mark.parametrize("text", ["", "twice, twice"])
def test_a_break_that_does_not_fit_any_more_fails_loudly(text: str) -> None:
    with pytest.raises(DoesNotFit, match=r"a\.py holds"):
        applied(text, Edit("a.py", "twice", "once"))
