"""From the last fault to the last word: waiting until everything has ended, and the account of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from shared.errors import Misconfigured, Transient
from simulators.portal.client import Portal
from tests.faults import traces
from tests.faults.expected import Sent
from tests.faults.ledger import Account, account
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.world import World

LOOK_EVERY_S: Final = 0.3
"""How often the tables are looked at; the whole account is only drawn up when they are empty."""

ACCOUNT_EVERY_S: Final = 2.0
QUEUES_S_MAX: Final = 20.0
"""How long the broker's statistics may lag behind its queues, with a wide margin for a busy machine."""

Say = Callable[[str], None]


async def settled(
    world: World,
    portals: Mapping[str, Portal],
    sent: Sequence[Sent],
    poison: int,
    *,
    within_s: float,
    say: Say = lambda _: None,
) -> Account:
    """The account once it is clean, or the last one when the time is up."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    last: Account | None = None
    told_s = loop.time()
    while True:
        waiting = await _waiting(world)
        is_over = loop.time() > deadline_s
        if not waiting or is_over:
            last = await _account(world, portals, sent, poison)
            if last is not None and (last.clean or is_over):
                return last
            waiting = ["not everything has ended"] if last is None else [str(last.faulty)[:300]]
        if is_over:
            raise TimeoutError(f"nothing could be read within {within_s:g} s: {waiting}")
        if loop.time() - told_s > ACCOUNT_EVERY_S * 5:
            say(f"  waiting for: {'; '.join(waiting)[:300]}")
            told_s = loop.time()
        await lapse(LOOK_EVERY_S if last is None else min(ACCOUNT_EVERY_S, LOOK_EVERY_S + len(sent) / 1000))


async def left_in_queues(world: World) -> list[str]:
    """What lies in queues, ready or unacknowledged, once the broker's statistics have caught up; at best nothing."""
    watch = elapsed_s()
    while True:
        try:
            found = await traces.left_in_queues(world)
        except (Transient, Misconfigured) as error:
            found = [f"the broker's statistics: {error}"]
        if not found or watch() > QUEUES_S_MAX:
            return found
        await lapse(LOOK_EVERY_S)


async def _waiting(world: World) -> list[str]:
    try:
        return await traces.left_behind(world) or await traces.waiting_in_queues(world)
    except Exception as error:  # noqa: BLE001 - a server that is still coming back is a reason to wait, whatever it says.
        return [f"the database: {type(error).__name__}"]


async def _account(world: World, portals: Mapping[str, Portal], sent: Sequence[Sent], poison: int) -> Account | None:
    try:
        seen = await traces.read(world, portals)
    except AssertionError:
        return None
    return account(sent, poison, seen, world.tally.incidents)
