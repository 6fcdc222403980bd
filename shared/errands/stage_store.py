"""The SQL of stages. Time is the database's; whoever changes a stage's breaker holds its row while deciding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from json import loads
from typing import TYPE_CHECKING

from shared.errands import Claimed, store
from shared.errands.backoff import writable
from shared.errands.breaker import Breaker, Circuit, Edge, Step, moved
from shared.errands.closing import Announced, Weekly
from shared.errands.stages import Pause, Stage, after, may_probe

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

REASON_CHARACTERS_MAX = 500
BUCKET_S = 0.25
"""How much of a second's calls may come at once after a rest."""

_ENSURE = "insert into stage (errand) values ($1) on conflict do nothing"
# Hours that have just ended still count: calls must not all come at once after them.
_ANNOUNCED = """
    (select json_agg(json_build_array(closes_at, opens_at, announced_by, reason) order by closes_at)
       from closing where closing.errand = $1 and opens_at > now() - interval '1 minute') as announced
"""
_READ = f"""
    select clock.at, own.*, {_ANNOUNCED}
      from (select now() as at) clock left join stage own on own.errand = $1
"""  # noqa: S608 - put together from constants of this file.
# A statement of its own: what is read after it was waited for must be what the other one committed, in all tables.
_LOCK = "select errand from stage where errand = $1 for update"
# Every success of every process is a settled row, so nobody has to count them where all is well.
_READ_LOCKED = f"""
    select now() as at, own.*, {_ANNOUNCED},
           (select settled_at from errand where errand.errand = $1 and state = 'settled'
             order by settled_at desc limit 1) > own.failing_since as settled_since,
           exists (select from errand
                    where errand.errand = $1 and key = own.probe_key and lease_owner is not null) as is_probing
      from stage own where own.errand = $1
"""  # noqa: S608 - put together from constants of this file.
_WRITE = """
    update stage set breaker = $2, failures = $3, failing = $4, failing_since = $5, probe_key = $6, cause = $7,
           reason = $8, broken_since = $9, changed_at = $10, closed_until = $11
     where errand = $1
"""
_PAUSE = """
    update stage set paused_at = now(), paused_by = $2, paused_reason = $3 where errand = $1 and paused_at is null
    returning errand
"""
_RESUME = """
    update stage set paused_at = null, paused_by = null, paused_reason = null, resumed_at = now()
     where errand = $1 and paused_at is not null
    returning errand
"""
# Not `now()` in the conditions: whoever waited for the other's commit began before it, and would not see it as past.
_PROBE_NOW = """
    update stage set closed_until = now()
     where errand = $1 and breaker in ('open', 'waiting') and closed_until > clock_timestamp()
    returning errand
"""
_ANNOUNCE = """
    insert into closing (errand, closes_at, opens_at, announced_by, reason) values ($1, $2, $3, $4, $5)
    on conflict do nothing
    returning errand
"""
_WITHDRAW = "delete from closing where errand = $1 and closes_at = $2 and closes_at >= now() returning errand"
_END = """
    update closing set opens_at = now()
     where errand = $1 and closes_at = $2 and closes_at < now() and opens_at > clock_timestamp()
    returning errand
"""
_TAKE_TOKENS = """
    with bucket as (
        select least($3, tokens + $2 * greatest(0, extract(epoch from now() - tokens_at)::float8)) as filled
          from stage where errand = $1 for update)
    update stage set tokens = bucket.filled - least($4, floor(bucket.filled)), tokens_at = greatest(tokens_at, now())
      from bucket where stage.errand = $1 and bucket.filled >= 1
    returning least($4, floor(bucket.filled))
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A stage before and after a step; the same twice when there was none to take."""

    before: Stage
    after: Stage
    edge: Edge | None

    @property
    def is_one(self) -> bool:
        """Whether anything was changed."""
        return self.after is not self.before


async def ensure(connection: "Connection", errand: str) -> None:
    """Give the stage its row."""
    await connection.execute(_ENSURE, errand)


async def read(connection: "Connection", errand: str) -> Stage:
    """The stage as it stands, read without a lock."""
    return _stage(errand, await connection.fetchrow(_READ, errand))


async def change(connection: "Connection", errand: str, decide: Callable[[Stage], Step | None]) -> Change:
    """Let `decide` look at the stage while nobody else may change it, and write what it decides, if it does.

    Gives back the stage also when nothing was to be changed: another process may have been first.
    """
    before, _ = await _locked(connection, errand)
    step = decide(before)
    return Change(before, before, None) if step is None else await _changed(connection, before, step)


async def take_probe(
    connection: "Connection", errand: str, owner_id: int, lease_s: float, weekly: Sequence[Weekly]
) -> tuple[Change, Claimed] | None:
    """The row with which this process is to probe, if it is time; in a transaction, so that one process gets it."""
    before, is_probing = await _locked(connection, errand)
    if is_probing or not may_probe(before, weekly, before.at):
        return None
    row = await store.claim_probe(connection, errand, owner_id, lease_s)
    if row is None:
        return None
    return await _changed(connection, before, moved(before.circuit, Edge.TOOK_PROBE, row.key)), row


async def take_tokens(connection: "Connection", errand: str, calls_per_s_max: float, wanted: int) -> int:
    """The right to make so many calls, taken from the bucket that all processes share."""
    bucket = bucket_of(calls_per_s_max)
    return int(await connection.fetchval(_TAKE_TOKENS, errand, calls_per_s_max, bucket, float(wanted)) or 0)


def bucket_of(calls_per_s_max: float) -> float:
    """How many calls may come at once after a rest; also what one process takes into its hand."""
    return max(1.0, calls_per_s_max * BUCKET_S)


async def pause(connection: "Connection", errand: str, by: str, reason: str) -> bool:
    """Stop the stage. False when it is paused already."""
    await ensure(connection, errand)
    return await connection.fetchval(_PAUSE, errand, by, reason[:REASON_CHARACTERS_MAX]) is not None


async def resume(connection: "Connection", errand: str) -> bool:
    """End a pause. False when there is none."""
    return await connection.fetchval(_RESUME, errand) is not None


async def probe_now(connection: "Connection", errand: str) -> bool:
    """Let the next probe, or the end of a wait, come at once. False when neither lies ahead."""
    return await connection.fetchval(_PROBE_NOW, errand) is not None


async def announce(connection: "Connection", errand: str, hours: Announced) -> bool:
    """Announce closing hours. False when hours with this beginning are announced already."""
    reason = hours.reason[:REASON_CHARACTERS_MAX]
    values = (errand, hours.closes_at, hours.opens_at, hours.announced_by, reason)
    return await connection.fetchval(_ANNOUNCE, *values) is not None


async def withdraw(connection: "Connection", errand: str, closes_at: datetime) -> bool:
    """Take back announced hours; those that have begun end now. False when there are none, or they are over."""
    taken_back = await connection.fetchval(_WITHDRAW, errand, closes_at)
    return taken_back is not None or await connection.fetchval(_END, errand, closes_at) is not None


async def _locked(connection: "Connection", errand: str) -> tuple[Stage, bool]:
    if await connection.fetchrow(_LOCK, errand) is None:
        await ensure(connection, errand)
        await connection.fetchrow(_LOCK, errand)
    record = await connection.fetchrow(_READ_LOCKED, errand)
    stage = _stage(errand, record)
    if record is not None and record["settled_since"]:
        stage = replace(stage, circuit=replace(stage.circuit, failing=()), failing_since=None)
    return stage, record is not None and record["is_probing"]


async def _changed(connection: "Connection", before: Stage, step: Step) -> Change:
    stage = after(before, step)
    circuit = stage.circuit
    await connection.execute(
        _WRITE,
        stage.errand,
        circuit.breaker,
        circuit.rounds,
        list(circuit.failing),
        stage.failing_since,
        circuit.probe_key,
        stage.cause,
        None if stage.reason is None else writable(stage.reason)[:REASON_CHARACTERS_MAX],
        stage.since,
        stage.changed_at,
        stage.until,
    )
    return Change(before, stage, step.edge)


def _stage(errand: str, record: "Record | None") -> Stage:
    if record is None:
        raise RuntimeError(f"The stage {errand} has no row, although it was just given one.")
    if record["errand"] is None:
        return Stage(errand, record["at"], announced=_announced(record["announced"]))
    paused_at = record["paused_at"]
    return Stage(
        errand=errand,
        at=record["at"],
        circuit=Circuit(Breaker(record["breaker"]), record["failures"], tuple(record["failing"]), record["probe_key"]),
        cause=None if record["cause"] is None else Edge(record["cause"]),
        reason=record["reason"],
        since=record["broken_since"],
        changed_at=record["changed_at"],
        until=record["closed_until"],
        failing_since=record["failing_since"],
        pause=None if paused_at is None else Pause(paused_at, record["paused_by"], record["paused_reason"]),
        resumed_at=record["resumed_at"],
        announced=_announced(record["announced"]),
    )


def _announced(told: str | None) -> tuple[Announced, ...]:
    return tuple(
        Announced(datetime.fromisoformat(closes), datetime.fromisoformat(opens), by, reason)
        for closes, opens, by, reason in (loads(told) if told else ())
    )
