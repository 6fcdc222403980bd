"""Nothing is acknowledged before its commit, and an acknowledgement reaches nothing else."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from shared import topology
from shared.delivery import consumer
from shared.messages.notifier import MailRefused, MailSent
from shared.service import Hears
from shared.service.process import _drain
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.conftest import Ear
from tests.service.shared.hearers import Hearer, rests
from tests.service.shared.telling import Mouth, announce, delivery_counts, fact
from tests.service.shared.wire import wire

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

REFUSED_QUEUE = topology.queue_of("issuer", MailRefused.TYPE)


async def test_a_fact_goes_from_one_service_to_another(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    async with living(stack, "notifier") as notifier, living(stack, "issuer", hears=hearer.hears) as issuer:
        for first in range(0, 300, 3):
            await announce(notifier.desk(), range(first, first + 3))

        await eventually(lambda: hearer.has_each_once(range(300)))
        await eventually(lambda: notifier.relay.held == 0)
        await rests(issuer)
    assert await mouth.ready() == 0


async def test_acknowledging_one_queue_leaves_the_uncommitted_messages_of_another_alone(
    mouth: Mouth, stack: Servers
) -> None:
    slow, quick = Hearer(), Hearer()
    slow.closed.clear()

    async with living(stack, "issuer", hears=[Hears(MailRefused, slow), Hears(MailSent, quick)]) as issuer:
        await mouth.tell_each(range(60), key=MailRefused.TYPE)
        await slow.entered.wait()
        await mouth.holds(0, REFUSED_QUEUE)
        await mouth.tell_each(range(100))
        await eventually(lambda: quick.has_each_once(range(100)))
        await mouth.holds(0)
        await issuer.consumers[1].drained()

    await mouth.holds(60, REFUSED_QUEUE)
    assert await mouth.ready() == 0


async def test_what_was_received_before_a_reconnect_is_handled_once_and_nothing_is_lost(
    mouth: Mouth, stack: Servers
) -> None:
    hearer = Hearer()
    hearer.closed.clear()
    async with (
        wire(stack.broker_url("issuer")) as line,
        living(stack, "issuer", hears=hearer.hears, broker_url=line.url) as issuer,
    ):
        await mouth.tell_each(range(120))
        await hearer.entered.wait()

        line.cut()
        hearer.closed.set()

        await eventually(lambda: hearer.has_each_once(range(120)))
        # The channel works on: what is told now is acknowledged through the new one.
        await mouth.tell([fact(120)])
        await eventually(lambda: hearer.has_each_once(range(121)))
        await rests(issuer)
    assert await mouth.ready() == 0


async def test_many_cuts_in_the_middle_of_a_stream_lose_and_double_nothing(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    async with (
        wire(stack.broker_url("issuer")) as line,
        living(stack, "issuer", hears=hearer.hears, broker_url=line.url) as issuer,
    ):
        for first in range(0, 200, 50):
            await mouth.tell_each(range(first, first + 50))
            await eventually(lambda: bool(hearer.batches))
            line.cut()
        await eventually(lambda: hearer.has_each_once(range(200)))
        await mouth.holds(0)
        await rests(issuer)
    assert await mouth.ready() == 0


async def test_a_commit_whose_acknowledgement_got_lost_has_no_second_effect(
    mouth: Mouth, stack: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearer = Hearer()
    committed = asyncio.Event()

    async def lose(self: object, tags: object) -> None:
        committed.set()

    with monkeypatch.context() as patched:
        patched.setattr("shared.subscription.Incarnation.acknowledge", lose)
        async with living(stack, "issuer", hears=hearer.hears) as issuer:
            await mouth.tell([fact(1), fact(2)])
            await committed.wait()
    await mouth.holds(1)
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.holds(0)
        await mouth.tell([fact(3)])
        await eventually(lambda: hearer.has_each_once(range(1, 4)))
        await rests(issuer)
    assert await mouth.ready() == 0


async def test_a_message_is_not_acknowledged_before_its_commit(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    hearer.closed.clear()
    async with living(stack, "issuer", hears=hearer.hears):
        await mouth.tell([fact(1)])
        await hearer.entered.wait()

    await mouth.holds(1)
    assert hearer.counts == {}


async def test_tags_that_are_noted_out_of_order_never_acknowledge_what_is_not_done(
    mouth: Mouth, stack: Servers
) -> None:
    """A real channel: the second tag is settled first, then the first; the third stays the broker's."""
    hearer = Hearer()
    hearer.closed.clear()
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        buffer = issuer.consumers[0].subscription.buffer
        await mouth.tell([fact(0)])
        await hearer.entered.wait()
        for number in (1, 2, 3):
            await mouth.tell([fact(number)])
        await eventually(lambda: len(buffer.waiting) == 3)
        second, third, fourth = buffer.waiting
        buffer.waiting.clear()

        await third.incarnation.acknowledge([third.tag])
        await third.incarnation.acknowledge([second.tag, 1])
        await fourth.incarnation.acknowledge([])
        await mouth.holds(0)
        assert not third.incarnation.is_closed

    await mouth.holds(1)
    (left,) = await mouth.taken()
    assert b"A-3" in left.body


async def test_the_prefetch_is_really_bounded_before_and_after_a_reconnect(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    hearer.closed.clear()
    await mouth.tell_each(range(150))
    async with (
        wire(stack.broker_url("issuer")) as line,
        living(stack, "issuer", hears=hearer.hears, broker_url=line.url) as issuer,
    ):
        prefetch = issuer.consumers[0].hearing.prefetch
        await mouth.holds(150 - prefetch)
        # Noted in the order of the queue: nothing overtakes on the way from the wire to the buffer.
        buffer = issuer.consumers[0].subscription.buffer
        await eventually(lambda: buffer.waiting and buffer.waiting[-1].tag == prefetch)
        tags = [delivery.tag for delivery in buffer.waiting]
        assert tags == list(range(prefetch + 1 - len(tags), prefetch + 1))

        line.cut()
        await mouth.holds(150)
        await mouth.holds(150 - prefetch)
        hearer.closed.set()

        await eventually(lambda: hearer.has_each_once(range(150)))


async def test_a_graceful_stop_burns_no_delivery_count(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    await mouth.tell_each(range(600))
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await hearer.entered.wait()
        await _drain(issuer)

    left = await mouth.taken()
    assert delivery_counts(left) == [0] * len(left)
    assert len(left) + sum(hearer.counts.values()) == 600
    assert max(hearer.counts.values()) == 1
    assert left, "the stop came after everything was done; the test proves nothing"


async def test_an_idle_consumer_takes_one_at_once_and_a_busy_one_fills_its_batch(mouth: Mouth, stack: Servers) -> None:
    hearer = Hearer()
    async with living(stack, "issuer", hears=hearer.hears):
        await mouth.tell([fact(0)])
        await eventually(lambda: hearer.batches == [["A-0"]])

        hearer.closed.clear()
        hearer.entered.clear()
        await mouth.tell([fact(1)])
        await hearer.entered.wait()
        for first in range(2, 302, 50):
            await mouth.tell([fact(number) for number in range(first, first + 50)])
        await mouth.holds(0)
        hearer.closed.set()
        await eventually(lambda: hearer.has_each_once(range(302)))

    sizes = [len(batch) for batch in hearer.batches]
    assert sizes == [1, 1, consumer.BATCH_FACTS_MAX, 100]


async def test_a_message_with_a_failing_handler_is_settled_and_not_left_unacknowledged(
    mouth: Mouth, stack: Servers, tables: "Tables", logged: Ear
) -> None:
    hearer = Hearer(bad={"A-7": ValueError("seven is bad")})
    async with living(stack, "issuer", hears=hearer.hears) as issuer:
        await mouth.tell([fact(number) for number in range(20)])
        await eventually(lambda: sum(hearer.counts.values()) == 19)
        await eventually(partial(_parked, mouth))
        await rests(issuer)
    assert await mouth.ready() == 0
    assert hearer.counts.keys() == {f"A-{number}" for number in range(20)} - {"A-7"}
    outcomes = await tables.fetch("select message_id from issuer.inbox where outcome = 'parked'")
    assert [row["message_id"] for row in outcomes] == [fact(7).id]
    assert logged.heard("error", "delivery.parked")[0]["code"] == "raised_ValueError"


async def _parked(mouth: Mouth) -> bool:
    return await mouth.ready(topology.PARKED_QUEUE) == 1
