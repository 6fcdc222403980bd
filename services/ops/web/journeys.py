"""Where is it: an application by whatever a caller knows of it, and every step it took."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from services.ops.domain.desk import OnDesk, obstacle_of
from services.ops.domain.ledger import OVERDUE_S, Step, column_of, mails_of, step_of
from services.ops.domain.search import QUERY_CHARACTERS_MAX
from services.ops.domain.wire import Entry
from services.ops.edge.doors import DoorAway, Doors
from services.ops.store import desk, finding
from services.ops.store.desk import Filters
from services.ops.store.finding import Found, LineTold, Told
from services.ops.web.answers import Journey, JourneysFound
from shared.messages.issuer import CertificateCreated
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.service import Service
from shared.web import HttpProblem

FOUND_MAX: Final = 50
PARKED_MAX: Final = 100
VERSIONS_MAX: Final = 50

_DOER_OF: Final = {Step.POSTING: ("platform_bridge",)}

Words = Annotated[str | None, Query(max_length=QUERY_CHARACTERS_MAX)]


def journey_routes(service: Service, operators: Operators, doors: Doors) -> APIRouter:
    """Finding applications, and telling of one."""
    router = APIRouter(prefix="/v1", tags=["journeys"])
    router.include_router(_finding(service, operators))
    router.include_router(_telling(service, operators, doors))
    return router


def _finding(service: Service, operators: Operators) -> APIRouter:
    router = APIRouter()
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/journeys", response_model=JourneysFound)
    async def find(
        _: viewer,
        application_id: Words = None,
        number: Words = None,
        contractor: Words = None,
        project: Words = None,
        q: Words = None,
    ) -> dict[str, Any]:
        """Find applications by id, guarantee number, contractor or 工事名; `q` is any of these."""
        asked = [text for text in (application_id, number, contractor, project, q) if text]
        if not asked:
            raise HttpProblem(422, detail="Give application_id, number, contractor, project or q.")
        if any("\x00" in text for text in asked):
            raise HttpProblem(422, detail="This is not text.")
        return await found_by(service, application_id, number, [contractor, project], q)

    return router


def _telling(service: Service, operators: Operators, doors: Doors) -> APIRouter:
    router = APIRouter()
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/journeys/{portal}/{application_id:path}", response_model=Journey)
    async def journey(portal: str, application_id: str, _: viewer) -> dict[str, Any]:
        """Tell every step of an application, what lies on the desk of it, where its lines stand and what comes next."""
        correlation = f"{portal}/{application_id}"
        if "\x00" in correlation:
            raise HttpProblem(404)
        told = await journey_told(service, doors, correlation)
        if told is None:
            raise HttpProblem(404)
        return told

    return router


async def found_by(
    service: Service, application_id: str | None, number: str | None, words: Sequence[str | None], q: str | None
) -> dict[str, Any]:
    """The applications that fit, and whether there may be more; all of these are texts that a database takes."""
    asked = [text for text in (application_id, number, *words, q) if text]
    async with service.pool.acquire() as connection:
        rows: list[Found] = []
        if application_id:
            rows += await finding.by_application_id(connection, application_id, FOUND_MAX)
            rows += await finding.by_correlation(connection, [application_id], FOUND_MAX)
        if number:
            whose = await finding.of_number(connection, number.strip())
            rows += await finding.by_correlation(connection, whose, FOUND_MAX)
        # What is called exactly so is what was meant; names of people and works are not ids.
        rows += await finding.by_name(connection, q.strip(), FOUND_MAX) if q else []
        for text in filter(None, (*words, None if rows else q)):
            rows += await finding.by_words(connection, text, FOUND_MAX)
        unaccepted = [] if rows else await finding.of_subject(connection, asked[0])
    found = list({one.correlation: _found(one) for one in rows}.values())
    return {"found": found[:FOUND_MAX], "more": len(found) >= FOUND_MAX, "unaccepted": unaccepted}


async def journey_told(service: Service, doors: Doors, correlation: str) -> dict[str, Any] | None:
    """Everything about one application; None if nobody has heard of it."""
    async with service.pool.acquire() as connection:
        found = await finding.by_correlation(connection, [correlation], 1)
        steps = await finding.steps(connection, correlation)
        lines = await finding.lines(connection, correlation)
        parked = await desk.page(connection, Filters(correlation=correlation), PARKED_MAX)
    if not (found or steps or parked):
        return None
    return {
        "application": _found(found[0]) if found else None,
        "correlation": correlation,
        "steps": _steps(steps),
        "lines": [await _line(doors, one, steps, is_parked=bool(parked)) for one in lines],
        "parked": [parked_told(one) for one in parked],
    }


def _found(one: Found) -> dict[str, Any]:
    return {
        "portal": one.portal,
        "application_id": one.application_id,
        "contractor": one.contractor,
        "project": one.project,
        "obligee": one.obligee,
        "accepted_at": one.accepted_at,
    }


def _steps(steps: Sequence[Told]) -> list[dict[str, Any]]:
    """The steps with the seconds since the one before; a type nobody here knows is a step like any other."""
    told: list[dict[str, Any]] = []
    for number, one in enumerate(steps):
        before = steps[number - 1].announced_at if number else None
        told.append(
            {
                "no": one.entry_no,
                "id": one.fact_id,
                "service": one.service,
                "type": one.type,
                "subject": one.subject,
                "at": one.announced_at,
                "after_s": None if before is None else (one.announced_at - before).total_seconds(),
                "heard_at": one.heard_at,
                "trace_id": one.search.get("trace", "").split("-")[1:2],
                "words": {name: text for name, text in one.search.items() if name != "trace"},
                "batch_no": one.batch_no,
            }
        )
        told[-1]["trace_id"] = told[-1]["trace_id"][0] if told[-1]["trace_id"] else None
    return told


async def _line(doors: Doors, one: LineTold, steps: Sequence[Told], *, is_parked: bool) -> dict[str, Any]:
    step = step_of(one.status) or (Step.MAILING if _mail_waits(steps, one.guarantee_number) else None)
    # A certificate waits at the bridge under what it is told of: its number and version.
    created = {told.subject for told in steps if told.type == CertificateCreated.TYPE}
    keys = sorted(key for key in created if key.startswith(f"{one.guarantee_number}/"))[:VERSIONS_MAX]
    return {
        "kind": one.kind,
        "form": one.form,
        "guarantee_number": one.guarantee_number,
        "status": one.status,
        "since": one.since,
        "column": column_of(one.status, one.form or "electronic", is_parked=is_parked),
        "next": None if step is None else {"step": step, "overdue_after_s": OVERDUE_S[step]},
        "due": await _due(doors, step, keys),
    }


def _mail_waits(steps: Sequence[Told], number: str | None) -> bool:
    """Whether a mail about this guarantee was wished for, and neither sent nor refused yet."""
    entries = (
        Entry(one.fact_id, one.service, one.type, one.subject, "", one.announced_at, b"", one.search) for one in steps
    )
    mails = mails_of(entries)
    wanted = {(mail.subject, mail.ordinal) for mail in mails if mail.wanted_at is not None}
    ended = {(mail.subject, mail.ordinal) for mail in mails if mail.ended_at is not None}
    return any(subject.startswith(f"{number}/") for subject, _ in wanted - ended)


async def _due(doors: Doors, step: Step | None, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What waits at the service that is to do the next step; nothing where that service does not answer."""
    told: list[dict[str, Any]] = []
    for name in _DOER_OF.get(step, ()) if step is not None else ():
        try:
            told += (await doors.look(name, "/due/rows", params=[("key", key) for key in keys]))["rows"]
        except DoorAway:
            continue
    return told


def parked_told(one: OnDesk) -> dict[str, Any]:
    """A fact on the desk without its content."""
    return {
        "id": one.id,
        "fact_id": one.fact_id,
        "consumer": one.consumer,
        "code": one.code,
        "reason": one.reason,
        "type": one.type,
        "subject": one.subject,
        "correlation": one.correlation,
        "replay": one.replay,
        "state": one.state,
        "parked_at": one.parked_at,
        "acted_by": one.acted_by,
        "acted_at": one.acted_at,
        "acted_why": one.acted_why,
        "obstacle": obstacle_of(one),
    }
