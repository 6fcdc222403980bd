"""What an old key sealed is sealed again while everything runs: nothing lost, nobody in the way, no end too early."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from services.issuer.handlers import resealing
from services.issuer.handlers.resealing import Resealer
from services.issuer.store import sealed
from services.issuer.web import reveal
from shared import metrics, postgres
from shared.sealing import KeyRing, kid_of
from tests.conftest import Servers
from tests.service.issuer.bench import Bench
from tests.service.issuer.conftest import Door

if TYPE_CHECKING:
    from shared.postgres import Pool

NEW = "seal-2:" + base64.b64encode(bytes(range(32))).decode()
GUARANTEES = 5


class Killed(Exception):
    """The process died here."""


@pytest.fixture
async def own(fresh_database: Servers) -> AsyncIterator["Pool"]:
    """The issuer's schema with no rows but this test's own."""
    pool = await postgres.open_pool(fresh_database.database_url("issuer"), "issuer", connections_max=4)
    yield pool
    await pool.close()


@pytest.fixture
async def aside(own: "Pool", stack: Servers) -> Bench:
    """The issuer's handlers on that schema."""
    return Bench(own, stack.sealing_keys, stack.signing_key)


def value_of(metric: str) -> float:
    """What a scrape would show."""
    return metrics.REGISTRY.get_sample_value(metric) or 0.0


async def made(bench: Bench) -> dict[str, str]:
    """Guarantees whose keys the old key sealed: by number, the key in clear."""
    ring = bench.means().ring
    numbers = [(await bench.issue())[1] for _ in range(GUARANTEES)]
    return {number: ring.open((await bench.row(number))["sealed_auth_key"], associated=number) for number in numbers}


async def opened(bench: Bench, ring: KeyRing) -> dict[str, str]:
    """Every key as this ring opens it."""
    rows = await bench.pool.fetch("select guarantee_number, sealed_auth_key from guarantee where sealed_auth_key <> ''")
    return {number: ring.open(text, associated=number) for number, text in rows}


async def kids(bench: Bench) -> dict[str, int]:
    """How many rows each key seals."""
    async with bench.pool.acquire() as connection:
        return dict((await sealed.counts(connection))["guarantee"])


async def test_every_key_is_sealed_again_and_opens_without_the_old_one(
    aside: Bench, stack: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches smaller than the whole; what somebody holds is left alone and found by the next sweep."""
    monkeypatch.setattr(resealing, "BATCH_ROWS", 2)
    before = await made(aside)
    resealer = Resealer(KeyRing.parse(f"{NEW},{stack.sealing_keys}"))
    held = sorted(before)[1]
    async with postgres.transaction(aside.pool) as busy:
        await busy.execute("select from guarantee where guarantee_number = $1 for update", held)
        done = await resealer.sweep(aside.pool)
    between = await kids(aside)
    rest = await resealer.sweep(aside.pool)

    assert (done, rest, await resealer.sweep(aside.pool)) == (GUARANTEES - 1, 1, 0)
    assert between == {"seal-1": 1, "seal-2": GUARANTEES - 1}
    assert await kids(aside) == {"seal-2": GUARANTEES}
    assert await opened(aside, KeyRing.parse(NEW)) == before


async def test_death_in_the_middle_loses_nothing_and_the_next_sweep_goes_on(
    aside: Bench, stack: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH_ROWS", 2)
    before = await made(aside)
    ring = KeyRing.parse(f"{NEW},{stack.sealing_keys}")
    put, calls = sealed.put, 0

    async def dying(connection: Any, rows: Sequence[tuple[str, str]]) -> None:
        nonlocal calls
        calls += 1
        await put(connection, rows)
        if calls == 2:
            raise Killed

    monkeypatch.setattr(sealed, "put", dying)
    with pytest.raises(Killed):
        await Resealer(ring).sweep(aside.pool)
    after_death = await kids(aside)
    monkeypatch.setattr(sealed, "put", put)

    assert after_death == {"seal-1": GUARANTEES - 2, "seal-2": 2}
    assert await opened(aside, ring) == before
    assert await Resealer(ring).sweep(aside.pool) == GUARANTEES - 2
    assert await opened(aside, KeyRing.parse(NEW)) == before


async def test_what_does_not_open_is_left_as_it_is_and_told_as_an_alarm(
    aside: Bench, stack: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row was altered and one bears a key that no ring has; the others are sealed again all the same."""
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(resealing, "logger", structlog.wrap_logger(structlog.ReturnLogger(), processors=[_into(lines)]))
    before = await made(aside)
    altered, foreign, *_ = sorted(before)
    swap = "update guarantee set sealed_auth_key = $2 where guarantee_number = $1"
    other = KeyRing.parse(NEW.replace("seal-2", "lost")).seal("A" * 12, associated=foreign)
    damaged = aside.means().ring.seal("A" * 12, associated="another guarantee")
    await aside.pool.execute(swap, altered, damaged)
    await aside.pool.execute(swap, foreign, other)
    resealer = Resealer(KeyRing.parse(f"{NEW},{stack.sealing_keys}"))
    done = await resealer.sweep(aside.pool)
    await resealer.set_gauges(_Described(aside.pool))  # type: ignore[arg-type]
    errors = [line for line in lines if line["level"] == "error"]

    assert done == GUARANTEES - 2
    assert [(await aside.row(number))["sealed_auth_key"] for number in (altered, foreign)] == [damaged, other]
    assert [line["event"] for line in errors] == ["key.missed", "key.unopenable"]
    assert errors[1]["guarantee_numbers"] == [altered]
    assert value_of("hosho_sealed_rows_unopenable") == 2
    assert not any(key in json.dumps(line) for line in lines for key in before.values())


async def test_a_key_that_does_not_open_is_an_alarm_and_no_crash_at_the_reveal(
    door: Door, stack: Servers, pool: "Pool", monkeypatch: pytest.MonkeyPatch
) -> None:
    """No look is noted, for nobody saw anything; the answer says when to come again and nothing of the inside."""
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(reveal, "logger", structlog.wrap_logger(structlog.ReturnLogger(), processors=[_into(lines)]))
    _, number, _ = await Bench(pool, stack.sealing_keys, stack.signing_key).issue()
    lost = KeyRing.parse(NEW.replace("seal-2", "lost")).seal("A" * 12, associated=number)
    await pool.execute("update guarantee set sealed_auth_key = $2 where guarantee_number = $1", number, lost)
    before = value_of("hosho_keys_unopenable_total")
    viewer = {"viewer": "三島 太郎"}
    answers = [
        await door.call("POST", f"/v1/guarantees/{number}/{path}", body=viewer) for path in ("auth-key", "key-notice")
    ]
    looks = await pool.fetchval("select count(*) from auth_key_reveal where guarantee_number = $1", number)

    assert [status for status, _, _ in answers] == [503, 503]
    assert all(headers["Retry-After"] == "300" and "lost" not in json.dumps(body) for _, body, headers in answers)
    assert looks == 0
    assert [(line["event"], line["level"]) for line in lines] == [("key.unopenable", "error")] * 2
    assert value_of("hosho_keys_unopenable_total") == before + 2
    assert kid_of(await pool.fetchval("select sealed_auth_key from guarantee where guarantee_number = $1", number))


class _Described:
    """As much of a service as the gauges look at."""

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool


def _into(lines: list[dict[str, Any]]) -> Any:
    def keep(_: Any, method: str, event: Any) -> str:
        lines.append({**event, "level": method})
        return ""

    return keep
