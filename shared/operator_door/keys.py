"""What a service tells of sealed keys: its ring by ids, and how many of its rows bear which.

A sealing key may leave the rings when no row anywhere bears its id. Nobody reads another service's tables, so each
service counts its own: what it names here, and the facts in its outbox.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends

from shared.operator_door import store
from shared.operator_door.answers import KeysTold
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator, Operators

if TYPE_CHECKING:
    from shared.postgres import Connection
    from shared.service.description import Service


@dataclass(frozen=True, slots=True)
class Sealed:
    """A service's sealed rows.

    Attributes:
        kids: the ids of its ring, the sealing one first; none if it opens nothing.
        counts: by place and key id, how many rows there are.
    """

    kids: tuple[str, ...]
    counts: "Callable[[Connection], Awaitable[Mapping[str, Mapping[str, int]]]]"


def key_routes(service: "Service", operators: Operators) -> APIRouter:
    """Which keys seal what, by id."""
    router = APIRouter(prefix="/operator", tags=["operators"])
    viewer = Annotated[Operator, Depends(door_keeper(operators))]

    @router.get("/keys", response_model=KeysTold)
    async def keys(_: viewer) -> dict[str, Any]:
        """Tell how many rows each sealing key seals, by place and key id, and how many facts are in hand."""
        async with service.pool.acquire() as connection:
            # A row becomes an outbox row, never the other way round: what moves meanwhile is counted twice, not never.
            own = {} if service.sealed is None else dict(await service.sealed.counts(connection))
            outbox = await store.sealed_in_outbox(connection)
        return {
            "service": service.name,
            "ring": [] if service.sealed is None else list(service.sealed.kids),
            "places": {**own, "outbox": outbox},
            "facts_in_hand": sum(one["facts_in_hand"] for one in service.consumers_told()),
        }

    return router
