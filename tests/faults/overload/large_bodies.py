"""Bodies of ten megabytes: refused before they are read, over HTTP by intake and over AMQP by the broker."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aio_pika import exceptions as amqp
from pydantic_core import to_json

from simulators.portal.client import Portal
from simulators.portal.samples import example
from tests.faults.overload import memory
from tests.faults.overload.findings import Findings, Say
from tests.faults.overload.quiet import quietly
from tests.faults.overload.raw_http import Raw, answer_of, connected, head, pour
from tests.faults.overload.sending import door, message
from tests.faults.settling import settled
from tests.faults.workload import PORTALS
from tests.faults.world import World

BODY_BYTES: Final = 10 * 1024 * 1024
SEND_BUFFER_BYTES: Final = 65_536
"""Ours is small, so that what counts as taken was taken by the other side and not by our own kernel."""

TAKEN_BYTES_MAX: Final = 6 * 1024 * 1024
"""What intake's socket may swallow before we notice; intake itself reads some 300 KB."""

GROWTH_MB_MAX: Final = 8.0
PATH: Final = "/v1/applications"
SETTLE_S_MAX: Final = 120.0


async def send_large_bodies(world: World, portals: Mapping[str, Portal], count: int, say: Say) -> Findings:
    """Send so many of each kind through both doors, while another portal goes on as ever."""
    findings = Findings()
    quiet_one, abuser = PORTALS
    url, token = world.system.url("intake"), world.system.token(abuser)
    async with quietly(portals[quiet_one], "L") as quiet:
        await refused_over_http(url, token, findings)
        before = memory.peaks(world)
        for _ in range(count):
            await refused_over_http(url, token, findings)
            await refused_over_amqp(portals[abuser], findings)
        say(f"{count} of each kind were refused")
        after = memory.peaks(world)
        await _still_open(portals[abuser], findings)
    findings.figures |= {"of each kind": count, "intake's peak MB": f"{before['intake']} → {after['intake']}"}
    findings.rule("intake's memory grew", holds=after["intake"] - before["intake"] <= GROWTH_MB_MAX)
    quiet.judge(findings)
    findings.ledger(await settled(world, portals, quiet.sent, 0, within_s=SETTLE_S_MAX, say=say))
    return findings


async def refused_over_http(url: str, token: str, findings: Findings) -> None:
    """Ten megabytes, honestly and otherwise: a problem each time, and most of it unread."""
    body = b" " * BODY_BYTES
    honest, taken = await _post(url, head("POST", PATH, token, f"Content-Length: {BODY_BYTES}"), body)
    _must_be(findings, "an honest Content-Length", honest, 413)
    findings.rule(f"{taken} bytes of an honest body were taken", holds=taken <= TAKEN_BYTES_MAX)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    chunked, taken = await _post(
        url, head("POST", PATH, token, "Transfer-Encoding: chunked"), chunk * (BODY_BYTES // 0x10000)
    )
    _must_be(findings, "a chunked body", chunked, 413)
    findings.rule(f"{taken} bytes of a chunked body were taken", holds=taken <= TAKEN_BYTES_MAX)
    for declared in ("99999999999999999999", str(BODY_BYTES)):
        boastful, _ = await _post(url, head("POST", PATH, token, f"Content-Length: {declared}"), b"{}")
        _must_be(findings, f"Content-Length {declared} with two bytes", boastful, 413)
    modest, _ = await _post(url, head("POST", PATH, token, "Content-Length: 2"), b"{}" + body)
    _must_be(findings, "Content-Length 2 with ten megabytes", modest, 422)
    for nonsense in ("-1", "ten", "2, 3"):
        wrong, _ = await _post(url, head("POST", PATH, token, f"Content-Length: {nonsense}"), b"{}")
        _must_be(findings, f"Content-Length {nonsense}", wrong, 400)


async def _post(url: str, top: bytes, body: bytes) -> tuple[Raw, int]:
    async with connected(url, send_bytes=SEND_BUFFER_BYTES) as (reader, writer):
        writer.write(top)
        # As real clients do: they listen while they send, and stop sending when they are answered.
        answered = asyncio.create_task(answer_of(reader))
        taken = await pour(writer, body, answered)
        return await answered, taken


def _must_be(findings: Findings, what: str, answer: Raw, status: int) -> None:
    findings.rule(f"{what}: {answer}", holds=answer.status == status and answer.is_problem)


async def refused_over_amqp(abuser: Portal, findings: Findings) -> None:
    """The broker closes the channel, and only that: a message of ten megabytes never reaches a queue."""
    async with door(abuser.access) as exchange:
        try:
            await exchange.publish(
                message(b" " * BODY_BYTES, "large"), f"application.submitted.{abuser.access.portal}", mandatory=True
            )
            findings.rule("the broker took ten megabytes", holds=False)
        except (amqp.ChannelPreconditionFailed, amqp.ChannelClosed) as error:
            findings.figures["over AMQP"] = f"{type(error).__name__}: {error}"[:160]


async def _still_open(abuser: Portal, findings: Findings) -> None:
    """After all that the same portal can still send what is right, through both doors."""
    portal = abuser.access.portal
    over_http = await abuser.doors.check(example(portal, "L-check"))
    findings.rule(f"a good application is checked {over_http.status}", holds=over_http.status == 200)
    async with door(abuser.access) as exchange:
        body = to_json({"application_id": "L-unreadable"}) + b" "
        confirmed = await exchange.publish(message(body, "small"), f"application.submitted.{portal}", mandatory=True)
        findings.rule("a small message is not confirmed", holds=confirmed is not None)
