"""A database that is away costs waiting: nothing is acknowledged, parked or lost, and one delivery is counted."""

from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared import inbox, topology
from shared.delivery import consumer
from shared.errors import Transient
from shared.subscription import Subscription
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.hearers import Hearer, rests
from tests.service.shared.telling import QUEUE, Mouth, delivery_counts, fact
from tests.service.shared.wire import Wire, wire

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables


@pytest.fixture
def given_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues whose messages were given back, one entry each time; outages are short."""
    monkeypatch.setattr(consumer, "OUTAGE_S_MIN", 0.3)
    monkeypatch.setattr(consumer, "RETRY_S_MAX", 0.1)
    given: list[str] = []
    real = Subscription.give_back

    async def give_back(self: Subscription) -> None:
        given.append(self.queue)
        await real(self)

    monkeypatch.setattr(Subscription, "give_back", give_back)
    return given


async def test_an_outage_gives_everything_back_once_and_goes_on_afterwards(
    mouth: Mouth, stack: Servers, logged: Ear, given_back: list[str]
) -> None:
    hearer = Hearer()
    await mouth.tell_each(range(100))
    async with wire(stack.database_url("issuer")) as line:
        hearer.closed.clear()
        async with living(stack, "issuer", hears=hearer.hears, database_url=line.url) as issuer:
            await hearer.entered.wait()
            line.break_down()
            hearer.closed.set()
            await eventually(lambda: bool(given_back))
            # Nobody consumes while the database is away: everything lies at the broker, counted once.
            await mouth.holds(100)
            assert not issuer.consumers[0].subscription.consuming
            assert issuer.reasons_not_ready()["deliveries"]
            counts = delivery_counts(await mouth.taken())
            assert sum(counts) == issuer.consumers[0].hearing.prefetch
            assert set(counts) == {0, 1}

            await mouth.tell_each(range(100, 200))
            line.mend()
            await eventually(lambda: hearer.has_each_once(range(100, 200)))
            assert issuer.consumers[0].failing_since_s is None
            await eventually(lambda: not issuer.reasons_not_ready())
            await rests(issuer)
            assert given_back == [issuer.consumers[0].hearing.queue]
    assert await mouth.ready() == 0
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


async def test_the_prefetch_holds_after_an_outage(mouth: Mouth, stack: Servers, given_back: list[str]) -> None:
    hearer = Hearer(failures=[Transient("away")] * 1_000)
    await mouth.tell_each(range(150))
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await eventually(lambda: bool(given_back))
        hearer.failures.clear()
        hearer.closed.clear()
        await mouth.holds(150 - issuer.consumers[0].hearing.prefetch)
        hearer.closed.set()
        await eventually(lambda: hearer.has_each_once(range(150)))


async def test_a_broker_that_goes_away_during_the_outage_does_not_end_the_consumer(
    mouth: Mouth, stack: Servers, given_back: list[str]
) -> None:
    hearer = Hearer()
    hearer.closed.clear()
    async with (
        wire(stack.database_url("issuer")) as database,
        wire(stack.broker_url("issuer")) as broker,
        living(stack, "issuer", hears=hearer.hears, database_url=database.url, broker_url=broker.url) as issuer,
    ):
        await mouth.tell_each(range(10))
        await hearer.entered.wait()
        database.break_down()
        hearer.closed.set()
        await eventually(lambda: bool(given_back))
        await _away(broker)
        database.mend()
        await eventually(lambda: broker.refused > 2)
        broker.mend()
        await eventually(lambda: hearer.has_each_once(range(10)))
        await rests(issuer)
    assert await mouth.ready() == 0


async def _away(line: Wire) -> None:
    line.break_down()
    await eventually(lambda: line.refused > 0)


async def test_a_standby_that_only_reads_is_not_taken_for_the_end_of_the_outage(
    mouth: Mouth, stack: Servers, given_back: list[str]
) -> None:
    hearer = Hearer()
    superuser = await asyncpg.connect(stack.superuser_url)
    role = f"alter role hosho_issuer in database {stack.database}"
    async with living(stack, "issuer", hears=hearer.hears):
        try:
            await superuser.execute(f"{role} set default_transaction_read_only = on")
            await _reconnect(superuser, stack)
            await mouth.tell([fact(1)])
            await eventually(lambda: bool(given_back))
            await mouth.holds(1)
            assert delivery_counts(await mouth.taken()) == [1]
            await mouth.tell([fact(2)])
            await mouth.holds(1)
        finally:
            await superuser.execute(f"{role} reset default_transaction_read_only")
            await _reconnect(superuser, stack)
            await superuser.close()
        await eventually(lambda: hearer.has_each_once(range(2, 3)))
    assert given_back == ["issuer.mail_sent"]


async def _reconnect(superuser: "Tables", stack: Servers) -> None:
    await superuser.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosho_issuer' and datname = $1",
        stack.database,
    )


async def test_transient_failures_of_a_redelivered_fact_are_not_counted_as_deaths(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RETRY_S_MAX", 0.1)
    hearer = Hearer()
    hearer.closed.clear()
    await mouth.tell([fact(1), fact(2)])
    async with living(stack, "issuer", hears=hearer.hears):
        await hearer.entered.wait()
    hearer.failures = [Transient("away")] * (inbox.ATTEMPTS_MAX + 2)
    # One more death and it would be parked: the try that is going on is none yet.
    almost = "insert into issuer.attempt (consumer, message_id, attempts) values ($1, $2, $3)"
    await tables.execute(almost, QUEUE, fact(1).id, inbox.ATTEMPTS_MAX - 1)
    hearer.closed.set()
    async with living(stack, "issuer", hears=hearer.hears):
        await eventually(lambda: hearer.has_each_once(range(1, 3)))
        await eventually(lambda: _nothing_counted(tables))
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


async def _nothing_counted(tables: "Tables") -> bool:
    """Whether the last try, which takes its count back when it is committed, is committed."""
    return bool(await tables.fetchval("select count(*) from issuer.attempt") == 0)


async def test_outages_of_a_redelivered_fact_are_not_counted_as_deaths_either(
    mouth: Mouth, stack: Servers, tables: "Tables", monkeypatch: pytest.MonkeyPatch, given_back: list[str]
) -> None:
    monkeypatch.setattr(consumer, "OUTAGE_S_MIN", 0.0)
    outages = inbox.ATTEMPTS_MAX + 2
    hearer = Hearer(failures=[Transient("away")] * outages)
    async with living(stack, "issuer", hears=hearer.hears):
        await mouth.tell([fact(1)])
        await eventually(lambda: hearer.has_each_once(range(1, 2)))
        await eventually(lambda: _nothing_counted(tables))
    assert len(given_back) == outages
    assert await mouth.ready(topology.PARKED_QUEUE) == 0


async def test_a_long_outage_is_an_alarm(
    mouth: Mouth, stack: Servers, logged: Ear, monkeypatch: pytest.MonkeyPatch, given_back: list[str]
) -> None:
    monkeypatch.setattr(consumer, "ALARM_S_MIN", 0.5)
    hearer = Hearer()
    async with (
        wire(stack.database_url("issuer")) as line,
        living(stack, "issuer", hears=hearer.hears, database_url=line.url),
    ):
        line.break_down()
        await mouth.tell([fact(1)])
        await eventually(lambda: bool(logged.heard("error", "delivery.outage")))
        line.mend()
        await eventually(lambda: hearer.has_each_once(range(1, 2)))
    assert len(logged.heard("error", "delivery.outage")) == 1
