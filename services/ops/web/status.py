"""What is going on, and what is wrong: flow, ledger, alarms, and what operators did."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.ops.domain.ledger import Verdict
from services.ops.handlers.reconciling import Reconciler, Report, report
from services.ops.handlers.watching import Watch
from services.ops.store import alarms, desk, finding
from services.ops.store.alarms import Alarm
from services.ops.web.answers import Acknowledgement, Acts, Alarms, FindingsTaken, FlowTold, LedgerTold
from services.ops.web.wrong import ALARMS_MAX
from shared import clock, metrics
from shared.operator_door.acts import KEPT, Act, record
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.service import Service
from shared.web import HttpProblem, problems

ACTS_PAGE: Final = 50
ACTS_PAGE_MAX: Final = 500
NUMBER_MAX: Final = 2**63 - 1
FINDINGS_MAX: Final = 500
DOCTOR: Final = "doctor"
DOUBLE: Final = "double"


class Findings(Act):
    """What `hosho doctor` found, as sentences with their mends; none means that all is well."""

    findings: Annotated[list[Annotated[str, Field(max_length=500, pattern=KEPT)]], Field(max_length=FINDINGS_MAX)]


class Acknowledged(Act):
    """A double that somebody has looked into."""

    key: Annotated[str, Field(max_length=1_000, pattern=KEPT)]


def status_routes(service: Service, operators: Operators, watch: Watch, reconciler: Reconciler) -> APIRouter:
    """Flow, ledger, alarms and acts."""
    router = APIRouter(prefix="/v1", tags=["status"])
    router.include_router(_looking(service, operators, watch, reconciler))
    router.include_router(_alarms(service, operators))
    return router


def _looking(service: Service, operators: Operators, watch: Watch, reconciler: Reconciler) -> APIRouter:
    router = APIRouter()
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/flow", response_model=FlowTold)
    async def flow(_: viewer) -> dict[str, Any]:
        """Everything as it was seen last: services, queues, and the points of the last hour."""
        seen = watch.flow or await watch.look()
        queues = (
            None if seen.queues is None else [_queue(one.queue, one.messages, one.consumers) for one in seen.queues]
        )
        return {"at": seen.at, "services": seen.services, "queues": queues, "history": list(watch.history)}

    @router.get("/ledger", response_model=LedgerTold)
    async def ledger(_: viewer) -> dict[str, Any]:
        """Put the ledger together now: the equation, and where services know other numbers."""
        return ledger_told(await report(service, reconciler.doors))

    @router.get("/acts", response_model=Acts)
    async def acts(
        _: viewer,
        before: Annotated[int | None, Query(ge=1, le=NUMBER_MAX)] = None,
        limit: Annotated[int, Query(ge=1, le=ACTS_PAGE_MAX)] = ACTS_PAGE,
    ) -> dict[str, Any]:
        """What operators did, the latest first: who, when, what, to what, and why."""
        return await acts_told(service, before, limit)

    return router


def _alarms(service: Service, operators: Operators) -> APIRouter:
    router = APIRouter()
    viewer = Annotated[Operator, Depends(door_keeper(operators))]
    operator = Annotated[Operator, Depends(door_keeper(operators, acting=True))]

    @router.get("/alarms", response_model=Alarms)
    async def listed(_: viewer) -> dict[str, Any]:
        """What is wrong, and what was within a day."""
        async with service.pool.acquire() as connection:
            found = await alarms.listed(connection, ALARMS_MAX)
            waiting = await desk.open_counts(connection)
        parked = [{"consumer": name, "facts": facts, "oldest_at": at} for name, facts, at in waiting]
        return {"alarms": [_alarm(one) for one in found], "parked": parked}

    @router.post("/alarms/acknowledge", response_model=Acknowledgement, responses=problems(403, 404))
    async def acknowledge(wish: Acknowledged, who: operator) -> dict[str, Any]:
        """Clear the alarm of a double: nothing clears it by itself, for what was told twice stays so."""
        if not await acknowledged(service, who, wish.key, wish.reason):
            raise HttpProblem(404, detail="No such alarm is raised; perhaps somebody was faster.")
        return {"acknowledged": wish.key}

    @router.post("/findings", response_model=FindingsTaken, responses=problems(403))
    async def take_findings(found: Findings, _: operator) -> dict[str, Any]:
        """Take what the doctor found; what it does not find any more is cleared."""
        async with service.unit_of_work() as work:
            for text in found.findings:
                await alarms.sound(work.connection, Alarm(DOCTOR, text, text))
            cleared = await alarms.clear_others(work.connection, DOCTOR, found.findings)
        metrics.DOCTOR.set(clock.now().timestamp())
        return {"raised": len(found.findings), "cleared": len(cleared)}

    return router


async def acts_told(service: Service, before: int | None, limit: int) -> dict[str, Any]:
    """What operators did before that entry, the latest first."""
    async with service.pool.acquire() as connection:
        found = await finding.acts(connection, before, limit)
    told = [{"no": one.entry_no, "service": one.service, "at": one.at, **one.search} for one in found]
    return {"acts": told, "next_before": found[-1].entry_no if len(found) == limit else None}


async def acknowledged(service: Service, who: Operator, key: str, reason: str) -> bool:
    """Clear the alarm of a double; whether it was still raised."""
    async with service.unit_of_work() as work:
        if not await alarms.clear(work.connection, DOUBLE, key):
            return False
        record(work, who, "alarm.acknowledge", [key], reason)
    return True


def _queue(name: str, messages: int, consumers: int) -> dict[str, Any]:
    return {"queue": name, "messages": messages, "consumers": consumers}


def ledger_told(found: Report) -> dict[str, Any]:
    """The ledger as JSON and pages show it."""
    return {
        "at": found.at,
        "applications": found.applications,
        "requested": found.requested,
        "columns": dict(found.columns),
        "verdict": found.verdict,
        # Neither true nor false while a service that could not be asked may know otherwise.
        "balanced": None if found.verdict is Verdict.UNKNOWN else found.verdict is Verdict.EVEN,
        "differences": [
            {"what": one.what, "journal": one.journal, "service": one.service} for one in found.differences
        ],
        "told": found.told,
        "unasked": found.unasked,
        "outbox_rows": found.outbox_rows,
    }


def _alarm(one: Alarm) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "key": one.key,
        "told": one.told,
        "ids": one.ids,
        "raised_at": one.raised_at,
        "seen_at": one.seen_at,
        "cleared_at": one.cleared_at,
    }
