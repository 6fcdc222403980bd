"""Sealing keys by id: what still bears them, and whether they may be retired."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends

from services.ops.domain.keys import Look, borne
from services.ops.edge.doors import DoorAway
from services.ops.web.answers import KeysBorne
from services.ops.web.means import Means
from shared.messages.issuer import CertificateCreated
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator
from shared.topology import PARKED_QUEUE, SERVICES, queues_of

LOOKS: Final = 2
TRAVELLED: Final = ("ops", *(name for name in SERVICES if name != "ops"), "ops")
"""The order in which doors are asked: the desk before all others, for a replay, and once more after all of them."""


def key_routes(means: Means) -> APIRouter:
    """`GET /v1/keys`."""
    router = APIRouter(prefix="/v1", tags=["status"])
    viewer = Annotated[Operator, Depends(door_keeper(means.operators))]

    @router.get("/keys", response_model=KeysBorne)
    async def keys(_: viewer) -> dict[str, Any]:
        """Ask every service which sealing keys its rows bear, twice, and tell which of them may be retired."""
        looks = [await _look(means) for _ in range(LOOKS)]
        return {
            "keys": [asdict(one) for one in borne(looks)],
            "unasked": sorted({name for look in looks for name in look.unasked}),
            "on_the_way": looks[-1].on_the_way,
        }

    return router


async def _look(means: Means) -> Look:
    queues = [*queues_of(CertificateCreated.TYPE), PARKED_QUEUE]
    told: list[dict[str, Any]] = []
    unasked: list[str] = []
    depths: dict[str, int] | None = None
    for name in TRAVELLED:
        if name == "platform_bridge":
            depths = await _depths(means, queues)
        try:
            told.append(await means.doors.look(name, "/keys"))
        except DoorAway:
            unasked += [] if name in unasked else [name]
    if depths is None:
        return Look(told, unasked, None)
    in_hand = {f"{one['service']}, in hand": int(one["facts_in_hand"]) for one in told if _can_hold(one["service"])}
    return Look(told, unasked, {**depths, **in_hand})


async def _depths(means: Means, queues: list[str]) -> dict[str, int] | None:
    asked = await means.watch.queues.depths(queues)
    return None if asked is None or asked[1] else {one.queue: one.messages for one in asked[0]}


def _can_hold(service: object) -> bool:
    """Sealed keys come in at the bridge and, with parked facts, at ops."""
    return service in ("platform_bridge", "ops")
