"""The application: six subscribers on the product's queues, announcing to the product's exchanges."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

import aiohttp
import aiosmtplib
import asyncpg
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from pydantic import BaseModel

from bench.applications import PORTAL
from bench.contenders import work
from bench.contenders.mail import mail_about
from bench.contenders.plain_faststream import rows
from bench.contenders.surroundings import Surroundings
from shared import topology

PREFETCH: Final = 30
CONNECTIONS_MAX: Final = 10

surroundings = Surroundings.read()
broker = RabbitBroker(surroundings.broker_url, logger=None)
events = RabbitExchange(topology.EVENTS, type=ExchangeType.TOPIC, durable=True, declare=False)
answers = RabbitExchange(topology.PORTALS, type=ExchangeType.TOPIC, durable=True, declare=False)


class Outside:
    """What the process keeps open."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    http: aiohttp.ClientSession


outside = Outside()


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Open the pool and the HTTP session for the life of the process."""
    async with (
        asyncpg.create_pool(surroundings.database_url, min_size=2, max_size=CONNECTIONS_MAX) as outside.pool,
        aiohttp.ClientSession(headers={"Authorization": "Bearer bench"}) as outside.http,
    ):
        yield


app = FastStream(broker, lifespan=lifespan, logger=None)


class Accepted(BaseModel):
    """An accepted application."""

    application_id: str
    application: dict[str, Any]


class Created(BaseModel):
    """A certificate to be posted."""

    application_id: str
    guarantee_number: str
    certificate: str
    auth_key: str


class Arrived(BaseModel):
    """The platform's answer."""

    application_id: str
    guarantee_number: str
    arrived_at: datetime
    certificate_id: str


class Wish(BaseModel):
    """Where the mail goes."""

    wanted: bool
    address: str


class Issued(BaseModel):
    """A guarantee that is issued."""

    application_id: str
    guarantee_number: str
    contractor_name: str
    obligee_name: str
    project_name: str
    issued_at: str
    completion_mail: Wish


class Sent(BaseModel):
    """A mail that went out."""

    guarantee_number: str


def hears(queue: str) -> Any:
    """Subscribe to a queue of the product's plan."""
    return broker.subscriber(
        RabbitQueue(queue, durable=True, declare=False),
        channel=Channel(prefetch_count=PREFETCH),
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )


async def announce(kind: str, name: str, data: work.Json) -> None:
    """Tell the hearers of a fact."""
    await broker.publish(
        data, exchange=events, routing_key=kind, persist=True, mandatory=True, message_id=f"{name}/{kind}"
    )


async def answer(kind: str, name: str, data: work.Json) -> None:
    """Tell the portal."""
    await broker.publish(
        data,
        exchange=answers,
        routing_key=topology.answer_key(PORTAL, kind),
        persist=True,
        mandatory=True,
        correlation_id=name,
        headers=work.answer_headers(kind, name, _now()),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@hears(topology.door_queue(PORTAL))
async def take_in(form: dict[str, Any]) -> None:
    """An application comes in."""
    name, body = form["application_id"], json.dumps(form, ensure_ascii=False)
    told = work.answer_data(form, _now())
    async with outside.pool.acquire() as connection, connection.transaction():
        await connection.execute(rows.SUBMISSION, PORTAL, name, json.dumps(told), body.encode())
    await announce(work.ACCEPTED, name, {**told, "application": form})
    await answer(work.ACCEPTED, name, told)


@hears(topology.queue_of("issuer", work.ACCEPTED))
async def create(accepted: Accepted) -> None:
    """An accepted application becomes a guarantee and a certificate."""
    form, name, at = accepted.application, accepted.application_id, _now()
    async with outside.pool.acquire() as connection, connection.transaction():
        number = work.number_of(await connection.fetchval(rows.SERIAL))
        certificate = json.dumps(work.certificate_of(form, number, at), ensure_ascii=False)
        await connection.execute(rows.APPLICATION, PORTAL, name, json.dumps(form))
        if await connection.fetchval(rows.GUARANTEE, number, PORTAL, name, *_guarantee(form)) is None:
            number, certificate = await connection.fetchrow(rows.KNOWN, PORTAL, name) or ("", "")
        else:
            await connection.execute(rows.VERSION, number, certificate, form["completion_mail"]["address"])
    await announce(work.CREATED, name, work.created_data(form, number, certificate, at))
    await answer(work.STATUS_CHANGED, name, work.status_data(name, number, work.IN_TRANSIT, at))


def _guarantee(form: work.Json) -> tuple[Any, ...]:
    contractor, contract, line = form["contractor"], form["contract"], form["guarantees"][0]
    return (
        contractor["customer_number"],
        contractor["name"],
        contract["obligee_code"],
        contract["obligee_name"],
        contract["project_name"],
        contract["price"],
        line["amount"],
        line["depository"],
        date.fromisoformat(contract["works_until"]),
        work.auth_key(),
    )


@hears(topology.queue_of("platform_bridge", work.CREATED))
async def post(created: Created) -> None:
    """A certificate is posted."""
    certificate, number = created.certificate.encode(), created.guarantee_number
    body = {
        **json.loads(certificate),
        "auth_key": created.auth_key,
        "content_sha256": hashlib.sha256(certificate).hexdigest(),
    }
    url = f"http://{surroundings.host}:{surroundings.http_port}/v1/certificates"
    async with outside.http.post(url, json=body, headers={"Idempotency-Key": f'"{number}/1"'}) as answered:
        answered.raise_for_status()
        told = await answered.json()
    async with outside.pool.acquire() as connection, connection.transaction():
        arrived_at = datetime.fromisoformat(told["arrived_at"])
        await connection.execute(rows.POSTED, number, certificate, arrived_at, told["certificate_id"])
    await announce(work.ARRIVED, created.application_id, work.arrived_data(created.model_dump(), told))


@hears(topology.queue_of("issuer", work.ARRIVED))
async def issue(arrived: Arrived) -> None:
    """The platform's arrival time becomes the time of issue."""
    number, name = arrived.guarantee_number, arrived.application_id
    async with outside.pool.acquire() as connection, connection.transaction():
        guarantee = await connection.fetchrow(rows.ISSUED, number, arrived.arrived_at)
        address = await connection.fetchval(rows.ARRIVED, number, arrived.arrived_at, arrived.certificate_id)
    fact = arrived.model_dump(mode="json")
    await announce(work.ISSUED, name, work.issued_data(fact, {**dict(guarantee or {}), "mail_address": address}))
    await answer(work.ISSUED, name, work.shown_issued_data(fact))
    await answer(work.STATUS_CHANGED, name, work.status_data(name, number, work.ACTIVE, _now()))


@hears(topology.queue_of("notifier", work.ISSUED))
async def mail(issued: Issued) -> None:
    """A mail goes out."""
    fact, number, address = issued.model_dump(), issued.guarantee_number, issued.completion_mail.address
    await aiosmtplib.send(mail_about(fact), hostname=surroundings.host, port=surroundings.smtp_port)
    async with outside.pool.acquire() as connection, connection.transaction():
        await connection.execute(rows.MAIL, number, address, work.message_id_of(number))
    await announce(work.MAIL_SENT, issued.application_id, work.sent_data(fact, _now()))


@hears(topology.queue_of("issuer", work.MAIL_SENT))
async def note_mail(sent: Sent) -> None:
    """The issuer notes that a mail went out."""
    async with outside.pool.acquire() as connection, connection.transaction():
        await connection.execute(rows.SENT, sent.guarantee_number)
