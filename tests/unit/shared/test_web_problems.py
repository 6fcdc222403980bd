"""What the OpenAPI description of a route tells of problems."""

import pytest
from fastapi import FastAPI

from tests.unit.shared.test_web import build_app


@pytest.fixture
def app() -> FastAPI:
    return build_app()


def test_the_description_says_that_errors_are_problem_json(app: FastAPI) -> None:
    responses = app.openapi()["paths"]["/form"]["post"]["responses"]

    assert set(responses) == {"200", "400", "408", "413", "422", "503", "default"}
    for status in set(responses) - {"200"}:
        assert list(responses[status]["content"]) == ["application/problem+json"]


def test_the_description_of_a_locked_door_tells_what_a_stranger_gets_and_when_to_come_again(app: FastAPI) -> None:
    responses = app.openapi()["paths"]["/me"]["get"]["responses"]

    assert set(responses) == {"200", "401", "429", "503", "default"}
    assert {status for status, told in responses.items() if "Retry-After" in told.get("headers", ())} == {"429", "503"}
