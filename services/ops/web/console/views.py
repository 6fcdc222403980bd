"""What each page shows, as values for its template; the page itself and its live part are made of the same."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from services.ops.domain.desk import State, shown
from services.ops.domain.search import QUERY_CHARACTERS_MAX
from services.ops.handlers import acting
from services.ops.handlers.watching import POINT_EVERY_S, Flow
from services.ops.store import alarms, desk
from services.ops.store.desk import Filters
from services.ops.web.console.charts import HEIGHT, WIDTH, charts
from services.ops.web.console.runbook import read_in
from services.ops.web.journeys import found_by, journey_told, parked_told
from services.ops.web.means import Means
from services.ops.web.status import ACTS_PAGE, acts_told, ledger_told
from services.ops.web.wrong import ALARMS_MAX, wrong_now
from shared import clock
from shared.errors import Transient
from shared.topology import SERVICES

FACTS_PAGE: Final = 200
ROWS_PAGE: Final = 100
WHICH: Final = ("due", "calling", "waiting", "held")

Params = Mapping[str, str]
View = Callable[[Means, Params], Awaitable[dict[str, Any] | None]]
"""The values of a page, None when there is no such thing."""

_FAILURES: Final = ("_refused", "_rejected", "_conflicted", "_declined")


async def front(means: Means, _: Params) -> dict[str, Any]:
    """What is wrong, since when, how many, why, and what to press."""
    wrong = await wrong_now(means)
    return {"at": wrong.at, "troubles": wrong.troubles, "database_is_away": wrong.database_is_away}


async def _flow(means: Means) -> Flow:
    return means.watch.flow or await means.watch.look()


async def flow(means: Means, _: Params) -> dict[str, Any]:
    """The services from left to right, and the charts of the last hour."""
    now = await _flow(means)
    history = list(means.watch.history)
    last_minute = history[-int(60 / POINT_EVERY_S) :]
    queues = {one.queue: one for one in now.queues or ()}
    columns = [
        {
            "name": name,
            "state": now.services[name],
            "queues": [one for queue, one in sorted(queues.items()) if queue.partition(".")[0] == name],
            "per_minute": sum(count for point in last_minute for count in _of(name, point["told"]).values()),
            "failures": sum(
                count
                for point in history
                for kind, count in _of(name, point["told"]).items()
                if kind.rpartition(".")[0].endswith(_FAILURES)
            ),
        }
        for name in SERVICES
        if name in now.services
    ]
    others = [one for queue, one in sorted(queues.items()) if queue.partition(".")[0] not in SERVICES]
    drawn = charts(history, lambda point: (now.at - point["at"]).total_seconds())
    return {
        "at": now.at,
        "columns": columns,
        "others": others,
        "broker_answers": now.queues is not None,
        "charts": drawn,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _of(name: str, told: Mapping[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in told.items() if kind.partition(".")[0] == name}


async def search(means: Means, params: Params) -> dict[str, Any]:
    """Applications by whatever somebody knows of them."""
    words = params.get("q", "").strip()
    wrong = None
    if not words.isprintable() or len(words) > QUERY_CHARACTERS_MAX:
        # What was asked is not repeated: it is no text that anybody could read.
        words, wrong = "", "journey.not_text"
    found = (
        await found_by(means.service, None, None, [], words)
        if words
        else {"found": [], "more": False, "unaccepted": []}
    )
    return {"words": words, "wrong": wrong, **found}


async def journey(means: Means, params: Params) -> dict[str, Any] | None:
    """One application: every step, where its lines stand, and what comes next."""
    correlation = params.get("of", "")
    if not correlation.isprintable():
        return None
    return await journey_told(means.service, means.doors, correlation)


async def parked(means: Means, _: Params) -> dict[str, Any]:
    """What lies on the desk, by hearer and error."""
    async with means.service.pool.acquire() as connection:
        return {"groups": await desk.groups(connection)}


async def parked_facts(means: Means, params: Params) -> dict[str, Any]:
    """The facts of a group one by one."""
    consumer, code, kind = (params.get(name) for name in ("consumer", "code", "type"))
    if not all((text or "").isprintable() for text in (consumer, code, kind)):
        consumer = ""
    filters = Filters(state=State.OPEN, consumer=consumer, code=code, type=kind)
    async with means.service.pool.acquire() as connection:
        found = await desk.page(connection, filters, FACTS_PAGE + 1)
    return {
        "group": {"consumer": consumer or "", "code": code, "type": kind},
        "facts": [parked_told(one) for one in found[:FACTS_PAGE]],
        "more": len(found) > FACTS_PAGE,
        "page_max": FACTS_PAGE,
    }


async def parked_fact(means: Means, params: Params) -> dict[str, Any] | None:
    """One fact with its content, secrets and personal data struck out."""
    identity = as_uuid(params.get("id", ""))
    if identity is None:
        return None
    async with means.service.pool.acquire() as connection:
        found = await desk.some(connection, [identity])
        bodies = await desk.bodies(connection, [identity])
    if not found:
        return None
    return {"fact": parked_told(found[0]), "content": shown(bodies[identity])}


async def progress(means: Means, params: Params) -> dict[str, Any] | None:
    """How far a replay is."""
    act_id = as_uuid(params.get("act", ""))
    found = None if act_id is None else await acting.progress(means.service, means.doors, act_id)
    return None if found is None or not found.facts else {"progress": found, "act_id": act_id}


async def due(means: Means, params: Params) -> dict[str, Any]:
    """What waits for an outside, why, and until when; beside it how each outside stands."""
    now = await _flow(means)
    stages = [(name, stage) for name, state in now.services.items() for stage in (state or {}).get("stages", [])]
    service, stage = next(
        ((name, one) for name, one in stages if one["errand"] == params.get("errand")),
        stages[0] if stages else ("", None),
    )
    which = params.get("which", "")
    which = which if which in WHICH else _fullest(stage)
    rows, is_away = [], False
    if stage is not None:
        asked = {"errand": stage["errand"], "which": which, "limit": str(ROWS_PAGE)}
        try:
            rows = (await means.doors.look(service, "/due", params=asked))["rows"]
        except Transient:
            is_away = True
    return {
        "stages": stages,
        "service": service,
        "stage": stage,
        "which": which,
        "kinds": WHICH,
        "rows": rows,
        "is_away": is_away,
        "page_max": ROWS_PAGE,
    }


def _fullest(stage: Mapping[str, Any] | None) -> str:
    """What a person most likely wants to see: what is held, then what waits."""
    rows = {} if stage is None else stage["rows"]
    return next((which for which in ("held", "waiting", "due", "calling") if rows.get(which)), "waiting")


async def ledger(means: Means, _: Params) -> dict[str, Any]:
    """The equation, as it was reconciled last, and the alarms that follow from it."""
    found = means.reconciler.report or await means.reconciler.look()
    async with means.service.pool.acquire() as connection:
        listed = await alarms.listed(connection, ALARMS_MAX)
    raised = [one for one in listed if one.kind in ("gap", "double", "overdue")]
    return {"ledger": ledger_told(found), "alarms": raised, "now": clock.now()}


async def acts(means: Means, params: Params) -> dict[str, Any]:
    """What operators did, the latest first."""
    before = params.get("before", "")
    return await acts_told(means.service, int(before) if before.isdecimal() and len(before) < 18 else None, ACTS_PAGE)


async def runbook(_: Means, __: Params) -> dict[str, Any]:
    """The runbook; the page knows in which language."""
    return {"read_in": read_in}


def as_uuid(text: str) -> UUID | None:
    """An id as somebody sent it; None if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


VIEWS: Final[Mapping[str, View]] = {
    "front": front,
    "flow": flow,
    "search": search,
    "journey": journey,
    "parked": parked,
    "facts": parked_facts,
    "fact": parked_fact,
    "progress": progress,
    "due": due,
    "ledger": ledger,
    "acts": acts,
    "runbook": runbook,
}
LIVE: Final = frozenset({"front", "flow", "journey", "parked", "facts", "progress", "due", "ledger", "acts"})
"""The pages of which a part changes while somebody looks."""
