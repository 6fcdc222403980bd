"""The pages themselves: each address, the view it shows, and the template of the same name."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.ops.web.console.gate import Gate
from services.ops.web.console.pages import problem
from services.ops.web.console.sessions import Session
from services.ops.web.console.views import LIVE, VIEWS
from services.ops.web.means import Means
from shared import postgres

ADDRESSES: Final[Mapping[str, str]] = {
    "/": "front",
    "/flow": "flow",
    "/journey": "search",
    "/journey/{of:path}": "journey",
    "/parked": "parked",
    "/parked/facts": "facts",
    "/parked/fact/{id}": "fact",
    "/parked/progress/{act}": "progress",
    "/due": "due",
    "/ledger": "ledger",
    "/acts": "acts",
    "/runbook": "runbook",
}


def page_routes(means: Means, gate: Gate) -> APIRouter:
    """One route for each page."""
    router = APIRouter()
    for address, view in ADDRESSES.items():
        router.get(address, name=view)(_shower(means, gate, view))
    return router


def _shower(means: Means, gate: Gate, view: str) -> Callable[..., Any]:
    looker = Annotated[Session, Depends(gate.looking())]

    async def show(request: Request, session: looker) -> Response:
        params = {**request.query_params, **request.path_params}
        try:
            facts = await VIEWS[view](means, params)
        except postgres.FAILURES as error:
            if not postgres.is_transient(error):
                raise
            raise problem(gate.pages, request, 503, "problem.database_away", session) from None
        if facts is None:
            raise problem(gate.pages, request, 404, "problem.nothing_here", session)
        only = facts.get("found", [])
        if view == "search" and len(only) == 1 and facts["words"]:
            # A portal chose this id, and it may hold whatever an address gives a meaning to.
            whose = quote(f"{only[0]['portal']}/{only[0]['application_id']}", safe="/")
            return RedirectResponse(f"/journey/{whose}", 303)
        wanted = {name: text for name, text in params.items() if name != "lang"}
        live = f"/live/{view}?{urlencode(wanted)}" if view in LIVE else ""
        return gate.pages.page(request, view, {"view": view, "live": live, **facts}, session=session)

    return show
