"""Applications that flow: two portals, two doors, repeats, conflicts, and lines that the outside will trouble.

Every application is sent again and again, as a portal must, until it is acknowledged. What was sent is told to the
ledger as `Sent`; the workload judges nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, Final, Self

import aiohttp

from simulators.portal.client import Access, Portal
from simulators.portal.samples import samples, with_mail, with_platform
from tests.faults.expected import DECLINED, Sent
from tests.faults.pauses import lapse
from tests.faults.world import World

PORTALS: Final = ("portal-a", "portal-b")
"""The first has a queue for its answers, the second has none and reads."""

RESEND_S: Final = 0.4
DECIDE_S: Final = 0.3
HTTP_SHARE: Final = 0.4
REPEATED_SHARE: Final = 0.15
CONFLICTED_SHARE: Final = 0.05
PLATFORM_SHARE: Final = 0.5
"""How many of the troubled applications meet a platform that misbehaves; the others a mail server."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What an honest outside does to single applications: markers for the platform, local parts for the mailbox.

    Attributes:
        troubled_share: how many of the applications carry one.
        rare_platform, rare_mail: trouble that is felt by all others: it keeps a slot waiting for a whole time-out, or
            speaks for the whole outside ("come again in a second"), which is heard as that.
        rare_share: how many of the troubled ones get such trouble; with many, nothing else would happen.
    """

    platform: Sequence[str]
    mail: Sequence[str]
    troubled_share: float
    rare_platform: Sequence[str] = ()
    rare_mail: Sequence[str] = ()
    rare_share: float = 0.0

    def troubled(self, application: dict[str, Any], dice: Random) -> dict[str, Any]:
        """The application with one trouble in it."""
        rarely = dice.random() < self.rare_share
        if dice.random() < PLATFORM_SHARE:
            return with_platform(application, dice.choice(self.rare_platform if rarely else self.platform))
        return with_mail(application, dice.choice(self.rare_mail if rarely else self.mail))


GENTLE: Final = Mixture(
    platform=("503", "500", "429", "409", "reset-before", "reset-after", "cut", "unreadable", "repeat-200", "refuse"),
    mail=("smtp-450", "smtp-421", "smtp-550", "smtp-451-dot", "smtp-554-dot", "smtp-drop", "smtp-drop-data"),
    troubled_share=0.25,
)
"""Trouble that a second try heals, or that is a final word."""

ROUGH: Final = Mixture(
    platform=(
        *("500-after", "500x3", "409x2", "400", "404"),
        *("cut", "reset-before", "reset-after", "refuse", "key-reused"),
        *("unreadable", "html", "empty", "huge", "repeat-200", "get-503", "reset-after] [platform:400"),
        *("arrived-missing", "arrived-null", "arrived-unreadable", "arrived-past", "arrived-future"),
        *("arrived-zone", "arrived-lower", "arrived-nanos", "arrived-seconds"),
    ),
    mail=(
        *("smtp-450x2", "smtp-452", "smtp-550", "smtp-553", "smtp-451-dot", "smtp-554-dot"),
        *("smtp-drop", "smtp-drop-data", "smtp-drop-dot"),
    ),
    troubled_share=0.35,
    # No 401 and no 403: said of one certificate they mean our credentials, and close the way for a minute.
    rare_platform=(
        *("slow", "drip", "silence", "silence-after"),
        *("503x2", "503-date", "503-bare", "503-after", "429x2"),
    ),
    rare_mail=("smtp-silence", "smtp-slow", "smtp-421"),
    rare_share=0.03,
)
"""Everything the simulators can do."""


def applications(seed: int, count: int, mixture: Mixture) -> list[Sent]:
    """The applications of a seed, in the order in which they are to be sent: the same again for the same seed."""
    dice = Random(seed)
    streams = {portal: samples(portal, seed, accepted_share=0.85) for portal in PORTALS}
    made = []
    for _ in range(count):
        portal = dice.choice(PORTALS)
        (sample,) = islice(streams[portal], 1)
        application = sample.application
        if sample.accepted and dice.random() < mixture.troubled_share:
            application = mixture.troubled(application, dice)
        made.append(Sent(portal, application, sample.accepted))
    return made


class Workload:
    """The portals at work.

    Attributes:
        acknowledged: how many applications are through, whatever the answer.
    """

    def __init__(self, portals: Mapping[str, Portal], sent: list[Sent], seed: int | str) -> None:
        self.portals, self.sent, self.seed = portals, sent, seed
        self.acknowledged = 0
        self._allowed = asyncio.Semaphore(0)
        self._allowed_so_far = 0
        self._brought_some = asyncio.Event()

    def allow(self, count: int) -> None:
        """Let that many applications go out in all."""
        for _ in range(count - self._allowed_so_far):
            self._allowed.release()
        self._allowed_so_far = max(count, self._allowed_so_far)

    async def has_brought(self, count: int) -> None:
        """Wait until that many applications are through."""
        while self.acknowledged < count:
            self._brought_some.clear()
            await self._brought_some.wait()

    async def flow(self, senders: int) -> None:
        """Send everything that is allowed, with so many applications on their way at once."""
        waiting = iter(self.sent)

        async def sender(number: int) -> None:
            dice = Random(f"{self.seed}/{number}")
            for one in waiting:
                await self._allowed.acquire()
                await self._bring(one, dice)
                self.acknowledged += 1
                self._brought_some.set()

        async with asyncio.TaskGroup() as group:
            for number in range(senders):
                group.create_task(sender(number))

    async def _bring(self, one: Sent, dice: Random) -> None:
        over_http = "http" in one.certain or ("amqp" not in one.certain and dice.random() < HTTP_SHARE)
        repeated = "repeat" in one.certain or dice.random() < REPEATED_SHARE
        conflicted = "conflict" in one.certain or dice.random() < CONFLICTED_SHARE
        one.attempted = True
        portal = self.portals[one.portal]
        await (_over_http(portal, one) if over_http else _over_amqp(portal, one))
        if repeated:
            await (_over_amqp(portal, one) if over_http else _over_http(portal, one))
        if conflicted and one.valid:
            await self._conflict(portal, one)

    async def _conflict(self, portal: Portal, one: Sent) -> None:
        # Over HTTP, where 202 and 200 say that the first content stands; then anything else must be refused.
        await _over_http(portal, one)
        other = {**one.application, "message_to_guarantor": "別の内容です。"}
        while await _status(portal, other) != 409:
            await lapse(RESEND_S)
        await portal.apply_until_received(other, timeout_s=600)
        one.conflicts += 1


async def _over_amqp(portal: Portal, one: Sent) -> None:
    await portal.apply_until_received(dict(one.application), timeout_s=600)
    one.acknowledged = True


async def _over_http(portal: Portal, one: Sent) -> None:
    while (status := await _status(portal, one.application)) not in (200, 202, 422):
        await lapse(RESEND_S)
    one.acknowledged = one.acknowledged or status != 422
    one.refused_at_once = status == 422


async def _status(portal: Portal, application: Any) -> int:
    """The answer's status; 0 when there was none."""
    try:
        return (await portal.doors.apply(application)).status
    except (aiohttp.ClientError, TimeoutError):
        return 0


class _Reader(Portal):
    """A portal without a queue for its answers: it does not listen."""

    async def __aenter__(self) -> Self:
        await self._ledger.open()
        await self.doors.__aenter__()
        return self


async def decide(world: World, portals: Mapping[str, Portal]) -> None:
    """Be the core system until cancelled: conclude or decline every line that waits for it."""
    while True:
        for name, portal in portals.items():
            with suppress(aiohttp.ClientError, TimeoutError, AssertionError):
                reply = await portal.doors.guarantees(limit="200")
                for row in reply.json()["items"] if reply.status == 200 else ():
                    if row["status"] == "awaiting_conclusion":
                        declined = row["application_id"].endswith(DECLINED)
                        await world.conclude(name, row["application_id"], row["kind"], declined=declined)
        await lapse(DECIDE_S)


@asynccontextmanager
async def portals_of(world: World) -> AsyncIterator[dict[str, Portal]]:
    """The portals the workload speaks for, the first one listening to its answers."""
    system = world.system
    opened: dict[str, Portal] = {}
    try:
        for name in PORTALS:
            access = Access(
                portal=name,
                broker_url=system.broker_url(name),
                intake_url=system.url("intake"),
                issuer_url=system.url("issuer"),
                token=system.token(name),
            )
            opened[name] = await (Portal(access) if name == PORTALS[0] else _Reader(access)).__aenter__()
        yield opened
    finally:
        for portal in opened.values():
            await portal.__aexit__()
