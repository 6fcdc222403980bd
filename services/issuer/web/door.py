"""What the issuer's routes have in common: whose guarantees a caller sees, and bodies that are read."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from services.issuer.domain.names import GUARANTEE_NUMBER
from shared.portals import OFFICE, Portal
from shared.web import HttpProblem, read_body

Caller = Callable[..., Awaitable[Portal]]

BODY_BYTES_MAX: Final = 4_096

B = TypeVar("B", bound=BaseModel)


def scope_of(caller: Portal) -> str | None:
    """The portal whose guarantees the caller sees; None for the office, who sees all."""
    return None if caller.scope == OFFICE else caller.id


def sees_all(caller: Portal) -> bool:
    """Whether the caller is the office."""
    return scope_of(caller) is None


def known_form(number: str) -> str:
    """The number, if it can be one; what cannot be a number is a guarantee that does not exist."""
    if GUARANTEE_NUMBER.fullmatch(number) is None:
        raise HttpProblem(404)
    return number


async def body_of(request: Request, model: type[B]) -> B:
    """The body of a request as this model.

    Raises:
        HttpProblem: 413 if it is too large, 408 if it takes too long.
        RequestValidationError: with everything that is wrong with it; answered 422.
    """
    try:
        return model.model_validate_json(await read_body(request, BODY_BYTES_MAX) or b"{}")
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        raise RequestValidationError(found) from error


def body_described(model: type[BaseModel]) -> dict[str, Any]:
    """The request body in the OpenAPI description, since it is read by hand and within a limit."""
    needed = any(field.is_required() for field in model.model_fields.values())
    return {"requestBody": {"required": needed, "content": {"application/json": {"schema": model.model_json_schema()}}}}
