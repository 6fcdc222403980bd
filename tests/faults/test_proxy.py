"""The wires do to connections what the plan says they do."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.ports import LOOPBACK
from tests.eventually import eventually
from tests.faults.pauses import elapsed_s
from tests.faults.proxy import Wire

DELAY_S = 0.05


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            writer.write(line)
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A wire to a server that says everything back."""
    server = await asyncio.start_server(_echo, LOOPBACK, 0)
    led = Wire("test-echo", server.sockets[0].getsockname()[1])
    await led.open()
    yield led
    await led.shut()
    server.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"hello\n")
    return await reader.readline()


async def _has_ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_a_wire_passes_everything_on(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)

    assert await _ask(reader, writer) == b"hello\n"
    writer.close()
    await eventually(lambda: wire.connections == 0)


async def test_a_cut_resets_what_stands_and_lets_new_connections_in(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)
    await _ask(reader, writer)

    assert wire.cut() == 1
    assert await _has_ended(reader)
    again = await asyncio.open_connection(LOOPBACK, wire.port)
    assert await _ask(*again) == b"hello\n"
    writer.close()
    again[1].close()


async def test_a_closed_wire_lets_nobody_in(wire: Wire) -> None:
    wire.closed = True

    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)

    assert await _has_ended(reader)
    writer.close()


async def test_a_half_open_wire_says_nothing_and_closes_nothing(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)
    await _ask(reader, writer)

    wire.hold()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_ask(reader, writer), 2 * DELAY_S)
    wire.release()
    assert await reader.readline() == b"hello\n"
    writer.close()


async def test_a_slow_wire_takes_its_time(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)
    wire.delay_s = DELAY_S
    watch = elapsed_s()

    assert await _ask(reader, writer) == b"hello\n"
    assert watch() >= 2 * DELAY_S
    writer.close()


async def test_a_wire_tells_whether_anybody_felt_what_was_done_to_it(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)
    await _ask(reader, writer)
    assert wire.touched == 0

    wire.delay_s = DELAY_S
    await _ask(reader, writer)
    slowed = wire.touched
    wire.mend()
    await _ask(reader, writer)
    assert slowed == wire.touched == 2

    wire.cut()
    wire.closed = True
    again, other = await asyncio.open_connection(LOOPBACK, wire.port)
    assert await _has_ended(again)
    assert wire.touched == slowed + 2
    writer.close()
    other.close()
