"""Sending: applications and changes are taken in, or judged without being taken in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.intake import handlers, store
from services.intake.domain.body import Unreadable
from services.intake.domain.change import GoodChange
from services.intake.domain.decision import Book, Outcome, Refuse, Reply, decide
from services.intake.domain.judgement import Good
from services.intake.domain.verdict import Bad
from services.intake.web import shapes
from services.intake.web.description import body_of
from services.intake.web.door import Door, read, refuse
from shared.logs import get_logger
from shared.portals import Portal
from shared.web import RETRY_AFTER_S, HttpProblem, problems

logger = get_logger()


def sending_routes(door: Door) -> APIRouter:
    """`POST /v1/applications`, `POST /v1/changes` and their checks."""
    router = APIRouter(tags=["sending"])
    portal_of, told = Depends(door.caller), problems(409)

    @router.post(
        "/v1/applications",
        status_code=202,
        openapi_extra=body_of("Application"),
        responses={200: {"model": shapes.Receipt, "description": "The same content again"}, **told},
    )
    async def apply(request: Request, response: Response, portal: Annotated[Portal, portal_of]) -> shapes.Receipt:
        """Take an application in: 202 once it is safe and judged good, 200 the same again for a repeat."""
        reply = await _take_in(door, Book.APPLICATIONS, portal.id, request)
        response.status_code = 200 if reply.is_repeat else 202
        return shapes.receipt(_accepted_id(reply), reply.remarks)

    @router.post("/v1/applications/check", responses=told, openapi_extra=body_of("Application"))
    async def check(request: Request, portal: Annotated[Portal, portal_of]) -> shapes.Checked:
        """Judge an application as it would be judged now, and store nothing."""
        good: Good = await _judged_good(door, Book.APPLICATIONS, portal.id, request)
        return shapes.checked(good.application, good.remarks, good.terms)

    @router.post(
        "/v1/changes",
        status_code=202,
        openapi_extra=body_of("Change"),
        responses={200: {"model": shapes.ChangeReceipt, "description": "The same content again"}, **told},
    )
    async def change(
        request: Request, response: Response, portal: Annotated[Portal, portal_of]
    ) -> shapes.ChangeReceipt:
        """Take a change in: its form is judged here, what needs the guarantee by the issuer afterwards."""
        reply = await _take_in(door, Book.CHANGES, portal.id, request)
        response.status_code = 200 if reply.is_repeat else 202
        return shapes.change_receipt(_accepted_id(reply), reply.remarks)

    @router.post("/v1/changes/check", responses=told, openapi_extra=body_of("Change"))
    async def check_change(request: Request, portal: Annotated[Portal, portal_of]) -> shapes.ChangeChecked:
        """Judge the form of a change as it would be judged now, and store nothing."""
        good: GoodChange = await _judged_good(door, Book.CHANGES, portal.id, request)
        return shapes.ChangeChecked(change_id=good.submitted.change_id, change=good.change, remarks=good.remarks)

    return router


async def _take_in(door: Door, book: Book, portal: str, request: Request) -> Reply:
    if not await door.has_room():
        raise HttpProblem(429, headers={"Retry-After": str(RETRY_AFTER_S)})
    reply = await door.take_in(book, portal, await read(request))
    logger.info(
        "submission.answered",
        book=book.value,
        portal=portal,
        id=reply.id,
        outcome=reply.outcome.value,
        repeat=reply.is_repeat,
        codes=[problem.code for problem in reply.problems],
    )
    if reply.outcome is not Outcome.ACCEPTED:
        refuse(reply.outcome, reply.problems)
    return reply


def _accepted_id(reply: Reply) -> str:
    assert reply.id is not None  # noqa: S101 - what has no id is never accepted; said for the type checker.
    return reply.id


async def _judged_good(door: Door, book: Book, portal: str, request: Request) -> Any:
    """What a good verdict holds.

    Raises:
        HttpProblem: with every problem, or that the id is taken.
    """
    judged = handlers.judged_for(book, portal, await read(request), door.registry)
    if isinstance(judged, Unreadable):
        refuse(Outcome.REJECTED, judged.problems)
    taken = None
    if judged.id is not None:
        identity = (portal, judged.id)
        async with door.service.pool.acquire() as connection:
            taken = (await store.taken(connection, book, [identity])).get(identity)
    decision = decide(book, judged, taken.digest if taken else None)
    if isinstance(decision, Refuse):
        refuse(decision.outcome, decision.problems)
    if isinstance(judged.verdict, Bad):
        # What was accepted once stays so, but by today's rules it would not be, and that is what was asked.
        refuse(Outcome.REJECTED, judged.verdict.problems)
    return judged.verdict
