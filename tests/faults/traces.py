"""What can be seen from outside after a run: answers, read APIs, the platform, the mailbox, the office, the tables.

Reading only; nothing is judged here.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import aio_pika
import aiohttp
import asyncpg
from aio_pika.exceptions import AMQPError

from deploy.broker.management import management
from deploy.database import with_database
from deploy.portals import plan_for
from shared.topology import SERVICES
from simulators.portal.answers import Answer
from simulators.portal.client import Portal
from tests.faults import keys
from tests.faults.world import World

PAGE_ITEMS: Final = 200
FAILURES: Final = (
    *(aiohttp.ClientError, AMQPError, TimeoutError, OSError, RuntimeError),
    *(asyncpg.PostgresError, asyncpg.InterfaceError),
)
"""What whoever reads may meet while something is still coming back."""

NUMBER: Final = re.compile(r"[0-9]{5}-[0-9]{6}")

_AT_REST: Final = """
    select '{0}' as service, (select count(*) from {0}.outbox) as outbox,
           (select count(*) from {0}.errand where state = 'due') as due,
           (select count(lease_owner) from {0}.outbox) + (select count(lease_owner) from {0}.errand) as leased,
           concat_ws('; ', (select max(last_error) from {0}.outbox),
                     (select max(last_error) from {0}.errand where state = 'due')) as why
"""
_HELD: Final = "select key, last_error from {0}.errand where state = 'held'"
_GIVEN_UP: Final = "select count(*) as facts from {0}.inbox where outcome = 'parked'"
_PARKED: Final = """
    select distinct on (consumer, fact_id, replay) consumer, code, correlation, reason from ops.parked_fact
"""
_JOURNAL: Final = """
    select type, subject, correlation, count(distinct fact_id) as facts from ops.journal_entry group by 1, 2, 3
"""


def _of_all(statement: str) -> str:
    return " union all ".join(statement.format(service) for service in SERVICES)


@dataclass(frozen=True, slots=True)
class Mailed:
    """One mail in the mailbox."""

    message_id: str
    received_at: datetime
    to: str
    number: str


@dataclass(slots=True)
class Traces:
    """Everything that was seen.

    Attributes:
        answers: of portals that have a queue, by `portal/application_id`.
        answered: the outcomes intake tells, by `portal/application_id`.
        guarantees: the issuer's list, by `portal/application_id`.
        arrivals: the platform's arrival time, by `number/version`.
        requests: every request the platform got, in order.
        orders: the paper orders the office heard.
        held: errands that wait for a person, by key, with the reason.
        parked: what lies on the desk: (hearer, code, correlation, reason).
        given_up: how many facts the hearers remember as parked.
        journal: how many different facts of (type, subject) were announced, by `portal/application_id`.
        keys_open: for a sample of numbers, whether the key the issuer shows opens the platform's door.
        leaks: places where a key of that sample stands in the clear, in words.
        left_behind: rows and messages that should not be there at rest, in words.
    """

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    answered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    guarantees: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    arrivals: dict[str, str] = field(default_factory=dict)
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    mails: list[Mailed] = field(default_factory=list)
    orders: list[Mapping[str, Any]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    parked: list[tuple[str, str, str, str]] = field(default_factory=list)
    given_up: int = 0
    journal: dict[str, dict[tuple[str, str], int]] = field(default_factory=lambda: defaultdict(dict))
    keys_open: dict[str, bool] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)


async def read(world: World, portals: Mapping[str, Portal]) -> Traces:
    """Read everything. Raises AssertionError while something does not answer, so that it can be tried again."""
    told = Traces()
    try:
        told.left_behind = await left_behind(world) + await waiting_in_queues(world)
        for name, portal in portals.items():
            await _portal(told, name, portal)
        for row in await world.remembered("platform", "/admin/certificates", "certificates"):
            told.arrivals[row["key"]] = row["arrived_at"]
        told.requests = list(await world.noted("platform", "/admin/requests", "requests"))
        mails = await world.noted("mailbox", "/messages", "messages", brief="")
        told.mails = [_mailed(row) for row in mails]
        told.orders = list(await world.remembered("core", "/paper-orders", "orders"))
        await _tables(told, world)
        told.keys_open = await keys.revealed(world, portals, told.guarantees)
        told.leaks = keys.leaks(world, mails)
    except FAILURES as error:
        raise AssertionError(f"something does not answer: {type(error).__name__}: {error}") from error
    return told


async def left_behind(world: World) -> list[str]:
    """The rows that should not be there when everything is at rest, in words."""
    rows = await world.as_owner(_of_all(_AT_REST))
    return [
        f"{row['service']}: {row['outbox']} rows in the outbox, {row['due']} due errands, {row['leased']} leased"
        f" ({row['why']})"
        for row in rows
        if row["outbox"] or row["due"] or row["leased"]
    ]


async def waiting_in_queues(world: World) -> list[str]:
    """The messages that wait for a consumer at this moment, by queue, in words."""
    place = world.system.place
    found = []
    async with await aio_pika.connect(with_database(place.stack.addresses.broker_url, place.vhost)) as connection:
        channel = await connection.channel()
        for queue in plan_for(place.stack.portals_file).queues:
            declared = await channel.declare_queue(queue.name, passive=True)
            if count := declared.declaration_result.message_count:
                found.append(f"{queue.name}: {count} messages wait")
    return found


async def left_in_queues(world: World) -> list[str]:
    """The same with those that a consumer holds unacknowledged, as the broker's statistics tell: seconds later."""
    place = world.system.place
    async with management(place.stack.addresses.management_url, place.vhost) as api:
        queues = await api.get(api.path("queues"))
    return [
        f"{queue['name']}: {queue.get('messages', '?')} messages, ready or unacknowledged"
        for queue in queues
        if queue.get("messages") != 0
    ]


async def _portal(told: Traces, name: str, portal: Portal) -> None:
    for answer in await portal.answers.all(limit=-1):
        told.answers[f"{name}/{answer.application_id}"].append(answer)
    for row in await _pages(portal.doors.applications):
        told.answered[f"{name}/{row['application_id']}"].append(row["outcome"])
    for row in await _pages(portal.doors.guarantees):
        told.guarantees[f"{name}/{row['application_id']}"].append(row)


async def _pages(door: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    query = {"limit": str(PAGE_ITEMS)}
    while True:
        reply = await door(**query)
        assert reply.status == 200, f"{reply.status}: {reply.body[:200]!r}"
        page = reply.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = str(page["next_cursor"])


def _mailed(row: Mapping[str, Any]) -> Mailed:
    number = NUMBER.search(str(row["text"]))
    return Mailed(
        message_id=str(row["message_id"]),
        received_at=datetime.fromisoformat(row["received_at"]),
        to=str(row["to"][0]),
        number=number[0] if number else "",
    )


async def _tables(told: Traces, world: World) -> None:
    told.held = {row["key"]: str(row["last_error"]) for row in await world.as_owner(_of_all(_HELD))}
    told.given_up = sum(row["facts"] for row in await world.as_owner(_of_all(_GIVEN_UP)))
    told.parked = [tuple(row) for row in await world.as_owner(_PARKED)]
    for row in await world.as_owner(_JOURNAL):
        told.journal[row["correlation"]][row["type"], row["subject"]] = row["facts"]
