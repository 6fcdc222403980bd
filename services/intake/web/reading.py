"""Reading: what became of applications and changes. Portals see their own, the office everybody's."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.intake import store
from services.intake.domain.decision import Book, Outcome
from services.intake.domain.fields import GUARANTEE_NUMBER_SHAPE, ID_CHARS_MAX, ID_SHAPE, PORTAL_SHAPE
from services.intake.store import Answered, Filters
from services.intake.web import shapes
from services.intake.web.door import Door, owner_of, scope_of
from shared.portals import Portal
from shared.web import HttpProblem, problems

PAGE_ITEMS: Final = 50
PAGE_ITEMS_MAX: Final = 200
CURSOR_MAX: Final = 2**63 - 1

_PortalName = Annotated[str | None, Field(pattern=f"^{PORTAL_SHAPE.pattern}$")]
_Id = Annotated[str | None, Field(max_length=ID_CHARS_MAX)]


class _Asked(BaseModel):
    """How a list is narrowed; `cursor` is the `next_cursor` of the page before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    portal: _PortalName = None
    outcome: Outcome | None = None
    cursor: Annotated[int | None, Field(ge=1, le=CURSOR_MAX)] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS


class AskedApplications(_Asked):
    """How the list of applications is narrowed."""

    application_id: _Id = None


class AskedChanges(_Asked):
    """How the list of changes is narrowed."""

    change_id: _Id = None
    guarantee_number: Annotated[str | None, Field(pattern=f"^{GUARANTEE_NUMBER_SHAPE.pattern}$")] = None


def reading_routes(door: Door) -> APIRouter:
    """`GET /v1/applications`, `GET /v1/changes` and what is below them."""
    router = APIRouter(tags=["reading"])
    portal_of, told = Depends(door.caller), problems(403)

    @router.get("/v1/applications", responses=told)
    async def applications(
        me: Annotated[Portal, portal_of], asked: Annotated[AskedApplications, Query()]
    ) -> shapes.Page:
        """Give the applications that were answered, newest first."""
        rows, more = await _page(door, Book.APPLICATIONS, me, asked, asked.application_id)
        return shapes.Page(items=tuple(map(shapes.entry, rows)), next_cursor=more)

    @router.get("/v1/applications/{application_id:path}", responses=told)
    async def application(
        application_id: str, me: Annotated[Portal, portal_of], portal: Annotated[_PortalName, Query()] = None
    ) -> shapes.Detail:
        """Give the accepted application of this id, or else its latest refusal; the office names whose it is."""
        return shapes.detail(await _latest(door, Book.APPLICATIONS, owner_of(me, portal), application_id))

    @router.get("/v1/changes", responses=told)
    async def changes(me: Annotated[Portal, portal_of], asked: Annotated[AskedChanges, Query()]) -> shapes.ChangePage:
        """Give the changes that were answered, newest first; what the issuer made of them stands at the guarantee."""
        rows, more = await _page(door, Book.CHANGES, me, asked, asked.change_id, asked.guarantee_number)
        return shapes.ChangePage(items=tuple(map(shapes.change_entry, rows)), next_cursor=more)

    @router.get("/v1/changes/{change_id:path}", responses=told)
    async def change(
        change_id: str, me: Annotated[Portal, portal_of], portal: Annotated[_PortalName, Query()] = None
    ) -> shapes.ChangeDetail:
        """Give the accepted change of this id, or else its latest refusal; the office names whose it is."""
        return shapes.change_detail(await _latest(door, Book.CHANGES, owner_of(me, portal), change_id))

    return router


async def _page(
    door: Door, book: Book, me: Portal, asked: _Asked, name: str | None, guarantee_number: str | None = None
) -> tuple[list[Answered], str | None]:
    filters = Filters(scope_of(me, asked.portal), name, asked.outcome, guarantee_number, asked.cursor)
    if name is not None and ID_SHAPE.fullmatch(name) is None:
        return [], None
    async with door.service.pool.acquire() as connection:
        rows = await store.page(connection, book, filters, asked.limit + 1)
    more = str(rows[asked.limit - 1].submission_no) if len(rows) > asked.limit else None
    return rows[: asked.limit], more


async def _latest(door: Door, book: Book, owner: str, name: str) -> Answered:
    if ID_SHAPE.fullmatch(name) is None:
        raise HttpProblem(404)
    async with door.service.pool.acquire() as connection:
        row = await store.latest(connection, book, (owner, name))
    if row is None:
        raise HttpProblem(404)
    return row
