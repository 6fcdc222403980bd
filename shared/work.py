"""One unit of work and everything that is to become true with it.

A handler decides; `Work` gathers what it announces, makes due and writes, sends it to the database as one statement,
and hands it to the relay and the errands after the commit. Nothing is published that was not committed, and what is
committed is published even if this process dies in between: the rows are there.

What is heard was almost never heard before, so a unit of work may *presume* that everything it adds is new. Its one
statement then says itself whether that was true; where it was not, nothing becomes true, and the same is done again
step by step.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic_core import to_json

from shared import clock, inbox, outbox, parking, postgres, topology, tracing
from shared.crashpoints import reached
from shared.envelope import Fact, Unreadable, binary_headers, encode, fact_id, source_of
from shared.errands import Claimed, Due, Held
from shared.errands import store as errand_store
from shared.hands import ErrandHands, Hands, RelayHands
from shared.messages import Message
from shared.outbox import Announcement, Leased
from shared.writes import Unexpected, Write, write_all

T = TypeVar("T")

SEARCH_CHARACTERS_MAX = 200
"""Of each word the journal is told to find a fact by."""

TURNS_TO_BE_WRITTEN = 3
"""Turns of the event loop until the relay has written what it was handed: others wait for it, and for nobody's log."""

if TYPE_CHECKING:
    from shared.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Desk:
    """What every unit of work of one process needs.

    Attributes:
        answered: says whether a portal has a queue for answers; one that has none gets none.
        owner_id: read at each use, for it is the lease holder's name in every row.
    """

    service: str
    pool: "Pool"
    owner_id: int
    shout: Callable[[], None]
    answered: Callable[[str], bool]
    relay: RelayHands
    errands: Mapping[str, ErrandHands]


@dataclass(slots=True)
class Work:
    """What becomes true together. Handlers get it; only `unit_of_work` makes it.

    Attributes:
        presumes: whether what is added is taken to be new until the end, which then says whether it was.
        committed: whether it has become true.
    """

    connection: "Connection"
    desk: Desk
    now: datetime
    consumer: str = ""
    presumes: bool = False
    committed: bool = False
    announcements: list[Announcement] = field(default_factory=list)
    due: dict[str, list[Due]] = field(default_factory=dict)
    parked: list[tuple[Fact | Unreadable, str, str]] = field(default_factory=list)
    _writes: list[Write] = field(default_factory=list)
    _leased: list[Leased] = field(default_factory=list)
    _claimed: dict[str, list[Claimed]] = field(default_factory=dict)
    _reserved: list[tuple[Hands, int]] = field(default_factory=list)
    _others_find_work: bool = False

    def announce(
        self,
        message: Message,
        *,
        subject: str,
        occurrence: str,
        correlation: str,
        portal: str | None = None,
        cause: Fact | Claimed | Held | None = None,
    ) -> UUID:
        """Announce a fact when this transaction commits; gives back its id.

        The id follows from type, subject and occurrence, so the same occasion announced again is the same fact.
        With `portal`, that portal gets what the message shows to portals, if it has a queue for answers.
        """
        identity = fact_id(message.TYPE, subject, occurrence)
        time = self.now.isoformat()
        trace = (cause.traceparent if cause is not None else None) or tracing.begun(subject)
        data = to_json(message, by_alias=True)
        source = source_of(self.desk.service)
        fact = Fact(identity, message.TYPE, source, subject, time, correlation, trace, data)
        search = _search(message, trace)
        shown = message.for_portal() if portal is not None and self.desk.answered(portal) else None
        if message.TYPE in topology.HEARERS:
            self._row(fact, topology.EVENTS, message.TYPE, encode(fact), search=search, journalled=True)
        elif shown is None:
            self._row(fact, outbox.JOURNAL_ONLY, message.TYPE, b"", search=search, journalled=True)
        if portal is not None and shown is not None:
            # A portal's copy is the same fact as the one announced inside, and the journal notes a fact once.
            journalled = message.TYPE not in topology.HEARERS
            key, headers = topology.answer_key(portal, message.TYPE), binary_headers(fact)
            found_by = search if journalled else None
            self._row(fact, topology.PORTALS, key, to_json(shown), headers, found_by, journalled=journalled)
        return identity

    def _row(
        self,
        fact: Fact,
        exchange: str,
        key: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        search: Mapping[str, str] | None = None,
        *,
        journalled: bool,
    ) -> None:
        self.announcements.append(
            Announcement(
                exchange=exchange,
                routing_key=key,
                message_id=fact.id,
                type=fact.type,
                subject=fact.subject,
                correlation=fact.correlation,
                body=body,
                headers=headers,
                digest=fact.digest,
                journalled=journalled,
                time=fact.time,
                search=search,
            )
        )

    def send_again(self, queue: str, fact: UUID, body: bytes, replay: int) -> None:
        """Replay a parked fact to the queue of its one hearer when this transaction commits; the desk alone may."""
        self.announcements.append(parking.replay_row(queue, fact, body, replay, self.now.isoformat()))

    def park(self, fact: Fact | Unreadable, code: str, reason: str) -> None:
        """Give up on a fact as a value: it ends parked, with its whole content, when this transaction commits."""
        self.parked.append((fact, code, reason))

    def put_aside(self, fact: Fact | Unreadable, code: str, reason: str) -> None:
        """Send a copy to the desk without changing what the inbox knows of this id."""
        self.announcements.append(parking.row(self.consumer, fact, code, reason, self.now.isoformat()))

    def make_due(self, errand: str, rows: Sequence[Due]) -> None:
        """Make calls to the outside due when this transaction commits."""
        self.due.setdefault(errand, []).extend(rows)

    def write(self, *writes: Write) -> None:
        """Have these become true at the end, with everything else."""
        self._writes += writes

    async def fresh(self, write: Write, keys: Sequence[T]) -> set[T]:
        """Add rows with these keys, which the write tells as those that were not there before; gives the new ones.

        What was gathered before is written before, unless everything is presumed until the end.
        """
        if self.presumes:
            self._writes.append(replace(write, rows=len(keys)))
            return set(keys)
        before, self._writes = self._writes, []
        return set((await write_all(self.connection, [*before, write])).told[-1])

    def look(self) -> None:
        """Say that nothing can be presumed here: what follows looks first, or locks.

        Raises:
            Unexpected: unless this is the unit of work that looks.
        """
        if self.presumes:
            raise Unexpected

    async def flush(self) -> None:
        """Write everything gathered, as one statement."""
        if self.parked:
            parked_at = self.now.isoformat()
            identities = [(fact.id, fact.digest, fact.replay) for fact, *_ in self.parked]
            self.write(inbox.parking(self.consumer, identities))
            self.announcements.extend(parking.row(self.consumer, *parked, parked_at) for parked in self.parked)
        facts: list[Write] = []
        leased_rows = 0
        if self.announcements:
            leased_rows = self._reserve(self.desk.relay, len(self.announcements))
            self._others_find_work |= leased_rows < len(self.announcements)
            facts.append(outbox.insertion(self.announcements, self.desk.owner_id, leased_rows))
        errands = [
            errand_store.Insertion(errand, rows, self._reserve(self.desk.errands[errand], len(rows)))
            for errand, rows in self.due.items()
            if rows
        ]
        due = [one.write(self.desk.owner_id, self.desk.errands[one.errand].lease_s) for one in errands]
        for row in self.announcements:
            reached(f"-{row.type}")
        reached(f"-commit.{self.consumer}")
        writes = [*self._writes, *facts, *due]
        if not writes:
            return
        written = await write_all(self.connection, writes)
        told = written.told[len(self._writes) :]
        self._writes = []
        if facts:
            self._leased = outbox.leased(self.announcements, told[0])[:leased_rows]
        for one, keys in zip(errands, told[len(facts) :], strict=True):
            self._claimed[one.errand] = one.claimed(keys, written.at)
            self._others_find_work |= len(self._claimed[one.errand]) < len(keys)

    def _reserve(self, hands: Hands, rows: int) -> int:
        reserved = hands.reserve(rows)
        self._reserved.append((hands, reserved))
        return reserved

    def hand_over(self) -> None:
        """After the commit: relay and errands get their rows. After a rollback: they get their room back."""
        for hands, reserved in self._reserved:
            hands.give_back(reserved)
        if not self.committed:
            return
        reached(f"+commit.{self.consumer}")
        for row in self.announcements:
            reached(f"+{row.type}")
        self.desk.relay.take(self._leased)
        for errand, claimed in self._claimed.items():
            self.desk.errands[errand].take(claimed)
        if self._others_find_work:
            self.desk.shout()


def _search(message: Message, trace: str | None) -> Mapping[str, str] | None:
    words = dict(message.for_journal() or {})
    if trace is not None:
        words["trace"] = trace
    # PostgreSQL keeps no U+0000.
    return {name: text.replace("\x00", "")[:SEARCH_CHARACTERS_MAX] for name, text in words.items()} or None


@asynccontextmanager
async def unit_of_work(
    desk: Desk, consumer: str = "", *, presumes: bool = False, locks: bool = True
) -> AsyncIterator[Work]:
    """Everything in it becomes true together, or nothing does.

    Args:
        presumes: see `Work`.
        locks: whether a transaction is open from the beginning. Without one the statement at the end is the
            transaction, and whatever is read before it may have changed.
    """
    work: Work | None = None
    try:
        async with postgres.transaction(desk.pool) if locks else desk.pool.acquire() as connection:
            work = Work(connection, desk, clock.now(), consumer, presumes)
            yield work
            await work.flush()
        work.committed = True
    finally:
        if work is not None:
            work.hand_over()
    for _ in range(TURNS_TO_BE_WRITTEN):
        await asyncio.sleep(0)
