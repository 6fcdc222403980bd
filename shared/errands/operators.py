"""What operators may do with a stage and with rows that are due. The operator's door serves this; nothing here judges
who may.

Each act is one statement that asks for the state it starts from, so of two operators who press at the same moment one
wins, and the other is told how things stand now.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.errands import Errand, due_store, stage_store
from shared.errands.backoff import writable
from shared.errands.breaker import Breaker
from shared.errands.closing import Announced
from shared.errands.due_store import Row
from shared.errands.stages import Shown, Stage, shown
from shared.logs import get_logger
from shared.work import Desk, unit_of_work

if TYPE_CHECKING:
    from shared.postgres import Connection, Pool

CONSUMER = "operator"

logger = get_logger()


class Told(StrEnum):
    """What an operator is told of an act: that it is done, or why it was not."""

    DONE = "done"
    PAUSED_ALREADY = "paused_already"
    NOT_PAUSED = "not_paused"
    PROBED_ALREADY = "probed_already"
    """A probe is due or under way."""
    NOT_STOPPED = "not_stopped"
    """The breaker is closed: there is nothing to probe."""
    ANNOUNCED_ALREADY = "announced_already"
    OVER_ALREADY = "over_already"
    """The hours are over, or were never announced."""
    NO_SUCH_ROW = "no_such_row"
    DUE_ALREADY = "due_already"
    BEING_CALLED = "being_called"
    HELD_ALREADY = "held_already"
    NOT_HELD = "not_held"
    SETTLED_ALREADY = "settled_already"


@dataclass(frozen=True, slots=True)
class StageAct:
    """What became of an act on a stage, and how the stage stands after it: also who else was faster."""

    told: Told
    stage: Stage
    shown: Shown


@dataclass(frozen=True, slots=True)
class RowAct:
    """What became of an act on a row, and how the row stands after it; None when there is no such row."""

    told: Told
    row: Row | None


async def look(pool: "Pool", errand: Errand) -> tuple[Stage, Shown]:
    """How a stage stands; its rate and weekly hours stand in the errand."""
    async with pool.acquire() as connection:
        stage = await stage_store.read(connection, errand.name)
    return stage, shown(stage, errand.closing_hours, stage.at)


async def pause(desk: Desk, errand: Errand, *, by: str, reason: str) -> StageAct:
    """Let no process call this stage until it is resumed. What is being called ends by itself."""
    async with unit_of_work(desk, CONSUMER) as work:
        done = await stage_store.pause(work.connection, errand.name, writable(by), writable(reason))
        act = await _stage_act(work.connection, errand, Told.DONE if done else Told.PAUSED_ALREADY)
    return _told(desk, act, "stage.paused", by, reason)


async def resume(desk: Desk, errand: Errand, *, by: str, reason: str) -> StageAct:
    """End a pause; calls begin slowly."""
    async with unit_of_work(desk, CONSUMER) as work:
        done = await stage_store.resume(work.connection, errand.name)
        act = await _stage_act(work.connection, errand, Told.DONE if done else Told.NOT_PAUSED)
    return _told(desk, act, "stage.resumed", by, reason)


async def probe_now(desk: Desk, errand: Errand, *, by: str, reason: str) -> StageAct:
    """Do not wait for the next probe's time, nor for the end of a wait the outside asked for."""
    async with unit_of_work(desk, CONSUMER) as work:
        done = await stage_store.probe_now(work.connection, errand.name)
        act = await _stage_act(work.connection, errand, Told.DONE)
        if not done:
            is_calling = act.stage.circuit.breaker in (Breaker.CLOSED, Breaker.RAMPING)
            told = Told.NOT_STOPPED if is_calling else Told.PROBED_ALREADY
            act = StageAct(told, act.stage, act.shown)
    return _told(desk, act, "stage.asked_to_probe", by, reason)


async def announce_closing(
    desk: Desk, errand: Errand, *, closes_at: datetime, opens_at: datetime, by: str, reason: str
) -> StageAct:
    """Announce hours in which the outside will be closed; both times aware.

    Raises:
        ValueError: when they do not end after they begin.
    """
    if opens_at <= closes_at:
        raise ValueError("Closing hours end after they begin; give a later end.")
    hours = Announced(closes_at, opens_at, writable(by), writable(reason))
    async with unit_of_work(desk, CONSUMER) as work:
        done = await stage_store.announce(work.connection, errand.name, hours)
        act = await _stage_act(work.connection, errand, Told.DONE if done else Told.ANNOUNCED_ALREADY)
    return _told(desk, act, "stage.closing_announced", by, reason)


async def withdraw_closing(desk: Desk, errand: Errand, *, closes_at: datetime, by: str, reason: str) -> StageAct:
    """Take back announced hours; those that have begun end now."""
    async with unit_of_work(desk, CONSUMER) as work:
        done = await stage_store.withdraw(work.connection, errand.name, closes_at)
        act = await _stage_act(work.connection, errand, Told.DONE if done else Told.OVER_ALREADY)
    return _told(desk, act, "stage.closing_withdrawn", by, reason)


async def _stage_act(connection: "Connection", errand: Errand, told: Told) -> StageAct:
    stage = await stage_store.read(connection, errand.name)
    return StageAct(told, stage, shown(stage, errand.closing_hours, stage.at))


def _told(desk: Desk, act: StageAct, event: str, by: str, reason: str) -> StageAct:
    if act.told is Told.DONE:
        logger.info(event, errand=act.stage.errand, by=by, reason=reason)
        # All processes look again at once.
        desk.shout()
    return act


async def try_now(desk: Desk, errand: Errand, key: str, *, by: str) -> RowAct:
    """Let a row that waits for its time be called as soon as its stage permits."""
    async with unit_of_work(desk, CONSUMER) as work:
        done = await due_store.try_now(work.connection, errand.name, key)
        row = await due_store.row(work.connection, errand.name, key)
    told = Told.DONE if done else _why_not(row, Told.DUE_ALREADY)
    return _row_told(desk, errand, RowAct(told, row), "errand.hastened", key, by)


async def hold(desk: Desk, errand: Errand, key: str, *, by: str, reason: str) -> RowAct:
    """Put a row aside until it is released. One that is being called cannot be held: ask again when it has ended."""
    async with unit_of_work(desk, CONSUMER) as work:
        held = await due_store.hold(work.connection, errand.name, key, writable(by), writable(reason))
        if held is not None and errand.held is not None:
            await errand.held([held], work)
        row = await due_store.row(work.connection, errand.name, key)
    told = Told.DONE if held is not None else _why_not(row, Told.HELD_ALREADY)
    return _row_told(desk, errand, RowAct(told, row), "errand.put_aside", key, by)


async def release(desk: Desk, errand: Errand, key: str, *, by: str, reason: str) -> RowAct:
    """Let a held row go on, its back-off begun anew."""
    async with unit_of_work(desk, CONSUMER) as work:
        released = await due_store.release(work.connection, errand.name, key, writable(reason))
        if released is not None and errand.released is not None:
            await errand.released([released], work)
        row = await due_store.row(work.connection, errand.name, key)
    told = Told.DONE if released is not None else _why_not(row, Told.NOT_HELD)
    return _row_told(desk, errand, RowAct(told, row), "errand.released", key, by)


def _why_not(row: Row | None, otherwise: Told) -> Told:
    if row is None:
        return Told.NO_SUCH_ROW
    if row.state == "settled":
        return Told.SETTLED_ALREADY
    if row.is_calling:
        return Told.BEING_CALLED
    return Told.HELD_ALREADY if row.state == "held" else otherwise


def _row_told(desk: Desk, errand: Errand, act: RowAct, event: str, key: str, by: str) -> RowAct:
    if act.told is Told.DONE:
        logger.info(event, errand=errand.name, key=key, by=by)
        desk.shout()
    return act
