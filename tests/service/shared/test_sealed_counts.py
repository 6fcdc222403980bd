"""Copies of sealed keys in transit are counted by key id: in outboxes, in the records of parked facts, on the desk."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest

from services.ops.store import desk
from shared import parking, postgres
from shared.envelope import Fact
from shared.operator_door import store
from shared.outbox import Announcement
from shared.sealing import KeyRing
from tests.conftest import Servers

if TYPE_CHECKING:
    from shared.postgres import Connection

AT: Final = datetime(2026, 1, 21, tzinfo=UTC).isoformat()
QUEUE: Final = "platform_bridge.certificate_created"
PUT: Final = """
    insert into outbox (exchange, routing_key, message_id, type, subject, correlation, body, digest, journalled, time)
    values ('hosho.parking', $1, $2, $3, '○○', '', $4, '\\x00', false, $5)
"""
LAY: Final = """
    insert into parked_fact (parked_id, fact_id, consumer, code, reason, type, subject, correlation, replay, body)
    values ($1, $1, $2, 'code', 'why', 'type', 's', 'c', 0, $3)
"""
ACT: Final = """
    update parked_fact set state = 'discarded', act_id = parked_id, acted_by = 'me', acted_at = now(), acted_why = 'why'
     where parked_id = $1
"""


@pytest.fixture
def facts(stack: Servers) -> list[Fact]:
    """Two facts with a key sealed by the stack's ring, and one without that merely speaks of sealing."""
    ring = KeyRing.parse(stack.sealing_keys)
    contents = [
        {"project_name": '市道○○号線 \\ "v1"', "sealed_auth_key": ring.seal("A" * 12, associated=str(number))}
        for number in range(2)
    ]
    told = [*contents, {"project_name": "sealed_auth_key の話", "sealed_auth_key": None}]
    return [
        Fact(
            UUID(int=number),
            "issuer.certificate_created.v1",
            "/hosho/issuer",
            "s",
            AT,
            "c",
            None,
            json.dumps(one).encode(),
        )
        for number, one in enumerate(told, start=1)
    ]


def parked(fact: Fact) -> Announcement:
    """The record that brings it to the desk, in which its quotes are escaped."""
    return parking.row(QUEUE, fact, "code", "why", AT)


async def _in_outbox(connection: "Connection", facts: list[Fact]) -> dict[str, int]:
    bodies = [*(fact.data for fact in facts), *(parked(fact).body for fact in facts)]
    for number, body in enumerate(bodies, start=1):
        await connection.execute(PUT, QUEUE, UUID(int=number), "t", body, AT)
    return await store.sealed_in_outbox(connection)


async def test_facts_and_records_in_an_outbox_are_counted_by_the_key_that_sealed_them(
    fresh_database: Servers, facts: list[Fact]
) -> None:
    pool = await postgres.open_pool(fresh_database.database_url("issuer"), "issuer", connections_max=1)
    async with pool.acquire() as connection:
        before = await store.sealed_in_outbox(connection)
        found = await _in_outbox(connection, facts)
    await pool.close()

    assert before == {}
    assert found == {"seal-1": 4}


async def test_the_desk_tells_open_facts_from_those_that_were_acted_on(
    fresh_database: Servers, facts: list[Fact]
) -> None:
    pool = await postgres.open_pool(fresh_database.database_url("ops"), "ops", connections_max=1)
    async with pool.acquire() as connection:
        for fact in facts:
            await connection.execute(LAY, fact.id, QUEUE, parked(fact).body)
        lying = await desk.sealed(connection, store.SEALED)
        await connection.execute(ACT, facts[0].id)
        later = await desk.sealed(connection, store.SEALED)
    await pool.close()

    assert lying == {"desk": {"seal-1": 2}, "acted_on": {}}
    assert later == {"desk": {"seal-1": 1}, "acted_on": {"seal-1": 1}}
