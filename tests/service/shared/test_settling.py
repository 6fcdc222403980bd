"""Every fact ends in one of done, retry and park, and the inbox remembers which."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import aio_pika
import asyncpg
import pytest
from pydantic_core import from_json

from shared import topology
from shared.delivery import Heard
from shared.envelope import encode
from shared.errors import Transient, Unprocessable
from shared.messages.notifier import MailRefused, MailSent
from shared.service import Hears
from shared.work import Work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.hearers import Hearer, rests
from tests.service.shared.telling import QUEUE, Mouth, fact, refused

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables


class Refused(Unprocessable):
    """A rule was broken."""

    code = "a_rule_was_broken"


async def _desk(mouth: Mouth, parked: int) -> list[dict[str, object]]:
    """What lies on the desk, once there are so many."""
    await mouth.holds(parked, topology.PARKED_QUEUE)
    return [from_json(message.body) for message in await mouth.taken(topology.PARKED_QUEUE)]


async def _outcomes(tables: "Tables") -> dict[UUID, tuple[str, int]]:
    rows = await tables.fetch("select message_id, outcome, replay from issuer.inbox")
    return {row["message_id"]: (row["outcome"], row["replay"]) for row in rows}


async def test_what_cannot_be_read_or_taken_is_parked_with_its_reason_and_its_neighbours_are_done(
    mouth: Mouth, stack: Servers
) -> None:
    async def into_a_table(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        # PostgreSQL refuses U+0000 in a text, wherever a rule forgot to.
        await work.connection.execute("select unnest($1::text[])", [one.data.portal for one in heard])
        await hearer(heard, work)

    hearer = Hearer(bad={"A-2": Refused("the second breaks a rule"), "A-3": RuntimeError("a bug at the third")})
    wrong_data = replace(fact(4), data=b'{"portal": "portal-a", "version": "secret-value"}')
    async with living(stack, "issuer", hears=[Hears(MailSent, into_a_table)]) as issuer:
        await mouth.say(b"\xff\xfe is no JSON")
        await mouth.tell([fact(1), fact(2), b"[1]", fact(3), wrong_data, refused(5), fact(6, portal="\x00"), fact(7)])
        await mouth.tell([fact(8)])
        desk = await _desk(mouth, 7)
        await eventually(lambda: set(hearer.counts) == {"A-1", "A-7", "A-8"})
        await rests(issuer)

    assert {str(record["code"]) for record in desk} == {
        "unreadable",
        "a_rule_was_broken",
        "raised_RuntimeError",
        "invalid_data",
        "unexpected_type",
        "raised_CharacterNotInRepertoireError",
    }
    by_code = {str(record["code"]): record for record in desk}
    assert all(record["consumer"] == QUEUE and record["reason"] and record["parked_at"] for record in desk)
    assert by_code["a_rule_was_broken"]["reason"] == "Refused: the second breaks a rule"
    assert "secret-value" not in str(by_code["invalid_data"]["reason"])
    assert by_code["raised_RuntimeError"]["fact"] == encode(fact(3)).decode()
    assert await mouth.ready() == 0


async def test_a_second_delivery_is_a_no_op(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.tell([fact(1), fact(1), fact(2)])
        await mouth.tell([fact(2), fact(3)])
        await eventually(lambda: hearer.has_each_once(range(1, 4)))
        await mouth.tell([fact(1), fact(4)])
        await eventually(lambda: hearer.has_each_once(range(1, 5)))
        await rests(issuer)
    assert await mouth.ready() == 0
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


@pytest.mark.parametrize("redelivered", [False, True], ids=["first delivery", "redelivery"])
async def test_other_content_under_a_known_id_is_put_aside_and_the_original_stands(
    mouth: Mouth, stack: Servers, tables: "Tables", *, redelivered: bool
) -> None:
    hearer = Hearer()
    other = replace(fact(9), id=fact(1).id)
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.tell([fact(1)])
        await eventually(lambda: hearer.has_each_once(range(1, 2)))
    if redelivered:
        # Taken by a process that ended before it did anything: the broker delivers it again, marked as such.
        hearer.closed.clear()
        hearer.entered.clear()
        async with living(stack, "issuer", hears=hearer.hears) as issuer:
            await mouth.tell([fact(2)])
            await hearer.entered.wait()
            await mouth.tell([other])
            await mouth.holds(0)
        hearer.closed.set()
    else:
        await mouth.tell([fact(2)])
        await mouth.tell([other])
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        (aside,) = await _desk(mouth, 1)
        await eventually(lambda: hearer.has_each_once(range(1, 3)))
        await rests(issuer)

    assert aside["code"] == "same_id_other_content"
    assert aside["fact"] == encode(other).decode()
    assert (await _outcomes(tables))[fact(1).id] == ("done", 0)
    assert await mouth.ready() == 0


async def test_two_contents_of_one_id_in_one_pack_are_one_done_and_one_put_aside(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    async with living(stack, "issuer", hears=hearer.hears):
        await mouth.tell([fact(1), replace(fact(9), id=fact(1).id), fact(2)])
        (aside,) = await _desk(mouth, 1)
        await eventually(lambda: hearer.has_each_once(range(1, 3)))

    assert aside["code"] == "same_id_other_content"


@asynccontextmanager
async def _as(stack: Servers, user: str) -> AsyncIterator[Mouth]:
    async with await aio_pika.connect(stack.broker_url(user)) as connection:
        yield Mouth(await connection.channel())


async def test_a_replay_is_let_in_only_after_parking_only_once_and_only_from_the_desk(
    mouth: Mouth, stack: Servers, tables: "Tables"
) -> None:
    hearer = Hearer(bad={"A-1": Refused("not yet")})
    async with (
        living(stack, "issuer", hears=hearer.hears),
        _as(stack, "ops") as ops,
        _as(stack, "notifier") as notifier,
    ):

        async def replay(number: int, nth: int) -> None:
            await ops.tell([fact(number)], queue=QUEUE, headers={"replay": nth}, user_id="ops")

        await mouth.tell([fact(1), fact(2)])
        await _desk(mouth, 1)
        assert await _outcomes(tables) == {fact(1).id: ("parked", 0), fact(2).id: ("done", 0)}

        # Still bad: parked again, under the replay's number, so that the desk may try a second time.
        await replay(1, 1)
        (again,) = await _desk(mouth, 1)
        assert again["replay"] == 1
        hearer.bad.clear()

        # Neither anybody else's word, nor a number that was had, nor a fact that is done, is let in.
        await notifier.tell([fact(1)], headers={"replay": 7})
        await notifier.tell([fact(1)], headers={"replay": 7}, user_id="notifier")
        await replay(1, 1)
        await replay(2, 5)
        await mouth.tell([fact(3)])
        await eventually(lambda: "A-3" in hearer.counts)
        assert hearer.counts.keys() == {"A-2", "A-3"}

        # A duplicate in the same batch does not stand in the replay's way.
        hearer.closed.clear()
        hearer.entered.clear()
        await mouth.tell([fact(4)])
        await hearer.entered.wait()
        await mouth.tell([fact(1)])
        await replay(1, 2)
        await mouth.holds(0)
        hearer.closed.set()
        await eventually(lambda: hearer.has_each_once(range(1, 5)))
    assert (await _outcomes(tables))[fact(1).id] == ("done", 2)


async def test_what_time_heals_is_tried_again_and_neither_acknowledged_nor_parked(
    mouth: Mouth, stack: Servers, logged: Ear
) -> None:
    hearer = Hearer(
        failures=[
            Transient("the outside is away"),
            asyncpg.DeadlockDetectedError("deadlock detected"),
            asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
            ConnectionResetError(),
        ]
    )
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.tell([fact(1), fact(2)])
        await eventually(lambda: hearer.has_each_once(range(1, 3)))
        await rests(issuer)
    assert await mouth.ready() == 0
    assert await mouth.ready(topology.PARKED_QUEUE) == 0
    assert len(logged.heard("warning", "delivery.waited")) == 1


async def test_a_connection_that_is_killed_inside_the_transaction_costs_a_retry(mouth: Mouth, stack: Servers) -> None:
    killed: list[int] = []

    async def hear(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        if not killed:
            killed.append(await work.connection.fetchval("select pg_backend_pid()"))
            superuser = await asyncpg.connect(stack.superuser_url)
            await superuser.execute("select pg_terminate_backend($1)", killed[0])
            await superuser.close()
        await work.connection.execute("select 1")
        await hearer(heard, work)

    hearer = Hearer()
    async with living(stack, "issuer", hears=[Hears(MailSent, hear)]):
        await mouth.tell([fact(1)])
        await eventually(lambda: hearer.has_each_once(range(1, 2)))
    assert killed
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


async def test_a_real_deadlock_ends_with_both_done(mouth: Mouth, stack: Servers, tables: "Tables") -> None:
    await tables.execute("insert into issuer.stage (errand) values ('one'), ('two')")
    meeting = asyncio.Barrier(2)
    met: set[str] = set()

    async def hear(order: tuple[str, str], heard: Sequence[Heard[MailSent]], work: Work) -> None:
        touch = "update issuer.stage set changed_at = now() where errand = $1"
        await work.connection.execute(touch, order[0])
        if order[0] not in met:
            met.add(order[0])
            await meeting.wait()
        await work.connection.execute(touch, order[1])

    async def hear_sent(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        await hear(("one", "two"), heard, work)
        await sent(heard, work)

    async def hear_refused(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        await hear(("two", "one"), heard, work)
        await other(heard, work)

    sent, other = Hearer(), Hearer()
    hears = [Hears(MailSent, hear_sent), Hears(MailRefused, hear_refused)]
    async with living(stack, "issuer", hears=hears):
        await asyncio.gather(mouth.tell([fact(1)]), mouth.tell([refused(2)], key=refused(2).type))
        await eventually(lambda: sent.has_each_once(range(1, 2)) and other.has_each_once(range(2, 3)))
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


async def test_what_another_process_has_done_meanwhile_is_not_parked(
    mouth: Mouth, stack: Servers, tables: "Tables"
) -> None:
    hearer = Hearer()
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.tell([fact(1)])
        await eventually(lambda: hearer.has_each_once(range(1, 2)))

        await issuer.consumers[0]._park(fact(1), "kills_its_process", "five tries")
        await issuer.consumers[0]._park(fact(2), "kills_its_process", "five tries")

        (parked,) = await _desk(mouth, 1)
    assert parked["id"] == str(fact(2).id)
    assert await _outcomes(tables) == {fact(1).id: ("done", 0), fact(2).id: ("parked", 0)}
