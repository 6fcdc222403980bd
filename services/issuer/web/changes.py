"""What became of a change: a portal without a queue learns here what the guarantee said to it."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.issuer.domain.names import VersionKind
from services.issuer.domain.shown import is_visible
from services.issuer.store import changing
from services.issuer.store.changing import Told
from services.issuer.web.door import Caller, sees_all
from shared.messages.moments import Instant
from shared.portals import Portal
from shared.problems import Problem
from shared.service import Service
from shared.web import HttpProblem, problems

_ID: Final = re.compile(r"[!-~]{1,64}")

PortalName = Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")]


class DecidedChange(BaseModel):
    """A change that was decided: `version` is the one it made, or `problems` say why it made none.

    `issued_at` is there once that version has arrived, and as long as contractors see it in the history.
    """

    model_config = ConfigDict(frozen=True)

    portal: str
    change_id: str
    guarantee_number: str
    version_kind: VersionKind
    accepted_at: Instant
    decided_at: Instant
    version: int | None
    issued_at: Instant | None
    problems: tuple[Problem, ...]


def changes_routes(service: Service, caller: Caller) -> APIRouter:
    """`GET /v1/changes/{change_id}`."""
    router = APIRouter(prefix="/v1/changes", tags=["changes"])

    @router.get("/{change_id:path}", responses=problems(403))
    async def change(
        change_id: str, me: Annotated[Portal, Depends(caller)], portal: Annotated[PortalName, Query()] = None
    ) -> DecidedChange:
        """What became of a change that intake accepted; the office names whose it is.

        404 until it is decided, and for ever if intake refused it or never had it: ask only after a 200 or 202.
        """
        if portal not in (None, me.id) and not sees_all(me):
            raise HttpProblem(403, detail="A portal reads its own changes only.")
        if _ID.fullmatch(change_id) is None:
            raise HttpProblem(404)
        async with service.pool.acquire() as connection:
            found = await changing.told(connection, (portal or me.id, change_id))
        if found is None:
            raise HttpProblem(404)
        return DecidedChange(**_shown(found, everything=sees_all(me)))

    return router


def _shown(found: Told, *, everything: bool) -> dict[str, Any]:
    decided, state = found.decided, found.state
    kind = VersionKind(decided.version_kind)
    seen = everything or (state is not None and is_visible(kind, state, found.issued_at))
    return {
        "portal": decided.portal,
        "change_id": decided.change_id,
        "guarantee_number": decided.guarantee_number,
        "version_kind": kind,
        "accepted_at": decided.accepted_at,
        "decided_at": found.decided_at,
        "version": decided.version,
        "issued_at": found.issued_at if seen else None,
        "problems": decided.problems,
    }
