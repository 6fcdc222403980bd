"""The printing processes: few, started late, replaced when they die, and gone when nobody prints."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.issuer.papers.press import Press, PressBroken, PressBusy, Spoiled
from services.issuer.papers.wire import ORDER_BYTES_MAX
from shared.errors import Transient
from tests.eventually import eventually
from tests.unit.issuer.papers.notices import KEY, certificate, notice, words_of

ODD = "tests.unit.issuer.papers.odd_worker"


@asynccontextmanager
async def pressing(**given: Any) -> AsyncIterator[Press]:
    press = Press(**given)
    try:
        yield press
    finally:
        await press.close()


@pytest.fixture
async def odd() -> AsyncIterator[Press]:
    async with pressing(worker=ODD) as press:
        yield press


@dataclass(frozen=True, slots=True)
class Gate:
    """An order that waits until it is let through."""

    order: bytes
    handle: int

    def let_through(self, orders: int) -> None:
        os.write(self.handle, b"." * orders)


def lives(pid: bytes) -> bool:
    return Path("/proc", pid.decode()).exists()


async def test_both_papers_come_out_of_a_process_of_their_own() -> None:
    async with pressing() as press:
        assert KEY in words_of(await press.print(notice().order()))
        assert certificate().content_sha256 in words_of(await press.print(certificate().order()))


async def test_a_paper_that_cannot_be_set_is_told_without_its_content_and_costs_nobody_else() -> None:
    async with pressing() as press:
        with pytest.raises(Spoiled) as told:
            await press.print(notice().order().replace(b'"notice"', b'"nothing"'))
        after = await press.print(notice().order())

    assert KEY not in repr(told.value)
    assert told.value.__cause__ is told.value.__context__ is None
    assert after.startswith(b"%PDF")


async def test_the_process_knows_nothing_of_our_environment_and_its_arguments_hold_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ISSUER_SEALING_KEYS", "secret")
    async with pressing() as press:
        await press.print(notice().order())
        (worker,) = press._idle
        process = Path("/proc", str(worker._process.pid))
        told = process.joinpath("environ").read_bytes() + process.joinpath("cmdline").read_bytes()
        limits = process.joinpath("limits").read_text()

    assert b"secret" not in told
    assert KEY.encode() not in told
    assert "Max core file size        0                    0" in limits


async def test_one_process_prints_one_paper_after_another(odd: Press) -> None:
    assert await odd.print(b"a") == await odd.print(b"b")


async def test_a_process_that_died_while_it_waited_is_replaced(odd: Press) -> None:
    pid = await odd.print(b"a")
    os.kill(int(pid), 9)
    await eventually(lambda: not odd._idle[0].is_alive)

    assert await odd.print(b"b") != pid


@pytest.mark.parametrize("order", [b"die", b"too much", b"be silent"])
async def test_a_process_that_is_lost_over_a_paper_is_ended_and_the_next_paper_gets_another(order: bytes) -> None:
    async with pressing(worker=ODD, answer_s_max=0.5 if order == b"be silent" else 30.0) as press:
        pid = await press.print(b"a")
        with pytest.raises(PressBroken):
            await press.print(order)
        gone = not lives(pid)
        after = await press.print(b"b")

    assert gone
    assert after != pid
    assert issubclass(PressBroken, Transient)


async def test_a_process_that_does_not_start_is_told_at_once() -> None:
    async with pressing(worker="tests.unit.issuer.papers.nothing") as press:
        with pytest.raises(PressBroken):
            await press.print(b"a")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    path = tmp_path / "gate"
    os.mkfifo(path)
    # Open in both directions, so that neither side waits for the other to open it.
    handle = os.open(path, os.O_RDWR)
    yield Gate(b"wait for " + bytes(path), handle)
    os.close(handle)


async def test_a_caller_who_leaves_takes_the_process_along(odd: Press, gate: Gate) -> None:
    pid = await odd.print(b"a")
    leaving = asyncio.create_task(odd.print(gate.order))
    await eventually(lambda: not odd._idle)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert not lives(pid)
    assert await odd.print(b"b") != pid


async def test_places_are_counted_and_the_one_too_many_is_sent_away(gate: Gate) -> None:
    async def printed(press: Press) -> bytes:
        with press.place():
            return await press.print(gate.order)

    async with pressing(worker=ODD, workers_max=1, waiting_max=1) as press:
        first, second = (asyncio.create_task(printed(press)) for _ in range(2))
        await eventually(lambda: press._taken == 2)
        with pytest.raises(PressBusy):
            await printed(press)
        gate.let_through(3)
        pids = {await first, await second, await printed(press)}

    assert len(pids) == 1
    assert press._taken == 0


async def test_an_idle_process_ends() -> None:
    async with pressing(worker=ODD, idle_s_max=0.01) as press:
        pid = await press.print(b"a")
        await eventually(lambda: not lives(pid))

        assert await press.print(b"b") != pid


async def test_no_process_is_left_when_the_press_is_closed() -> None:
    async with pressing(worker=ODD) as press:
        pids = await asyncio.gather(press.print(b"a"), press.print(b"b"))

    assert not any(map(lives, pids))


async def test_an_order_beyond_all_bounds_is_not_even_handed_over(odd: Press) -> None:
    with pytest.raises(Spoiled):
        await odd.print(b"x" * (ORDER_BYTES_MAX + 1))

    assert not odd._idle


async def test_a_press_that_never_printed_is_closed_all_the_same() -> None:
    press = Press()
    await press.close()

    assert not press._leaving


def test_an_issuer_that_prints_nothing_holds_neither_typst_nor_faces() -> None:
    told = "import sys, services.issuer.app; print({'typst', 'segno', 'pylopdf_fonts_jp'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"
