"""The desk of parked facts: what is shown of one, what may be done with one, and what a replay carries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json

MASKED: Final = "***"
SHOWN_CHARACTERS_MAX: Final = 20_000
SHOWN_DEPTH_MAX: Final = 20

_SECRET: Final = re.compile(r"sealed|auth_key|key$|token|secret|password|signature", re.IGNORECASE)
_PERSONAL: Final = re.compile(r"address|mail|phone|contact", re.IGNORECASE)
_HEARER: Final = re.compile(r"(intake|issuer|platform_bridge|notifier)\.[a-z_]+(\.[a-z0-9-]{1,32})?")


class State(StrEnum):
    """What became of a parked fact on the desk."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class Obstacle(StrEnum):
    """Why a parked fact cannot be replayed."""

    BODY_NOT_KEPT = "body_not_kept"
    NOT_READABLE = "not_readable"
    OTHER_CONTENT_DONE = "other_content_done"
    NO_SUCH_HEARER = "no_such_hearer"
    ALREADY_ACTED_ON = "already_acted_on"
    ALREADY_DONE = "already_done"


OBSTACLES_EN: Final[Mapping[Obstacle, str]] = {
    Obstacle.BODY_NOT_KEPT: "it was too large to be kept whole; its sender must send it again",
    Obstacle.NOT_READABLE: "it could not be read; its sender must send it again",
    Obstacle.OTHER_CONTENT_DONE: "another content was done under the same id; find out which is right, then discard it",
    Obstacle.NO_SUCH_HEARER: "its hearer is not one of ours",
    Obstacle.ALREADY_ACTED_ON: "somebody was faster",
    Obstacle.ALREADY_DONE: "its hearer has done it already; a replay would change nothing",
}


@dataclass(frozen=True, slots=True)
class OnDesk:
    """A parked fact as it lies on the desk."""

    id: UUID
    fact_id: UUID | None
    consumer: str
    code: str
    reason: str
    type: str
    subject: str
    correlation: str
    replay: int
    replayable: bool
    state: State
    parked_at: datetime
    acted_by: str | None = None
    acted_at: datetime | None = None
    acted_why: str | None = None


def obstacle_of(one: OnDesk) -> Obstacle | None:
    """Why it cannot be replayed; None if it can."""
    if one.state is not State.OPEN:
        return Obstacle.ALREADY_ACTED_ON
    if one.code == "same_id_other_content":
        return Obstacle.OTHER_CONTENT_DONE
    if one.fact_id is None or (not one.replayable and one.type == ""):
        return Obstacle.NOT_READABLE
    if not one.replayable:
        return Obstacle.BODY_NOT_KEPT
    # A message chose this name; nothing but a hearer's queue is written to.
    return None if _HEARER.fullmatch(one.consumer) else Obstacle.NO_SUCH_HEARER


def hearer_of(consumer: str) -> str:
    """The service whose queue this is."""
    return consumer.partition(".")[0]


def fact_in(record: bytes) -> bytes:
    """The fact inside a record of a parked fact, as it is replayed.

    Raises:
        ValueError: if the record holds none; `replayable` says so beforehand.
    """
    fact = from_json(record).get("fact")
    if not isinstance(fact, str):
        raise ValueError("this record does not hold its fact")
    return fact.encode()


def shown(record: bytes) -> dict[str, Any]:
    """What may be seen of a record: everything but keys, signatures and what is personal."""
    try:
        told = from_json(record)
    except ValueError:
        return {"length_bytes": len(record), "readable": False}
    if not isinstance(told, dict):
        return {"length_bytes": len(record), "readable": False}
    result: dict[str, Any] = {name: masked(name, value) for name, value in told.items() if name != "fact"}
    # What could not be read may hold anything, so nothing of it is shown.
    if "unreadable_base64" in result:
        result["unreadable_base64"] = MASKED
    if isinstance(told.get("fact"), str):
        try:
            result["fact"] = masked("fact", from_json(told["fact"]))
        except ValueError:
            result["fact"] = MASKED
    return result


def masked(name: str, value: object, depth: int = 0) -> object:
    """A value as it may be shown: what its name or its place says is secret or personal is struck out."""
    if _SECRET.search(name) or _PERSONAL.search(name):
        return MASKED if value is not None else None
    if depth >= SHOWN_DEPTH_MAX:
        return MASKED
    if isinstance(value, Mapping):
        return {str(key): masked(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(name, inner, depth + 1) for inner in value]
    return value[:SHOWN_CHARACTERS_MAX] if isinstance(value, str) else value
