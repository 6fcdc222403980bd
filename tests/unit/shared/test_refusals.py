"""The list of codes at the top of answers is what the services can answer: read from their code, not kept beside it."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest

from deploy.places import CHECKOUT
from shared.refusals import OF_STATUS, REFUSALS, Refusal, answers_of, given_by
from shared.topology import SERVICES

ANSWERING: Final = frozenset({"HttpProblem", "problem_response", "raw_problem", "_refuse"})
OF_FRAMEWORK: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""What the framework answers by itself, where no route fits."""


def files(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            yield path.relative_to(CHECKOUT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def calls(module: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ANSWERING:
            yield node


def statuses(call: ast.Call) -> list[int]:
    """The statuses that a call can answer with, where they stand in it; `409 if … else 422` is two."""
    return [
        node.value
        for node in ast.walk(call.args[0])
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value >= HTTPStatus.BAD_REQUEST
    ]


def named(module: ast.Module) -> set[Refusal]:
    """The refusals that a module names."""
    return {
        Refusal[node.attr]
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Refusal"
    }


def test_every_status_that_is_answered_is_in_the_list_and_nothing_else_is() -> None:
    answered = {
        status for _, module in files("services", "shared") for call in calls(module) for status in statuses(call)
    }

    assert {meaning.status for meaning in REFUSALS.values()} == answered | OF_FRAMEWORK


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gives_the_refusals_that_are_said_to_be_its(service: str) -> None:
    own = {code for code, meaning in REFUSALS.items() if meaning.only_at == service}
    given = {code for _, module in files(f"services/{service}") for code in named(module)}
    unnamed = {
        OF_STATUS[status]
        for _, module in files(f"services/{service}")
        for call in calls(module)
        if len(call.args) == 1
        for status in statuses(call)
    }

    assert own <= given | unnamed, "the list names a refusal that this service never gives"
    assert given | unnamed <= set(given_by(service)), "this service gives a refusal that the list says is another's"


def test_a_refusal_is_answered_with_the_status_of_the_list() -> None:
    told = {
        (Path(path).name, code, status)
        for path, module in files("services", "shared")
        for call in calls(module)
        for argument in call.args[1:2]
        for code in named(ast.Module([ast.Expr(argument)], []))
        for status in statuses(call)
    }

    assert told
    assert not [(path, code, status) for path, code, status in told if REFUSALS[code].status != status]


def test_every_refusal_has_words_and_a_status_alone_means_the_first_that_has_it() -> None:
    assert set(REFUSALS) == set(Refusal)
    assert all(meaning.title and meaning.advice.endswith(".") for meaning in REFUSALS.values())
    assert OF_STATUS[409] is Refusal.CONFLICT
    assert OF_STATUS[422] is Refusal.INVALID
    assert OF_STATUS[429] is Refusal.TOO_MANY_REQUESTS


def test_portals_are_told_of_what_concerns_them() -> None:
    of_intake, of_issuer = ({one.code for one in answers_of(service)} for service in ("intake", "issuer"))

    assert of_intake ^ of_issuer == {"conflict", "not_issued", "not_acceptable", "too_many_mails"}
