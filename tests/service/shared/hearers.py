"""Handlers for tests: they remember what they got, fail on purpose, wait when told."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.delivery import Heard
from shared.messages.notifier import MailSent
from shared.service import Hears
from shared.service.running import Running
from shared.work import Work
from tests.eventually import eventually


@dataclass
class Hearer:
    """A handler that notes whatever was committed with it.

    Attributes:
        bad: application ids at which it raises, with what it raises.
        failures: raised one after another by the next batches, before anything else.
        closed: while it is cleared, the handler waits inside its transaction.
    """

    bad: dict[str, Exception] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[tuple[list[str], Work]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.closed.set()

    async def __call__(self, heard: Sequence[Heard[MailSent]], work: Work) -> None:
        names = [one.data.application_id for one in heard]
        self.entered.set()
        await self.closed.wait()
        if self.failures:
            raise self.failures.pop(0)
        for name in names:
            if name in self.bad:
                raise self.bad[name]
        # What was heard on a connection that is gone meanwhile was not committed.
        await work.connection.execute("select 1")
        self.heard.append((names, work))

    @property
    def hears(self) -> list[Hears]:
        """The table of a service that hears with it."""
        return [Hears(MailSent, self)]

    @property
    def batches(self) -> list[list[str]]:
        """The application ids of each batch that has become true."""
        return [names for names, work in self.heard if work.committed]

    @property
    def counts(self) -> Counter[str]:
        """How often each application id has become true."""
        return Counter(name for batch in self.batches for name in batch)

    def has_each_once(self, numbers: range) -> bool:
        """Whether exactly these came, each once; more than once fails at once."""
        assert max(self.counts.values(), default=0) <= 1, self.counts.most_common(3)
        return set(self.counts) == {f"A-{number}" for number in numbers}


async def rests(service: Running) -> None:
    """Wait until a service has finished and acknowledged everything that it was given."""
    for consumer in service.consumers:
        await eventually(lambda: consumer.idle.is_set() and not consumer.subscription.buffer.waiting)  # noqa: B023
