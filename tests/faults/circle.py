"""Two services in a circle, for the model test: one announces, the other hears, calls outside, and tells the first.

`issuer` announces versions; `notifier` hears them, makes one ordered errand due for each, calls the outside, records
the answer and announces it; `issuer` hears that. Effects are counted in tables without any unique constraint, so that
a second one would be seen.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import aio_pika
import asyncpg

from shared.delivery import Heard
from shared.envelope import Fact, encode, fact_id, pack, source_of
from shared.errands import Claimed, Due, Ended, Errand, Later, Outcome, Settled
from shared.messages.issuer import CompletionMail, GuaranteeIssued
from shared.messages.notifier import MailSent
from shared.postgres import FAILURES
from shared.service import Hears
from shared.service.running import Running
from shared.topology import EVENTS
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.faults.proxy import Wire, wires
from tests.service.living import living

ERRAND: Final = "tell_outside"
AT: Final = datetime(2026, 1, 20, tzinfo=UTC)
EFFECTS: Final = ("notifier.was_heard", "notifier.was_recorded", "issuer.was_told")
SOON_S: Final = 0.01


@dataclass(slots=True)
class Outside:
    """Somebody who is called: answers as told, and remembers who asked for what and when it was done."""

    next_answers: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    async def call(self, row: Claimed) -> Outcome:
        """One call; an earlier version must have been done before."""
        number, _, version = row.key.partition("/")
        before = f"{number}/{int(version) - 1}"
        if int(version) > 1 and before not in self.done:
            self.broken.append(f"{row.key} was called before {before} was done")
        self.calls[row.key] += 1
        await asyncio.sleep(0)
        answer = self.next_answers.pop() if self.next_answers else "done"
        if answer == "later":
            return Later("not now", after_s=SOON_S)
        if answer == "unknown":
            self.done.add(row.key)
            return Later("no answer", after_s=SOON_S, unknown=True)
        if answer == "raise":
            raise RuntimeError("a bug in the call")
        self.done.add(row.key)
        return Settled(row.key)


class Circle:
    """The two services; each can be cut off as by a death and brought to life again, and its wires cut."""

    def __init__(self, servers: Servers, led: dict[str, Wire]) -> None:
        self.outside = Outside()
        self.wires = led
        self._servers = servers
        self._running: dict[str, Running] = {}
        self._lives: dict[str, AsyncExitStack] = {}

    async def rise(self, name: str) -> None:
        """Bring one to life."""
        life = self._lives[name] = AsyncExitStack()
        errand = Errand(name=ERRAND, call=self.outside.call, record=_record, slots=4)
        hears = (Hears(MailSent, _told),) if name == "issuer" else (Hears(GuaranteeIssued, _heard),)
        self._running[name] = await life.enter_async_context(
            living(
                self._servers,
                name,
                hears=hears,
                errands=(errand,) if name == "notifier" else (),
                database_url=self._led(f"{name}-postgres", self._servers.database_url(name)),
                broker_url=self._led(f"{name}-rabbitmq", self._servers.broker_url(name)),
            )
        )

    def _led(self, wire: str, url: str) -> str:
        led = self.wires[wire]
        return url.replace(f":{led.target_port}", f":{led.port}")

    async def die(self, name: str) -> None:
        """Cut one off without draining: what it held stays leased to it."""
        await self._lives.pop(name).aclose()

    async def close(self) -> None:
        """End both."""
        for name in list(self._lives):
            await self.die(name)

    async def announce(self, keys: Sequence[str]) -> None:
        """Let the issuer announce these versions, in one transaction; again if a cut has left the outcome unknown."""
        while True:
            with suppress(*FAILURES):
                return await self._announce(keys)

    async def _announce(self, keys: Sequence[str]) -> None:
        async with unit_of_work(self._running["issuer"].desk(), "model") as work:
            for key in keys:
                number = key.partition("/")[0]
                work.announce(issued(key), subject=key, occurrence="1", correlation=f"portal-a/{number}")

    async def repeat(self, keys: Sequence[str]) -> None:
        """Let the broker deliver these again, as one pack."""
        message = aio_pika.Message(pack([encode(fact_of(key)) for key in keys]), headers={"facts": len(keys)})
        async with await aio_pika.connect(self._servers.broker_admin_url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(EVENTS, ensure=False)
            await exchange.publish(message, GuaranteeIssued.TYPE)

    async def effects(self) -> list[Counter[str]]:
        """How often each version was heard, recorded and told."""
        return await effects_of(self._servers)

    async def left(self) -> int:
        """Rows that are not at rest."""
        connection = await asyncpg.connect(self._servers.owner_url)
        try:
            return int(
                await connection.fetchval(
                    "select (select count(*) from issuer.outbox) + (select count(*) from notifier.outbox)"
                    " + (select count(*) from notifier.errand where state <> 'settled')"
                )
            )
        finally:
            await connection.close()


def issued(key: str) -> GuaranteeIssued:
    """The fact that a version is issued."""
    number, _, version = key.partition("/")
    return GuaranteeIssued(
        portal="portal-a",
        application_id=number,
        guarantee_number=number,
        kind="advance_payment",
        version=int(version),
        version_kind="new",
        issued_at=AT,
        completion_mail=CompletionMail(wanted=False, address=None),
        contractor_name="○○建設",
        obligee_name="三島市長",
        project_name="市道○○線",
        product_name="前払金保証",
    )


def fact_of(key: str) -> Fact:
    """That fact as the issuer would announce it."""
    body = issued(key)
    identity = fact_id(body.TYPE, key, "1")
    correlation = f"portal-a/{body.guarantee_number}"
    data = body.model_dump_json(by_alias=True).encode()
    return Fact(identity, body.TYPE, source_of("issuer"), key, AT.isoformat(), correlation, None, data)


async def note(work: Work, table: str, keys: Sequence[str]) -> None:
    """Count an effect on these versions."""
    await work.connection.execute(f"insert into {table} select unnest($1::text[])", keys)


async def _heard(heard: Sequence[Heard[GuaranteeIssued]], work: Work) -> None:
    await note(work, "was_heard", [one.fact.subject for one in heard])
    due = []
    for one in heard:
        number, version = one.data.guarantee_number, one.data.version
        due.append(Due(one.fact.subject, "portal-a", b"", one.fact.correlation, order_key=number, order_no=version))
    work.make_due(ERRAND, due)


async def _record(ended: Sequence[Ended], work: Work) -> None:
    await note(work, "was_recorded", [row.key for row, _ in ended])
    for row, _ in ended:
        number, _, version = row.key.partition("/")
        sent = MailSent(
            portal="portal-a",
            application_id=number,
            guarantee_number=number,
            version=int(version),
            message_id=row.key,
            sent_at=work.now,
        )
        work.announce(sent, subject=row.key, occurrence="1", correlation=row.correlation)


async def _told(heard: Sequence[Heard[MailSent]], work: Work) -> None:
    await note(work, "was_told", [one.fact.subject for one in heard])


async def empty_effects(servers: Servers) -> None:
    """Make the tables in which effects are counted, or empty them."""
    connection = await asyncpg.connect(servers.owner_url)
    for table in EFFECTS:
        await connection.execute(f"create table if not exists {table} (key text not null)")
        await connection.execute(f"truncate {table}")
        await connection.execute(f"grant insert on {table} to hosho_{table.partition('.')[0]}")
    await connection.close()


async def effects_of(servers: Servers) -> list[Counter[str]]:
    """How often each version was heard, recorded and told."""
    connection = await asyncpg.connect(servers.owner_url)
    try:
        return [Counter(row["key"] for row in await connection.fetch(f"select key from {table}")) for table in EFFECTS]
    finally:
        await connection.close()


@asynccontextmanager
async def circle(servers: Servers) -> AsyncIterator[Circle]:
    """Both services alive, their tables of effects empty."""
    await empty_effects(servers)
    ports = {"postgres": port_of(servers.database_url("issuer")), "rabbitmq": port_of(servers.broker_url("issuer"))}
    targets = {f"{name}-{what}": port for name in ("issuer", "notifier") for what, port in ports.items()}
    async with wires(targets) as led:
        both = Circle(servers, led)
        try:
            await both.rise("issuer")
            await both.rise("notifier")
            yield both
        finally:
            await both.close()


def port_of(url: str) -> int:
    return int(url.rpartition("@")[2].partition("/")[0].rpartition(":")[2])
