"""The journal itself: its head, and an export that can be verified anywhere, offline."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.ops.domain.journal import exported
from services.ops.store import journal as journal_store
from services.ops.web.answers import JournalHead
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators
from shared.service import Service

NUMBER_MAX: Final = 2**63 - 1
NDJSON: Final = "application/x-ndjson"


def chain_routes(service: Service, operators: Operators) -> APIRouter:
    """Reading the journal as it is chained."""
    router = APIRouter(prefix="/v1/journal", tags=["journal"])
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/head", response_model=JournalHead)
    async def head(_: viewer) -> dict[str, Any]:
        """The last batch: an export is whole if its last batch is this one or a later one."""
        async with service.pool.acquire() as connection:
            found = await journal_store.head(connection)
        return {"batch_no": found.batch_no, "entries": found.entries, "chain": found.chain.hex()}

    @router.get("/export", response_class=StreamingResponse, responses={200: {"content": {NDJSON: {}}}})
    async def export(_: viewer, after: Annotated[int, Query(ge=0, le=NUMBER_MAX)] = 0) -> StreamingResponse:
        """Every batch after this one, a line each, as the bytes that were hashed."""

        async def lines() -> AsyncIterator[bytes]:
            async for batch in journal_store.export(service.pool, after):
                yield exported(batch) + b"\n"

        return StreamingResponse(lines(), media_type=NDJSON)

    return router
