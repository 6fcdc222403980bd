"""What a unit of work writes is one statement: all of it becomes true, or nothing does."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared import metrics
from shared.delivery import Heard
from shared.errands import Due, store
from shared.errors import Transient
from shared.messages.notifier import MailSent
from shared.service import Hears
from shared.work import Desk, Work, unit_of_work
from shared.writes import Unexpected, Write, write_all
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.hearers import rests
from tests.service.shared.telling import QUEUE, Mouth, fact

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

# A table of these tests alone: whatever a service owns, it also tidies.
_TABLE = """
    create table {schema}.noted (number bigint constraint noted_pkey primary key, seen boolean not null default false);
    grant select, insert, update on {schema}.noted to public;
"""
_ADD = """
    insert into noted (number) select unnest($1::bigint[])
    on conflict do nothing
    returning number as told
"""
_SEE = "update noted set seen = true where number = any($1::bigint[]) returning number as told"
_ADD_AGAIN = "insert into noted (number) select unnest($1::bigint[]) returning number as told"
SCHEMAS = ("notifier", "issuer")


class Taken(Transient):
    """Somebody else has it; the next try takes another."""


async def _noted(tables: "Tables", schema: str = "notifier") -> dict[int, bool]:
    rows = await tables.fetch(f"select number, seen from {schema}.noted")
    return {row["number"]: row["seen"] for row in rows}


def _looks() -> float:
    return metrics.REGISTRY.get_sample_value("hosho_deliveries_looked_total", {"queue": QUEUE}) or 0.0


@pytest.fixture(autouse=True)
async def notes(tables: "Tables") -> AsyncIterator[None]:
    """A table in the schemas of two services."""
    for schema in SCHEMAS:
        await tables.execute(_TABLE.format(schema=schema))
    yield
    for schema in SCHEMAS:
        await tables.execute(f"drop table {schema}.noted")


@pytest.fixture
async def door(tables: "Tables") -> "Tables":
    """A connection that finds what the statements of `write_all` need."""
    await tables.execute("set search_path to notifier")
    return tables


async def test_all_writes_see_the_rows_before_them_and_tell_what_they_touched(door: "Tables") -> None:
    await write_all(door, [Write(_ADD, ([1, 2],))])
    written = await write_all(door, [Write(_ADD, ([4, 2, 3],)), Write(_SEE, ([3, 2, 1],)), Write(_SEE, ([9],))])

    assert written.told == [[3, 4], [1, 2], []]
    assert written.at.tzinfo is not None
    assert await _noted(door) == {1: True, 2: True, 3: False, 4: False}


@pytest.mark.parametrize("rows", [1, 3])
async def test_a_write_that_touches_more_or_fewer_rows_than_it_was_to_undoes_all_of_them(
    door: "Tables", rows: int
) -> None:
    with pytest.raises(Unexpected):
        await write_all(door, [Write(_ADD, ([1],)), Write(_ADD_AGAIN, ([2, 3],), rows=rows), Write(_ADD, ([4],))])

    assert await _noted(door) == {}


async def test_writes_that_touch_as_many_rows_as_they_were_to_become_true(door: "Tables") -> None:
    await write_all(door, [Write(_ADD, ([1, 2],), rows=2), Write(_SEE, ([7],), rows=0)])

    assert await _noted(door) == {1: False, 2: False}


async def test_a_broken_constraint_is_told_as_what_heals_it_and_any_other_as_it_is(door: "Tables") -> None:
    await write_all(door, [Write(_ADD, ([1],))])

    with pytest.raises(Taken):
        await write_all(door, [Write(_ADD, ([2],)), Write(_ADD_AGAIN, ([1],), heals={"noted_pkey": Taken})])
    with pytest.raises(asyncpg.UniqueViolationError):
        await write_all(door, [Write(_ADD, ([2],)), Write(_ADD_AGAIN, ([1],), heals={"other": Taken})])
    assert await _noted(door) == {1: False}


async def test_rows_of_two_errands_become_due_in_one_statement_with_turns_of_their_own(door: "Tables") -> None:
    def due(errand: str, turns_of: str) -> Write:
        rows = [Due(f"{number}", turn_of, b"", f"{turn_of}/{number}") for number, turn_of in enumerate(turns_of)]
        return store.Insertion(errand, rows, 1).write(7, 60.0)

    await write_all(door, [due("first", "aaab"), due("second", "ba")])
    await write_all(door, [due("second", "bbbaa")])

    rows = await door.fetch("select errand, turn_of, turn, lease_owner from notifier.errand order by errand, key")
    assert [(row["errand"], row["turn_of"], row["turn"]) for row in rows] == [
        *(("first", "a", 0), ("first", "a", 1), ("first", "a", 2), ("first", "b", 0)),
        # Two of five were due before; the turns of all five are taken.
        *(("second", "b", 0), ("second", "a", 0), ("second", "b", 3), ("second", "a", 1), ("second", "a", 2)),
    ]
    assert [row["lease_owner"] for row in rows] == [7, None, None, None, 7, None, None, None, None]


@pytest.mark.parametrize("locks", [True, False])
async def test_whoever_must_look_is_asked_again_and_nothing_of_the_first_time_remains(
    mouth: Mouth, stack: Servers, tables: "Tables", locks: bool
) -> None:
    asked: list[bool] = []

    async def handler(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        asked.append(work.presumes)
        numbers = [len(asked) * 100 + place for place, _ in enumerate(heard)]
        fresh = await work.fresh(Write(_ADD, (numbers,)), numbers)
        assert fresh == set(numbers)
        work.look()

    before = _looks()
    async with living(stack, "issuer", hears=[Hears(MailSent, handler, locks=locks)]) as issuer:
        await mouth.tell([fact(1), fact(2)])
        await eventually(lambda: len(asked) == 2)
        await rests(issuer)
    assert asked == [True, False]
    assert _looks() == before + 1
    assert set(await _noted(tables, "issuer")) == {200, 201}


async def test_what_is_taken_by_somebody_else_is_found_at_the_end_and_nothing_becomes_true(
    stack: Servers, tables: "Tables"
) -> None:
    async with living(stack, "notifier") as notifier:
        with pytest.raises(Unexpected):
            await _presume(notifier.desk(), tables)
        async with unit_of_work(notifier.desk()) as work:
            work.write(Write(_ADD, ([3],)))
            assert await work.fresh(Write(_ADD, ([1, 2],)), [1, 2]) == {1}
        assert work.committed
    assert set(await _noted(tables)) == {1, 2, 3}


async def _presume(desk: Desk, tables: "Tables") -> None:
    async with unit_of_work(desk, presumes=True, locks=False) as work:
        assert await work.fresh(Write(_ADD, ([1, 2],)), [1, 2]) == {1, 2}
        work.write(Write(_ADD, ([4],)))
        await tables.execute("insert into notifier.noted (number) values (2)")
