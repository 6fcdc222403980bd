"""What an error means for a fact, and what the handler gets to see."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from shared.delivery import Ending, Heard, code_of, hear, outcome_of
from shared.delivery.consumer import _distinct, _fitting
from shared.envelope import Fact, Unreadable
from shared.errors import Misconfigured, Transient, Unprocessable
from shared.messages import Message
from shared.messages.platform_bridge import CertificateArrived
from shared.work import Work

DATA = (
    b'{"portal":"p","application_id":"A","guarantee_number":"g","version":1,'
    b'"arrived_at":"2026-04-01T10:00:00+09:00","certificate_id":"c","added_later":true}'
)
FACT = Fact(
    UUID(int=1), CertificateArrived.TYPE, "/hosho/platform_bridge", "s", "2026-04-01T01:00:00Z", "c", None, DATA
)


@pytest.mark.parametrize(
    "error",
    [
        Transient("later"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.SerializationError("could not serialize"),
        asyncpg.ReadOnlySQLTransactionError("read-only"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.TooManyConnectionsError("too many clients"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.DiskFullError("disk full"),
        asyncpg.InvalidPasswordError("password authentication failed"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InterfaceError("pool is closing"),
        ConnectionResetError(),
        TimeoutError(),
        OSError("no route to host"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_time_heals_is_tried_again(error: Exception) -> None:
    assert outcome_of(error) is Ending.RETRY


@pytest.mark.parametrize(
    "error",
    [
        Unprocessable("never"),
        Misconfigured("a person"),
        ValueError("a bug"),
        KeyError("a bug"),
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.CheckViolationError("violates check constraint"),
        asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
        asyncpg.NumericValueOutOfRangeError("out of range"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.DataError("invalid input for query argument"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_nobody_heals_is_parked(error: Exception) -> None:
    assert outcome_of(error) is Ending.PARK


def test_the_desk_groups_by_a_code() -> None:
    assert code_of(Unprocessable("x", code="no_such_guarantee")) == "no_such_guarantee"
    assert code_of(ValueError("x")) == "raised_ValueError"


def _heard(*items: Fact | Unreadable) -> tuple[list[Heard[Any]], list[tuple[object, str]]]:
    """What a handler gets, and what is parked without it."""
    seen: list[Heard[Any]] = []
    work = Work(cast(Any, None), cast(Any, None), cast(Any, None))

    async def handler(heard: Sequence[Heard[Message]], _work: Work) -> None:
        seen.extend(heard)

    asyncio.run(hear(CertificateArrived, handler, items, work))
    return seen, [(fact, code) for fact, code, _ in work.parked]


def test_a_handler_gets_the_data_as_its_model_and_unknown_fields_do_not_disturb() -> None:
    ((heard,), parked) = _heard(FACT)

    assert heard.data.certificate_id == "c"
    assert heard.fact is FACT
    assert parked == []


def test_a_handler_is_not_called_for_nothing() -> None:
    unreadable = Unreadable.of(b"x", "not JSON")
    strange = replace(FACT, type="issuer.guarantee_issued.v1")
    wrong = replace(FACT, data=b'{"version": "secret"}')

    seen, parked = _heard(unreadable, strange, wrong)

    assert seen == []
    assert parked == [(unreadable, "unreadable"), (strange, "unexpected_type"), (wrong, "invalid_data")]


def test_facts_keep_their_order_and_repeats_fall_away() -> None:
    second, third = replace(FACT, id=UUID(int=2)), replace(FACT, id=UUID(int=3))
    other = replace(FACT, data=b"{}")

    assert _distinct([second, FACT, second, third, FACT, other]) == [second, FACT, third, other]


def test_of_a_fact_and_its_replay_the_replay_stands_whichever_came_first() -> None:
    replayed, again = replace(FACT, replay=1), replace(FACT, replay=2)

    assert _distinct([FACT, replayed, again]) == [again]
    assert _distinct([again, replayed, FACT]) == [again]


@pytest.mark.parametrize(
    ("facts_max", "facts", "took_s", "following"),
    [
        (200, 200, 0.9, 100),
        (100, 100, 0.9, 50),
        (50, 50, 0.9, 50),
        (200, 1, 9.0, 200),
        (50, 50, 0.1, 100),
        (100, 20, 0.1, 100),
        (200, 200, 0.1, 200),
    ],
)
def test_batches_shrink_when_they_take_long_and_grow_when_they_are_full_and_quick(
    facts_max: int, facts: int, took_s: float, following: int
) -> None:
    assert _fitting(facts_max, facts, took_s) == following
