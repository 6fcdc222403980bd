"""What the routes work with, and how they refuse."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from fastapi import Request

from services.intake.domain.body import BODY_BYTES_MAX
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.decision import Book, Outcome, Reply
from services.intake.domain.obligees import Registry
from shared.portals import OFFICE, Portal
from shared.problems import Problem
from shared.service import Service
from shared.web import HttpProblem, read_body

TakeIn = Callable[[Book, str, bytes], Awaitable[Reply]]
HasRoom = Callable[[], Awaitable[bool]]
Caller = Callable[..., Awaitable[Portal]]


@dataclass(frozen=True, slots=True)
class Door:
    """The living service, what is known of obligees, how one submission is taken in and when, and who calls."""

    service: Service
    registry: Registry
    take_in: TakeIn
    has_room: HasRoom
    caller: Caller


async def read(request: Request) -> bytes:
    """The body of a request.

    Raises:
        HttpProblem: 413 if it is too large, in the words of the catalogue; 408 if it takes too long.
    """
    too_large = problem(Code.BODY_TOO_LARGE, "", bytes_max=BODY_BYTES_MAX)
    return await read_body(request, BODY_BYTES_MAX, [too_large])


def refuse(outcome: Outcome, problems: tuple[Problem, ...]) -> NoReturn:
    """Answer with all problems at once: 409 where an id is taken, else 422."""
    raise HttpProblem(409 if outcome is Outcome.CONFLICTED else 422, errors=problems)


def owner_of(me: Portal, asked: str | None) -> str:
    """Whose submission is meant where one is named: the caller's own, unless the office names another portal.

    Raises:
        HttpProblem: 403 if a portal asks for another's.
    """
    if asked is not None and asked != me.id and me.scope != OFFICE:
        raise HttpProblem(403, detail="A portal reads its own submissions only.")
    return asked or me.id


def scope_of(me: Portal, asked: str | None) -> str | None:
    """Whose submissions are listed: the caller's own; the office's list holds all portals', unless it names one."""
    return asked if me.scope == OFFICE else owner_of(me, asked)
