"""Delivery, outbox and errands against a small model: whatever happens in whatever order, each thing happens once.

The model is a set of versions that were announced. Between two announcements anything may go wrong; at the end every
version must have been heard once, done outside in its order, recorded once and told once, and nothing may be left.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from threading import Thread
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.conftest import Servers
from tests.eventually import eventually
from tests.faults.circle import Circle, circle

T = TypeVar("T")

EXAMPLES = 6
STEPS = 14
GUARANTEES = 3
END_S_MAX = 30.0
ASK_S_MAX = 90.0

services = st.sampled_from(["issuer", "notifier"])
numbers = st.integers(min_value=1, max_value=GUARANTEES)


class _Loop:
    """A loop of its own in a thread of its own, since hypothesis calls the rules from outside."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ASK_S_MAX)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Machine(RuleBasedStateMachine):
    """The rules: what may happen next."""

    servers: ClassVar[Servers]
    loop: ClassVar[_Loop]
    runs: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.versions: Counter[str] = Counter()
        self._opened = circle(self.servers)
        self.circle: Circle = self.loop.run(self._opened.__aenter__())

    def _keys(self) -> list[str]:
        return [f"{number}/{version}" for number, last in self.versions.items() for version in range(1, last + 1)]

    @rule(drawn=st.lists(numbers, min_size=1, max_size=4))
    def announce(self, drawn: list[int]) -> None:
        """The next versions of some guarantees, in one transaction."""
        keys = []
        for number in drawn:
            name = f"{self.runs:05}-{number:06}"
            self.versions[name] += 1
            keys.append(f"{name}/{self.versions[name]}")
        self.loop.run(self.circle.announce(keys))

    @rule(which=st.integers(min_value=0))
    def announce_again(self, which: int) -> None:
        """The same occasion once more: the same fact."""
        if keys := self._keys():
            self.loop.run(self.circle.announce([keys[which % len(keys)]]))

    @rule(backwards=st.booleans())
    def deliver_again(self, backwards: bool) -> None:
        """Everything so far once more, in one pack, perhaps in the wrong order."""
        if keys := self._keys():
            self.loop.run(self.circle.repeat(keys[::-1] if backwards else keys))

    @rule(answers=st.lists(st.sampled_from(["later", "unknown", "raise", "done"]), max_size=4))
    def prepare_answers(self, answers: list[str]) -> None:
        """What the outside will say to the next calls."""
        self.circle.outside.next_answers = answers

    @rule(name=services)
    def die_and_rise(self, name: str) -> None:
        """A service is cut off in the middle of whatever it does, and another comes in its place."""
        self.loop.run(self.circle.die(name))
        self.loop.run(self.circle.rise(name))

    @rule(name=services, what=st.sampled_from(["postgres", "rabbitmq"]))
    def cut(self, name: str, what: str) -> None:
        """Every connection of a service to a server is reset."""
        self.loop.run(_called(self.circle.wires[f"{name}-{what}"].cut))

    def teardown(self) -> None:
        """Wait for the end, and compare with the model."""
        try:
            self.loop.run(eventually(self._has_ended, within_s=END_S_MAX))
            assert not self.circle.outside.broken
            assert set(self.circle.outside.calls) == set(self._keys())
        finally:
            self.loop.run(self._opened.__aexit__(None, None, None))

    async def _has_ended(self) -> bool:
        once = Counter(self._keys())
        assert await self.circle.effects() == [once, once, once]
        return await self.circle.left() == 0


async def _called(step: Any) -> None:
    step()


def test_whatever_happens_every_version_is_heard_done_recorded_and_told_once(fresh_database: Servers) -> None:
    Machine.servers, Machine.loop = fresh_database, _Loop()
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        # No shrinking: every failing run waits to its very end, so a smaller example would take an hour to find.
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=chosen)
    finally:
        Machine.loop.close()
