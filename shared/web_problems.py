"""The problems of every route in its OpenAPI description, as far as they follow from what the route is.

What follows from its rules (403, 406, 409, and 404 without a name in the path) a route tells itself, by `problems()`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from shared.health import HEALTH_PATHS
from shared.refusals import OF_STATUS, REFUSALS

_JSON: Final = "application/json"
_PROBLEM_JSON: Final = "application/problem+json"
_FIRST_PROBLEM: Final = 400

_RETRY_AFTER: Final = {
    "Retry-After": {"schema": {"type": "string"}, "description": "After how many seconds to come again"}
}
_RETRIED: Final = (429, 503)


def with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with the problems of every operation told by status; doing it again changes nothing."""
    for path, operations in schema.get("paths", {}).items():
        for operation in operations.values():
            responses = operation["responses"]
            content = responses["default"]["content"]
            if _JSON in content:
                content[_PROBLEM_JSON] = content.pop(_JSON)
            for status in _statuses(path, operation):
                responses.setdefault(
                    str(status), {"description": REFUSALS[OF_STATUS[status]].title, "content": deepcopy(content)}
                )
            for status, response in responses.items():
                _tell(status, response)
            operation["responses"] = dict(sorted(responses.items()))
    return schema


def _tell(status: str, response: dict[str, Any]) -> None:
    if status.isdecimal() and int(status) >= _FIRST_PROBLEM:
        content = response["content"]
        if _JSON in content:
            content[_PROBLEM_JSON] = content.pop(_JSON)
        if int(status) in _RETRIED:
            response["headers"] = _RETRY_AFTER


def _statuses(path: str, operation: Mapping[str, Any]) -> Iterator[int]:
    if path in HEALTH_PATHS:
        return
    yield 503
    if operation.get("security"):
        yield from (401, 429)
    if "{" in path:
        yield 404
    if operation.get("parameters") or "requestBody" in operation:
        yield 422
    if "requestBody" in operation:
        yield from (400, 408, 413)
