"""TLS to the broker, the database and the platform: it works where it is switched on, and proves who answers.

Each server is real and presents a certificate of an authority made here. A client that was given another authority, or
that called the server by another name, must not get as far as a password, a token or a key.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiormq
import asyncpg
import pytest
from aiohttp import web

from services.platform_bridge.domain.answers import Answer, NotSent
from services.platform_bridge.edge import Platform
from shared import postgres
from shared.errors import Misconfigured
from shared.frames import Outgoing
from shared.publisher import Publisher, named_url
from shared.subscription import Subscription, consuming_broker
from tests.conftest import Servers
from tests.eventually import eventually
from tests.security.authority import Authority, Vouched
from tests.security.conftest import SecureBroker
from tests.security.fronts import front

QUEUE: Final = "tls.heard"
OTHER_NAME: Final = "localhost"
"""It leads to the same server, whose certificate is for 127.0.0.1 only."""


@pytest.fixture(scope="module")
async def fronted(stack: Servers, authority: Authority) -> AsyncIterator[str]:
    """The URL of a front of PostgreSQL that lets nobody in without TLS, as the issuer's role.

    The server that the tests bring along is built without TLS, so a front in this process ends it, as a pooler would.
    """
    plain = stack.database_url("issuer")
    behind = urlsplit(plain)
    assert behind.hostname
    assert behind.port
    async with front(behind.hostname, behind.port, authority.vouch().context(), is_postgres=True) as made:
        yield plain.replace(f"{behind.hostname}:{behind.port}", f"127.0.0.1:{made.port}")


@pytest.fixture
def broker(secure_broker: SecureBroker) -> str:
    """The amqps URL of a RabbitMQ with a TLS listener, without any query."""
    return secure_broker.url


async def test_the_database_is_spoken_to_over_tls(fronted: str, authority: Authority) -> None:
    """With the pool and with the connection that holds the owner's lock."""
    url = f"{fronted}?sslmode=verify-full&sslrootcert={authority.file}"
    asked = "select current_user::text"
    pool = await postgres.open_pool(url, "issuer", connections_max=2)
    alone = await postgres.connect(url, "issuer")
    found = [await pool.fetchval(asked), await alone.fetchval(asked)]
    await alone.close()
    await pool.close()

    assert found == ["hosho_issuer"] * 2


async def test_a_database_that_nobody_vouches_for_gets_no_password(
    fronted: str, authority: Authority, stranger: Authority
) -> None:
    """The refusal is one that time may heal, so a service waits for the right server and does not fall."""
    wrong = {
        "another authority": f"{fronted}?sslmode=verify-full&sslrootcert={stranger.file}",
        "another name": f"{fronted.replace('127.0.0.1', OTHER_NAME)}?sslmode=verify-full&sslrootcert={authority.file}",
    }
    for why, url in wrong.items():
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            await postgres.open_pool(url, "issuer")

        assert isinstance(refused.value, postgres.FAILURES), why


async def test_the_broker_is_spoken_to_over_tls(broker: str, authority: Authority) -> None:
    """What the publisher publishes, a subscription hears: the two clients that services have."""
    url = f"{broker}/?cafile={authority.file}"
    connection = await aiormq.connect(named_url(url, "test"))
    await (await connection.channel()).queue_declare(QUEUE)
    publisher, consuming = Publisher(url, "publish"), consuming_broker(url, "consume")
    subscription = Subscription(consuming, QUEUE, 5)
    await publisher.connect()
    await consuming.start()
    await publisher.publish(Outgoing("", QUEUE, "m-1", b"over TLS", "text/plain"))
    await eventually(lambda: len(subscription.buffer.waiting) == 1)
    (heard,) = subscription.buffer.waiting
    await consuming.stop()
    await publisher.close()
    await connection.close()

    assert heard.body == b"over TLS"


async def test_a_broker_that_nobody_vouches_for_gets_no_password(
    broker: str, authority: Authority, stranger: Authority
) -> None:
    """Neither from the publisher nor from the consumers nor from whoever asks how deep the queues are."""
    wrong = {
        "another authority": f"{broker}/?cafile={stranger.file}",
        "another name": f"{broker.replace('127.0.0.1', OTHER_NAME)}/?cafile={authority.file}",
    }
    before = asyncio.all_tasks()
    for why, url in wrong.items():
        with pytest.raises(aiormq.exceptions.AMQPConnectionError) as refused:
            await aiormq.connect(named_url(url, "test"))
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value), why
        publisher, consuming = Publisher(url, "publish"), consuming_broker(url, "consume")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.connect(), 1.0)
        with pytest.raises((TimeoutError, aiormq.exceptions.AMQPConnectionError)):
            await asyncio.wait_for(consuming.start(), 1.0)

        assert not publisher.connected, why
        await publisher.close()
        await consuming.stop()
    # A connection that never stood goes on trying after its broker object was stopped; a process would end with it.
    for task in asyncio.all_tasks() - before:
        task.cancel()


def test_verification_of_the_broker_cannot_be_switched_off() -> None:
    with pytest.raises(Misconfigured, match="no_verify_ssl"):
        named_url("amqps://intake:secret@broker.example/hosho?no_verify_ssl=1", "intake.publish")


@asynccontextmanager
async def platform(vouched: Vouched, seen: list[str]) -> AsyncIterator[str]:
    """A platform over https; `seen` is what reached it."""

    async def post(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"certificate_id": "c-1", "arrived_at": "2026-01-21T10:00:00+09:00"}, status=201)

    application = web.Application()
    application.router.add_post("/v1/certificates", post)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=vouched.context()).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_the_platform_is_posted_to_over_tls_and_only_when_the_named_authority_vouches(
    authority: Authority, stranger: Authority
) -> None:
    """The machine's own authorities do not know it, another does not, and a wrong name is none of its names."""
    seen: list[str] = []
    async with platform(authority.vouch(), seen) as url:
        by_other_name = url.replace("127.0.0.1", OTHER_NAME)
        asked = [(url, authority.file), (url, None), (url, stranger.file), (by_other_name, authority.file)]
        heard = []
        for address, ca_file in asked:
            edge = Platform(address, "token-1", ca_file)
            await edge.open()
            heard.append(await edge.post("00000-000001/1", b"{}"))
            await edge.close()

    assert isinstance(heard[0], Answer)
    assert heard[0].status == 201
    assert [isinstance(one, NotSent) and one.our_setup for one in heard[1:]] == [True] * 3
    assert seen == ["Bearer token-1"]


async def test_an_authority_file_without_a_certificate_is_told_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    with pytest.raises(Misconfigured, match=r"empty\.pem"):
        await Platform("https://platform.example", "token-1", empty).open()


async def test_the_database_of_these_tests_lets_nobody_in_without_tls(fronted: str) -> None:
    """With TLS and no verification one gets in, so the refusals above are of the certificate and of nothing else."""
    connection = await asyncpg.connect(f"{fronted}?sslmode=require")
    answered = await connection.fetchval("select 1")
    await connection.close()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await asyncpg.connect(f"{fronted}?sslmode=disable")

    assert answered == 1
