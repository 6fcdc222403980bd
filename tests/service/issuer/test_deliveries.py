"""The whole service on the broker: facts come in packs from their queues, and what follows goes out."""

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aio_pika
import pytest

from services.issuer.app import build_app
from shared import topology
from shared.messages.core import GuaranteeConcluded
from shared.messages.issuer import CertificateCreated
from shared.service.running import Running
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.conftest import BrokerAs
from tests.service.issuer.bench import ELECTRONIC, Bench, accepted, arrived
from tests.service.living import living

if TYPE_CHECKING:
    from shared.service import Service

APPLICATIONS = 60


@pytest.fixture
def service(emptied: Servers, monkeypatch: pytest.MonkeyPatch) -> "Service":
    """The issuer as its environment makes it."""
    for name, value in {
        "DATABASE_URL": emptied.database_url("issuer"),
        "BROKER_URL": emptied.broker_url("issuer"),
        "HTTP_PORT": "0",
        "PORTALS_FILE": str(emptied.portals_file),
        "SEALING_KEYS": emptied.sealing_keys,
        "SIGNING_KEY": emptied.signing_key,
        "GUARANTOR_NAME": "○○建設業保証株式会社",
    }.items():
        monkeypatch.setenv(f"ISSUER_{name}", value)
    return build_app()


@pytest.fixture
async def issuer(emptied: Servers, service: "Service") -> AsyncIterator[Running]:
    """The issuer, hearing at its queues."""
    async with living(emptied, "issuer", hears=service.hears) as running:
        yield running


async def test_accepted_applications_go_out_as_certificates_and_come_back_issued(
    emptied: Servers, issuer: Running, bench: Bench, broker_as: BrokerAs
) -> None:
    """Sixty applications: each has two numbers and one certificate at the bridge, and is issued when that arrived."""
    messages = [accepted() for _ in range(APPLICATIONS)]
    channel = await (await broker_as("platform_bridge")).channel()
    queue = await channel.get_queue(topology.queue_of("platform_bridge", CertificateCreated.TYPE), ensure=False)
    created: list[CertificateCreated] = []

    async def drained() -> bool:
        while message := await queue.get(fail=False, no_ack=True):
            created.extend(CertificateCreated.model_validate(event["data"]) for event in json.loads(message.body))
        return len(created) == APPLICATIONS

    async with living(emptied, "intake") as intake, living(emptied, "platform_bridge") as bridge:
        async with unit_of_work(intake.desk()) as work:
            for message in messages:
                named = f"{message.portal}/{message.application_id}"
                work.announce(message, subject=named, occurrence="1", correlation=named)
        await eventually(drained)
        async with unit_of_work(bridge.desk()) as work:
            for one in created:
                arrival = arrived(one.application_id, one.guarantee_number)
                subject = f"{one.guarantee_number}/1"
                work.announce(
                    arrival, subject=subject, occurrence="outcome", correlation=f"portal-a/{one.application_id}"
                )
        await eventually(lambda: _issued(bench, APPLICATIONS))

    numbers = [row["guarantee_number"] for row in await bench.pool.fetch("select guarantee_number from guarantee")]
    assert {one.application_id for one in created} == {message.application_id for message in messages}
    assert min(numbers) == "00000-000001"
    assert len(set(numbers)) == 2 * APPLICATIONS


async def test_a_single_fact_of_the_core_system_is_heard(issuer: Running, bench: Bench, broker_as: BrokerAs) -> None:
    """A conclusion of what nobody knows is parked with its whole content; one that repeats leaves no trace."""
    application_id, _, _ = await bench.take_in()
    channel = await (await broker_as("core")).channel()
    exchange = await channel.get_exchange(topology.CORE, ensure=False)
    for named in (application_id, "A-nobody-knows"):
        body = {
            "portal": "portal-a",
            "application_id": named,
            "kind": ELECTRONIC,
            "concluded_at": "2026-01-15T11:00:00+09:00",
        }
        message = aio_pika.Message(json.dumps(body).encode(), message_id=named, content_type="application/json")
        await exchange.publish(message, routing_key=GuaranteeConcluded.TYPE)

    async def outcomes() -> list[str]:
        rows = await bench.pool.fetch("select outcome from inbox where consumer = 'issuer.guarantee_concluded'")
        return sorted(row["outcome"] for row in rows)

    async def both() -> bool:
        return await outcomes() == ["done", "parked"]

    await eventually(both)


async def _issued(bench: Bench, count: int) -> bool:
    return bool(await bench.pool.fetchval("select count(*) = $1 from guarantee where issued_at is not null", count))
