"""What a consumer hears and what becomes of it: facts, their handlers, and the judgement of errors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import ValidationError

from shared import postgres
from shared.envelope import Fact, Unreadable
from shared.errors import Transient, Unprocessable
from shared.messages import Message
from shared.subscription import Delivery
from shared.work import Work

M = TypeVar("M", bound=Message)


class Item(Protocol):
    """What a delivery carries, as far as this module needs to know it."""

    @property
    def id(self) -> UUID:
        """Its identity."""

    @property
    def digest(self) -> bytes:
        """What tells two contents under one identity apart."""

    @property
    def replay(self) -> int:
        """How often the desk sent it again."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[M]):
    """A fact and its data as the model of its type. Handlers get these in the order they came."""

    fact: Fact
    data: M


Handler = Callable[[Sequence[Heard[Any]], Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one queue is consumed.

    Attributes:
        decode: from a delivery to its items; never raises.
        handle: what is to become true for these items, all new, together.
        locks: whether `handle` locks what it reads, so that it needs a transaction from the beginning.
        park: how an item that no handler could take is given up.
        remembers: whether the inbox makes a second delivery a no-op. The door answers every delivery instead.
        admits: waits until a batch may be taken, and gives how many facts it may have, None for any (back-pressure).
        patience_s: how long more is waited for even when little comes; for hearers whom nobody waits for.
    """

    queue: str
    decode: Callable[[Delivery], Sequence[Any]]
    handle: Callable[[Sequence[Any], Work], Awaitable[None]]
    park: Callable[[Any, str, str, Work], Awaitable[None]]
    remembers: bool = True
    locks: bool = True
    prefetch: int = 64
    admits: Callable[[], Any] | None = None
    patience_s: float = 0.0


class Ending(StrEnum):
    """What an exception means for the fact that was being handled."""

    RETRY = "retry"
    PARK = "park"


def outcome_of(error: BaseException) -> Ending:
    """Whether time heals this error or nobody does. The only judgement of its kind."""
    if isinstance(error, Transient) or postgres.is_transient(error):
        return Ending.RETRY
    return Ending.PARK


def code_of(error: BaseException) -> str:
    """The code by which the desk groups what was parked for this error."""
    return error.code if isinstance(error, Unprocessable) else f"raised_{type(error).__name__}"


async def hear(message: type[M], handler: Handler, items: Sequence[Fact | Unreadable], work: Work) -> None:
    """Give a handler the facts it can read; park the others with the reason."""
    heard: list[Heard[M]] = []
    for item in items:
        if isinstance(item, Unreadable):
            work.park(item, "unreadable", item.reason)
        elif item.type != message.TYPE:
            work.park(item, "unexpected_type", f"{item.type} came where {message.TYPE} is heard")
        else:
            try:
                heard.append(Heard(item, message.model_validate_json(item.data)))
            except ValidationError as error:
                # The values stay out of the reason: they may be personal, and the parked fact has them.
                places = {".".join(map(str, one["loc"])): one["type"] for one in error.errors(include_input=False)}
                work.park(item, "invalid_data", f"the data does not fit {message.TYPE}: {places}")
    if heard:
        await handler(heard, work)


async def park_fact(item: Fact | Unreadable, code: str, reason: str, work: Work) -> None:
    """How hearers of services' facts give one up."""
    work.park(item, code, reason)
