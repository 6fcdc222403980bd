"""What is wrong, for the command line: the same list as on the console's front page, with its words in English."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.ops.domain.troubles import Kind, Trouble
from services.ops.web.console.words import ENGLISH, Words
from services.ops.web.means import Means
from services.ops.web.wrong import wrong_now
from shared.operator_door.answers import Answer
from shared.operator_door.keeper import door_keeper
from shared.operator_door.operators import Operator

_words = Words(ENGLISH)


class TroubleTold(Answer):
    """Something that is wrong: what, about what, since when, how many, why, and what to press."""

    kind: Kind
    level: str
    what: str
    about: str
    service: str | None
    since: datetime | None
    count: int | None
    why: str
    ids: Sequence[str]
    press: str


class TroublesTold(Answer):
    """What is wrong, the most pressing first; `level` is that of the first one, null where nobody must look."""

    at: datetime
    level: str | None
    database_is_away: bool
    troubles: Sequence[TroubleTold]


def trouble_routes(means: Means) -> APIRouter:
    """Reading what is wrong."""
    router = APIRouter(prefix="/v1", tags=["status"])
    viewer = Annotated[Operator, Depends(door_keeper(means.operators))]

    @router.get("/troubles", response_model=TroublesTold)
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
