"""What is wrong, for the command line: the same list as on the console's front page, with its words in English."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.ops.domain.troubles import Trouble
from services.ops.web.console.words import ENGLISH, Words
from services.ops.web.means import Means
from services.ops.web.wrong import wrong_now
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator

_words = Words(ENGLISH)


def trouble_routes(means: Means) -> APIRouter:
    """Reading what is wrong."""
    router = APIRouter(prefix="/v1", tags=["status"])
    viewer = Annotated[Operator, Depends(door_keeper(means.operators))]

    @router.get("/troubles")
    async def troubles(_: viewer) -> dict[str, Any]:
        """What is wrong, since when, how many, why, and what to press; the most pressing first."""
        wrong = await wrong_now(means)
        return {
            "at": wrong.at,
            "level": None if wrong.level is None else wrong.level.name.lower(),
            "database_is_away": wrong.database_is_away,
            "troubles": [_told(one) for one in wrong.troubles],
        }

    return router


def _told(one: Trouble) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "level": one.level.name.lower(),
        "what": _words(f"kind.{one.kind}"),
        "about": one.about,
        "service": one.service,
        "since": one.since,
        "count": one.count,
        "why": one.why,
        "ids": one.ids,
        "press": _words(f"press.{one.kind}"),
    }
