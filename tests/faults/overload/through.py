"""Waiting until a crowd of applications is through."""

from typing import Final

from tests.faults.pauses import lapse
from tests.faults.world import World

LOOK_EVERY_S: Final = 1.0

_ISSUED: Final = "select count(*) as issued from issuer.guarantee where issued_at is not null and portal = $1"


async def issued(world: World, portal: str) -> int:
    """How many guarantees of a portal are issued."""
    (row,) = await world.as_owner(_ISSUED, portal)
    return int(row["issued"])


async def through(world: World, portal: str, count: int) -> None:
    """Wait until so many guarantees of a portal are issued."""
    while await issued(world, portal) < count:
        await lapse(LOOK_EVERY_S)
