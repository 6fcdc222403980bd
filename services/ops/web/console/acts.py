"""What a person does from a page: with a reason, in the person's own name, and told what became of it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from services.ops.domain.desk import Obstacle, State
from services.ops.edge.doors import DoorAway
from services.ops.handlers import acting
from services.ops.handlers.acting import ACTED_FACTS_MAX, Outcome, Wish
from services.ops.store.desk import Filters
from services.ops.web.console.gate import Form, Gate
from services.ops.web.console.pages import problem
from services.ops.web.console.views import as_uuid
from services.ops.web.means import Means
from services.ops.web.status import acknowledged

ROW_VERBS: Final = frozenset({"now", "hold", "release"})
STAGE_VERBS: Final = frozenset({"pause", "resume", "probe"})
DESK_VERBS: Final = frozenset({"replay", "discard"})
KEYS_MAX: Final = 500


def act_routes(means: Means, gate: Gate) -> APIRouter:
    """Everything that can be pressed."""
    router = APIRouter()
    router.include_router(_desk(means, gate))
    router.include_router(_doors(means, gate))
    router.include_router(_alarms(means, gate))
    return router


def _desk(means: Means, gate: Gate) -> APIRouter:
    router = APIRouter()
    actor = Annotated[Form, Depends(gate.acting())]

    @router.post("/parked/act")
    async def act(form: actor) -> Response:
        """Replay or discard facts; a dry run tells what would happen and asks once more."""
        verb = form.one("verb")
        wish = _wish(form)
        if verb not in DESK_VERBS or wish is None:
            raise problem(gate.pages, form.request, 422, "problem.nothing_chosen", form.session)
        is_dry = form.one("step") != "do"
        if verb == "replay":
            outcome = await acting.replay(means.service, means.doors, wish, dry_run=is_dry)
        else:
            outcome = await acting.discard(means.service, wish, dry_run=is_dry)
        if verb == "replay" and outcome.act_id is not None and outcome.done and not outcome.obstacles:
            return RedirectResponse(f"/parked/progress/{outcome.act_id}", 303)
        facts = {"verb": verb, "outcome": outcome, "counted": _counted(outcome), "form": form, "is_dry": is_dry}
        return gate.pages.page(form.request, "desk_done", facts, session=form.session)

    return router


def _wish(form: Form) -> Wish | None:
    """What the form wants done to which facts; None if it names none."""
    ids = [as_uuid(text) for text in form.many("id")]
    operator = form.session.operator
    if form.one("whole_group") == "yes" and form.one("consumer"):
        kind = form.fields.get("type", [None])[0]
        code = form.fields.get("code", [None])[0]
        return Wish(operator, form.reason, filters=Filters(State.OPEN, form.one("consumer"), code, kind))
    known = [one for one in ids if one is not None]
    return Wish(operator, form.reason, known) if known and len(ids) == len(known) <= ACTED_FACTS_MAX else None


def _counted(outcome: Outcome) -> Mapping[Obstacle, list[UUID]]:
    counted: dict[Obstacle, list[UUID]] = {}
    for identity, obstacle in sorted(outcome.obstacles.items()):
        counted.setdefault(obstacle, []).append(identity)
    return counted


def _doors(means: Means, gate: Gate) -> APIRouter:
    router = APIRouter()
    actor = Annotated[Form, Depends(gate.acting())]

    async def ask(form: Form, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """Ask a service with the person's own token, and show what is wrong as a page."""
        if service not in means.doors.services:
            raise problem(gate.pages, form.request, 422, "problem.nothing_chosen", form.session)
        try:
            answer = await means.doors.ask(service, path, form.session.token, method="POST", body=body)
        except DoorAway:
            raise problem(gate.pages, form.request, 503, "problem.door_away", form.session) from None
        if not answer.is_good:
            key = {401: "problem.token_unknown_there", 403: "problem.viewers_look"}.get(
                answer.status, "problem.refused"
            )
            raise problem(gate.pages, form.request, answer.status, key, form.session)
        return answer.body

    @router.post("/due/act")
    async def act_on_rows(form: actor) -> Response:
        """Let rows be tried now, hold them or release them."""
        verb, errand, keys = form.one("verb"), form.one("errand"), form.many("key")
        if verb not in ROW_VERBS or not errand.isidentifier() or not 0 < len(keys) <= KEYS_MAX:
            raise problem(gate.pages, form.request, 422, "problem.nothing_chosen", form.session)
        told = await ask(
            form, form.one("service"), f"/due/{errand}/{verb}", {"keys": list(keys), "reason": form.reason}
        )
        facts = {"verb": verb, "rows": told["rows"], "done": told["done"], "back": _back(errand)}
        return gate.pages.page(form.request, "rows_done", facts, session=form.session)

    @router.post("/stage/act")
    async def act_on_stage(form: actor) -> Response:
        """Pause an outside, resume it, or probe it now."""
        verb, errand = form.one("verb"), form.one("errand")
        if verb not in STAGE_VERBS or not errand.isidentifier():
            raise problem(gate.pages, form.request, 422, "problem.nothing_chosen", form.session)
        told = await ask(form, form.one("service"), f"/stages/{errand}/{verb}", {"reason": form.reason})
        await means.watch.look()
        facts = {"verb": verb, "told": told["told"], "stage": told["stage"], "back": _back(errand)}
        return gate.pages.page(form.request, "stage_done", facts, session=form.session)

    return router


def _back(errand: str) -> str:
    return f"/due?{urlencode({'errand': errand})}"


def _alarms(means: Means, gate: Gate) -> APIRouter:
    router = APIRouter()
    actor = Annotated[Form, Depends(gate.acting())]

    @router.post("/ledger/acknowledge")
    async def acknowledge(form: actor) -> Response:
        """Clear the alarm of a double that somebody has looked into."""
        if not await acknowledged(means.service, form.session.operator, form.one("key"), form.reason):
            raise problem(gate.pages, form.request, 409, "problem.somebody_was_faster", form.session)
        return RedirectResponse("/ledger", 303)

    return router
