"""The planner's own word on the statements that run all the time: they read by an index, whatever lies beside."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from deploy.database import connected
from shared import inbox, outbox
from shared.errands import store as errands
from tests.conftest import Servers

if TYPE_CHECKING:
    from shared.postgres import Connection

OWNER_ID = 7
DONE_ROWS = 30_000
WAITING_ROWS = 50

_OUTBOX = """
    insert into outbox (exchange, routing_key, message_id, type, subject, correlation, body, digest, journalled, time,
                        lease_owner, lease_until)
    select 'e', 'k', gen_random_uuid(), 't', 's', 'c', '', '', true, '', $2::bigint,
           case when $2 is not null then now() + interval '1 minute' end
      from generate_series(1, $1)
"""
_ERRANDS = """
    insert into errand (errand, key, turn_of, turn, payload, correlation, state, settled_at)
    select 'send_mail', $3 || n, 'p', n, '', 'c', $2, case when $2 = 'settled' then now() end
      from generate_series(1, $1) n
"""
_INBOX = """
    insert into inbox (consumer, message_id, digest, heard_at)
    select 'q', gen_random_uuid(), '', now() - interval '1 minute' * ($1 - n) from generate_series(1, $1) n
"""


@pytest.fixture(scope="module")
async def grown(stack: Servers) -> AsyncIterator["Connection"]:
    """A service's tables after a busy time: much is done, little waits."""
    async with connected(stack.owner_url) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("set search_path to notifier")
        await connection.execute(_OUTBOX, DONE_ROWS, OWNER_ID)
        await connection.execute(_OUTBOX, WAITING_ROWS, None)
        await connection.execute(_ERRANDS, DONE_ROWS, "settled", "done")
        await connection.execute(_ERRANDS, WAITING_ROWS, "due", "due")
        await connection.execute(_INBOX, DONE_ROWS)
        await connection.execute("analyze outbox, errand, inbox")
        yield connection
        await transaction.rollback()


async def test_rows_that_wait_are_claimed_by_index(grown: "Connection") -> None:
    assert await _indexes(grown, outbox._CLAIM, OWNER_ID, 60.0, 100) >= {"outbox_waiting"}
    assert await _indexes(grown, errands._CLAIM_BY_TURN, "send_mail", OWNER_ID, 60.0, 100, []) >= {"errand_waiting"}


async def test_repeats_are_recognised_by_index(grown: "Connection") -> None:
    heard = [row["message_id"] for row in await grown.fetch("select message_id from inbox limit 100")]

    assert await _indexes(grown, inbox._CHANGED, "q", heard, [b""] * len(heard)) == {"inbox_pkey"}


async def test_what_is_settled_and_confirmed_is_found_by_key(grown: "Connection") -> None:
    ids = [row["id"] for row in await grown.fetch("select id from outbox limit 200")]

    assert await _indexes(grown, outbox._DELETE, ids) == {"outbox_pkey"}
    assert await _indexes(grown, errands._SETTLE, "send_mail", ["due1", "due2"]) == {"errand_pkey"}


async def test_looking_for_old_rows_does_not_read_the_young_ones(grown: "Connection") -> None:
    assert "inbox_heard" in await _indexes(grown, inbox._PRUNE, inbox.RETENTION_DAYS, 1_000)
    assert "errand" not in await _indexes(grown, errands._PRUNE, errands.RETENTION_DAYS, 1_000)


async def _indexes(connection: "Connection", statement: str, *arguments: Any) -> set[str]:
    """The indexes by which a statement reads; a table read from end to end stands here with its own name."""
    told = json.loads(await connection.fetchval(f"explain (format json) {statement}", *arguments))
    return set(_read_by(told[0]["Plan"]))


def _read_by(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    if "Index Name" in plan:
        yield plan["Index Name"]
    for inner in plan.get("Plans", ()):
        yield from _read_by(inner)
