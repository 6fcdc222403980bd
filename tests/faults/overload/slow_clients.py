"""Clients that are slow, silent or too many: their time runs out, the others are served."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Final

import aiohttp

from shared.service.connection import CONNECTIONS_MAX, CONNECTIONS_TOLD_MAX, HEAD_S_MAX
from shared.web_wrappers import BODY_READ_S_MAX
from simulators.portal.client import Portal
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.quiet import quietly
from tests.faults.overload.raw_http import Raw, Streams, answer_of, connected, head
from tests.faults.pauses import elapsed_s, lapse
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

DRIP_EVERY_S: Final = 0.5
LATE_S_MAX: Final = 15.0
GROWTH_MB_MAX: Final = 64.0
"""What several hundred open connections may cost; they cost about 20 KB each."""

PIPELINED: Final = 50
RECEIVE_BYTES: Final = 4_096
"""The receive buffer of a client that never reads, so that the service feels it soon."""

SETTLE_S_MAX: Final = 120.0
TOO_MANY: Final = CONNECTIONS_MAX + 88
PATH: Final = "/v1/applications"


async def be_slow(world: World, portals: Mapping[str, Portal], count: int, say: Say, *, crowd: int) -> Findings:
    """Open so many of each slow kind, then a crowd of connections, while another portal goes on as ever."""
    findings = Findings()
    quiet_one, abuser = PORTALS
    url, token = world.system.url("intake"), world.system.token(abuser)
    async with quietly(portals[quiet_one], "X") as quiet:
        before = memory.peaks(world)
        slow = [_dripping(url, b"GET / HTTP/1.1\r\nX: ", findings, "a dripping head", HEAD_S_MAX) for _ in range(count)]
        top = head("POST", PATH, token, "Content-Length: 100000")
        slow += [_dripping(url, top, findings, "a dripping body", BODY_READ_S_MAX) for _ in range(count)]
        slow += [_never_reading(url, token, findings) for _ in range(count)]
        served = asyncio.create_task(_served(portals[quiet_one], findings))
        await asyncio.gather(*slow)
        served.cancel()
        await asyncio.gather(served, return_exceptions=True)
        say(f"{count} of each slow kind were ended")
        await crowd_in(url, token, crowd, findings)
        after = memory.peaks(world)
    findings.figures |= {"of each slow kind": count, "crowd": crowd}
    findings.figures["intake's peak MB"] = f"{before['intake']} → {after['intake']}"
    findings.rule("intake's memory grew", holds=after["intake"] - before["intake"] <= GROWTH_MB_MAX)
    quiet.judge(findings)
    findings.ledger(await settled(world, portals, quiet.sent, 0, within_s=SETTLE_S_MAX, say=say))
    return findings


async def _dripping(url: str, beginning: bytes, findings: Findings, what: str, after_s: float) -> None:
    """Send a byte now and then until the service has had enough."""
    watch = elapsed_s()
    async with connected(url) as (reader, writer):
        writer.write(beginning)
        answered = asyncio.create_task(answer_of(reader))
        while not answered.done() and watch() < after_s + LATE_S_MAX:
            with suppress(ConnectionError):
                writer.write(b"x")
                await writer.drain()
            await lapse(DRIP_EVERY_S)
        answer = answered.result() if answered.done() else Raw()
        answered.cancel()
    findings.rule(f"{what}: {answer} after {watch():.0f} s", holds=answer.status == 408 and answer.is_problem)


async def _never_reading(url: str, token: str, findings: Findings) -> None:
    """Ask again and again without ever reading; the service stops reading too, and ends it."""
    asked = head("GET", "/v1/problems", token) * PIPELINED
    watch, ended = elapsed_s(), False
    async with connected(url, receive_bytes=RECEIVE_BYTES) as (_, writer):
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        with suppress(ConnectionError):
            while not transport.is_closing() and watch() < BODY_READ_S_MAX + LATE_S_MAX:
                writer.write(asked if transport.get_write_buffer_size() == 0 else b"")
                await lapse(DRIP_EVERY_S)
        ended = transport.is_closing()
    findings.rule(f"a client that never reads was served for {watch():.0f} s", holds=ended)


async def _served(portal: Portal, findings: Findings) -> None:
    """Meanwhile somebody else asks over HTTP, and is answered."""
    times: list[float] = []
    while True:
        watch = elapsed_s()
        reply = await portal.doors.obligees()
        times.append(watch())
        findings.rule(f"another was answered {reply.status}", holds=reply.status == 200)
        findings.figures["another's slowest answer s"] = round(max(times), 2)
        await lapse(DRIP_EVERY_S)


async def crowd_in(url: str, token: str, crowd: int, findings: Findings) -> None:
    """Open a crowd of connections and let each ask: those above the limit are told to come again, in the usual form."""
    async with AsyncExitStack() as held:
        opened: list[Streams] = [await held.enter_async_context(connected(url)) for _ in range(crowd)]
        for _, writer in opened:
            writer.write(head("GET", "/v1/obligees", token))
        answers = await asyncio.gather(*(answer_of(reader) for reader, _ in opened))
    told = [answer for answer in answers if answer.status == 503]
    findings.figures["crowd: served"] = sum(answer.status == 200 for answer in answers)
    findings.figures["crowd: told to come again"] = len(told)
    expected = max(0, min(crowd, CONNECTIONS_TOLD_MAX) - CONNECTIONS_MAX)
    findings.rule(f"{len(told)} were told to come again, not about {expected}", holds=len(told) >= expected)
    # They all come in the name of one portal, which may not ask as often as that either.
    told += [answer for answer in answers if answer.status == 429]
    findings.rule("not all were answered", holds=all(answer.status in (200, 429, 503) for answer in answers))
    findings.rule("503 or 429 without problem+json", holds=all(answer.is_problem for answer in told))
    findings.rule("503 or 429 without Retry-After", holds=all(answer.retry_after_s for answer in told))
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as ready:
        findings.rule(f"afterwards it is ready {ready.status}", holds=ready.status == 200)
