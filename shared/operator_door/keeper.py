"""Who stands at the operator door: it lets in whoever has a token, and lets act whoever may."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.operator_door.operators import Operator, Operators
from shared.web import BEARER_TOKEN_CHARS_MAX, HttpProblem, unauthenticated


def door_keeper(operators: Operators, *, acting: bool = False) -> Callable[..., Awaitable[Operator]]:
    """Make the dependency that gives the operator of a request; with `acting`, viewers are answered 403."""
    scheme = HTTPBearer(auto_error=False, description="A viewer's or an operator's token.")

    async def caller(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]
    ) -> Operator:
        token = given.credentials if given else ""
        operator = operators.by_token(token) if 0 < len(token) <= BEARER_TOKEN_CHARS_MAX else None
        if operator is None:
            raise unauthenticated(request, token, "hosho-operators")
        if acting and operator.scope != "operator":
            raise HttpProblem(403, detail="This needs an operator's token; yours is a viewer's.")
        return operator

    return caller
