"""The buffer and the acknowledgements, against a broker in memory that is as strict as the real one."""

import ast
import asyncio
import inspect
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from aiormq.exceptions import ChannelInvalidStateError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared import subscription
from shared.subscription import Buffer, Delivery, Incarnation, Subscription


class Channel:
    """What RabbitMQ does with acknowledgements (`rabbit_channel:collect_acks`): an unknown tag closes the channel."""

    def __init__(self) -> None:
        self.unacknowledged: set[int] = set()
        self.last_tag = 0
        self.is_closed = False
        self.frames = 0

    def deliver(self) -> int:
        self.last_tag += 1
        self.unacknowledged.add(self.last_tag)
        return self.last_tag

    async def basic_ack(self, delivery_tag: int, multiple: bool = False, wait: bool = True) -> None:
        if self.is_closed:
            raise ChannelInvalidStateError("closed")
        self.frames += 1
        assert delivery_tag in self.unacknowledged, "PRECONDITION_FAILED - unknown delivery tag"
        self.unacknowledged -= {tag for tag in self.unacknowledged if tag <= delivery_tag and multiple}
        self.unacknowledged.discard(delivery_tag)


def _incarnation() -> tuple[Channel, Incarnation]:
    channel = Channel()
    return channel, Incarnation(cast(Any, channel))


def _delivery(incarnation: Incarnation, tag: int, *, facts: int = 1, redelivered: bool = False) -> Delivery:
    return Delivery(incarnation, tag, b"", "", None, None, {}, redelivered, None, facts)


def _run(step: Awaitable[None]) -> None:
    async def awaited() -> None:
        await step

    asyncio.run(awaited())


def test_a_run_of_tags_is_one_frame() -> None:
    channel, incarnation = _incarnation()
    tags = [channel.deliver() for _ in range(50)]
    waiting = channel.deliver()

    _run(incarnation.acknowledge(tags))

    assert channel.unacknowledged == {waiting}
    assert channel.frames == 1


def test_a_gap_holds_the_watermark_and_is_never_covered() -> None:
    channel, incarnation = _incarnation()
    for _ in range(6):
        channel.deliver()

    _run(incarnation.acknowledge([2, 4, 5]))
    assert channel.unacknowledged == {1, 3, 6}
    _run(incarnation.acknowledge([1]))
    assert channel.unacknowledged == {3, 6}
    _run(incarnation.acknowledge([3]))
    assert channel.unacknowledged == {6}
    _run(incarnation.acknowledge([6]))
    assert channel.unacknowledged == set()


def test_a_closed_channel_is_no_error() -> None:
    channel, incarnation = _incarnation()
    tag = channel.deliver()
    channel.is_closed = True

    _run(incarnation.acknowledge([tag]))

    assert incarnation.is_closed
    assert channel.unacknowledged == {tag}


def test_a_batch_is_filled_up_to_its_facts_and_a_larger_pack_goes_alone() -> None:
    _, incarnation = _incarnation()
    buffer = Buffer()
    for tag, facts in enumerate([50, 50, 50, 50, 1, 500, 1], start=1):
        buffer.put(_delivery(incarnation, tag, facts=facts))

    batches = []
    while buffer.waiting:
        batches.append([delivery.tag for delivery in buffer.take(200)])

    assert batches == [[1, 2, 3, 4], [5], [6], [7]]
    assert buffer.facts == 0


def test_a_redelivered_pack_is_always_alone() -> None:
    _, incarnation = _incarnation()
    buffer = Buffer()
    for tag, redelivered in enumerate([False, True, True, False, False], start=1):
        buffer.put(_delivery(incarnation, tag, redelivered=redelivered))

    batches = []
    while buffer.waiting:
        batches.append([delivery.tag for delivery in buffer.take(200)])

    assert batches == [[1], [2], [3], [4, 5]]


def test_a_quiet_lane_passes_the_packs_of_a_flood() -> None:
    _, incarnation = _incarnation()
    buffer = Buffer()
    for tag, lane in enumerate(["flood"] * 6 + ["quiet"], start=1):
        buffer.put(replace(_delivery(incarnation, tag, facts=50), lane=lane))

    batches = []
    while buffer.waiting:
        batches.append([delivery.tag for delivery in buffer.take(100)])

    assert batches == [[1, 7], [2, 3], [4, 5], [6]]


def test_what_came_through_a_closed_channel_is_forgotten() -> None:
    (dead, old), (_, new) = _incarnation(), _incarnation()
    buffer = Buffer()
    for tag, incarnation in enumerate([old, new, old, new], start=1):
        buffer.put(_delivery(incarnation, tag, facts=2))

    assert buffer.drop(old) == 2
    assert buffer.facts == 4
    dead.is_closed = True
    buffer.put(_delivery(old, 5))
    assert [delivery.tag for delivery in buffer.take(200)] == [2, 4]
    assert buffer.facts == 0


@pytest.mark.parametrize("step", [Subscription._note, subscription._parse, subscription._decode])
def test_nothing_is_awaited_between_the_wire_and_the_note(step: Callable[..., Any]) -> None:
    """An await there lets a later delivery overtake: the order of tags would no longer be that of the queue."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(step)))

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor)]


def _subscribed(steps: list[str]) -> Subscription:
    """A subscription whose FastStream side only notes what is asked of it."""

    class Queue:
        async def cancel(self, _tag: str) -> None:
            steps.append("cancelled")
            # A delivery that came just before the broker's answer, on its way through aiormq and aio-pika.
            asyncio.get_running_loop().create_task(carry())

    async def carry() -> None:
        await asyncio.create_task(note())

    async def note() -> None:
        steps.append("noted")

    made = Subscription(subscription.consuming_broker("amqp://user:password@localhost:1/v", "test"), "q", 1)
    made.subscriber._queue_obj = cast(Any, Queue())
    made.subscriber._consumer_tag = "tag"
    return made


def test_what_came_before_the_cancelling_is_noted_when_it_ends() -> None:
    steps: list[str] = []

    _run(_subscribed(steps).cancel())

    assert steps == ["cancelled", "noted"]


def test_consuming_goes_on_only_on_a_channel_that_is_ready_and_is_tried_until_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a channel that is not ready yet there is no prefetch."""
    steps: list[str] = []
    made = _subscribed(steps)
    failures = [ChannelInvalidStateError("closed"), ConnectionResetError()]

    class Robust:
        async def ready(self) -> None:
            steps.append("ready")

    async def start() -> None:
        steps.append("start")
        if failures:
            raise failures.pop()

    made._channel = cast(Any, Robust())
    monkeypatch.setattr(made.subscriber, "start", start)
    monkeypatch.setattr(subscription, "RECONNECT_AFTER_S", 0.0)

    _run(made.resume())

    assert steps == ["ready", "start"] * 3


class Broker(RuleBasedStateMachine):
    """Deliveries, batches, settlements and cuts in any order: nothing unsettled is ever acknowledged."""

    @initialize()
    def open(self) -> None:
        self.buffer = Buffer()
        self.settled: set[int] = set()
        self.taken: list[Delivery] = []
        self.late: list[Delivery] = []
        self.channel, self.incarnation = _incarnation()

    @rule(facts=st.integers(1, 90), redelivered=st.booleans())
    def deliver(self, facts: int, redelivered: bool) -> None:
        delivery = _delivery(self.incarnation, self.channel.deliver(), facts=facts, redelivered=redelivered)
        self.buffer.put(delivery)

    @rule()
    def deliver_but_note_later(self) -> None:
        self.late.append(_delivery(self.incarnation, self.channel.deliver()))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def note(self, data: st.DataObject) -> None:
        self.buffer.put(self.late.pop(data.draw(st.integers(0, len(self.late) - 1))))

    @rule(facts_max=st.integers(1, 200))
    def take(self, facts_max: int) -> None:
        waiting = len(self.buffer.waiting)
        batch = self.buffer.take(facts_max)

        assert bool(batch) == bool(waiting)
        assert len(batch) == 1 or sum(delivery.facts for delivery in batch) <= facts_max
        assert len(batch) <= 1 or not any(delivery.redelivered for delivery in batch)
        self.taken += batch

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.integers(0, len(self.taken) - 1), min_size=1, max_size=4))
        tags = [self.taken[index].tag for index in chosen]
        self.taken = [delivery for index, delivery in enumerate(self.taken) if index not in chosen]
        self.settled.update(tags)
        _run(self.incarnation.acknowledge(tags))

    @rule()
    def cut(self) -> None:
        self.channel.is_closed = True
        old = self.incarnation
        self.buffer.drop(old)
        _run(old.acknowledge([delivery.tag for delivery in self.taken]))
        self.taken, self.late, self.settled = [], [], set()
        self.channel, self.incarnation = _incarnation()

    @invariant()
    def exactly_the_settled_are_acknowledged(self) -> None:
        assert self.channel.unacknowledged == set(range(1, self.channel.last_tag + 1)) - self.settled

    @invariant()
    def the_buffer_counts_right(self) -> None:
        assert self.buffer.facts == sum(delivery.facts for delivery in self.buffer.waiting)


TestBroker = Broker.TestCase
TestBroker.settings = settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
