"""Each broker user tries everything it must not do on the broker that runs, and is refused every time.

What each may do is written down here once more, by hand and in other words than in the plan: a slip in the plan's
expressions would otherwise be a slip of the test too. That what is allowed works is seen in the tests of the rights.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import aiormq
import pytest
from aiormq.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPConnectionError, AMQPError, ChannelAccessRefused, ChannelPreconditionFailed
from yarl import URL

from deploy.broker.apply import OUTSIDER_LIMITS, bound, limits_of
from deploy.broker.management import management
from deploy.local.secret_store import token
from deploy.portals import plan_for
from shared import topology
from shared.topology import SERVICES
from tests.conftest import Servers

PORTALS: Final = ("portal-a", "portal-b", "office")
USERS: Final = (*SERVICES, "core", *PORTALS)
CONFIRM_S_MAX: Final = 30
COUNTED_LATE_MAX: Final = 20
"""The broker counts connections a moment after it has let them in."""

FOREIGN_EXCHANGES: Final = ("amq.topic", "amq.direct", "amq.fanout", "amq.headers", "amq.match")

Attempt = Callable[[AbstractChannel], Awaitable[object]]


def may_read(user: str, queue: str) -> bool:
    """Whether a queue is the user's own."""
    if user in SERVICES:
        return queue.partition(".")[0] == user
    return queue == f"portal.{user}" or (user == "office" and queue.partition(".")[0] == "office")


def may_publish(user: str, exchange: str, key: str) -> bool:
    """Whether a user may announce under a key: facts of its own, nobody else's."""
    words = key.split(".")
    if exchange == topology.EVENTS:
        return user in SERVICES and user in (words[0], words[1] if words[0] == "journal" else None)
    if exchange == topology.PORTALS:
        return user in SERVICES and words[1] == user
    if exchange == topology.PARKING:
        return user in SERVICES and words[0] == user
    if exchange == topology.CORE:
        return user == "core" and words[0] == "core"
    if exchange == topology.APPLICATIONS:
        return user in PORTALS and words[-1] == user and len(words) == 3
    return exchange == "" and user == topology.DESK


KEYS: Final = {
    topology.EVENTS: (
        *(*topology.HEARERS, *map(topology.journal_key, SERVICES), "core.guarantee_concluded.v1", "#", "x"),
        *(f"{place}.fact_made.v1" for name in SERVICES for place in (f"x.{name}", f"{name}x", f"x{name}")),
        *(f"x.{topology.journal_key(name)}" for name in SERVICES),
    ),
    topology.PORTALS: tuple(
        topology.answer_key(place, message_type)
        for portal in PORTALS
        for message_type in topology.HEARERS
        for place in (portal, f"{portal}.x")
    ),
    topology.PARKING: (
        *(f"{place}.some_queue" for name in SERVICES for place in (name, f"x.{name}", f"{name}x", f"x{name}")),
        *("office.paper_ordered", "x"),
    ),
    topology.CORE: (
        *(*topology.CORE_HEARD, "issuer.certificate_created.v1", "x"),
        *(f"{place}.guarantee_concluded.v1" for place in ("x.core", "corex", "xcore")),
    ),
    topology.APPLICATIONS: tuple(
        f"{word}.{name}"
        for word in (
            *("application.submitted", "change.requested", "x.application.submitted", "x"),
            *("application", "application.submitted.portal-a"),
        )
        for name in (*PORTALS, *SERVICES, *(f"{portal}x" for portal in PORTALS))
    ),
}


@pytest.fixture(params=USERS)
async def session(request: pytest.FixtureRequest, stack: Servers) -> AsyncIterator[tuple[str, AbstractConnection]]:
    """Each user in turn with a connection of its own."""
    connection = await aiormq.connect(stack.broker_url(request.param))
    yield request.param, connection
    await connection.close()


async def _refused(connection: AbstractConnection, attempt: Attempt, what: str) -> None:
    """Try it on a channel of its own, which the broker closes when it refuses."""
    channel = await connection.channel(on_return_raises=True)
    try:
        await attempt(channel)
    except ChannelAccessRefused:
        return
    except AMQPError as error:
        raise AssertionError(f"{what} was not refused as forbidden, but failed: {error!r}") from error
    raise AssertionError(f"{what} was not refused")


async def _ignore(_message: object) -> None:
    return None


def _queues(stack: Servers) -> list[str]:
    return [queue.name for queue in plan_for(stack.portals_file).queues]


def _reading(queue: str) -> dict[str, Attempt]:
    return {
        "take from": lambda channel: channel.basic_get(queue),
        "listen to": lambda channel: channel.basic_consume(queue, _ignore),
        "empty": lambda channel: channel.queue_purge(queue),
    }


def _reshaping(queue: str) -> dict[str, Attempt]:
    return {
        "delete": lambda channel: channel.queue_delete(queue),
        "bind": lambda channel: channel.queue_bind(queue, topology.EVENTS, "#"),
        "unbind": lambda channel: channel.queue_unbind(queue, topology.EVENTS, "#"),
    }


def _rewiring(exchange: str) -> dict[str, Attempt]:
    return {
        "delete": lambda channel: channel.exchange_delete(exchange),
        "divert": lambda channel: channel.exchange_bind("amq.fanout", exchange),
        "fill": lambda channel: channel.exchange_bind(exchange, "amq.topic"),
    }


async def test_nobody_reads_or_empties_a_queue_of_another(
    session: tuple[str, AbstractConnection], stack: Servers
) -> None:
    user, connection = session
    foreign = [queue for queue in _queues(stack) if not may_read(user, queue)]
    assert foreign
    for queue in foreign:
        for what, attempt in _reading(queue).items():
            await _refused(connection, attempt, f"{user}: {what} {queue}")


async def test_nobody_changes_a_queue_not_even_its_own(session: tuple[str, AbstractConnection], stack: Servers) -> None:
    user, connection = session
    for queue in _queues(stack):
        for what, attempt in _reshaping(queue).items():
            await _refused(connection, attempt, f"{user}: {what} {queue}")


@pytest.mark.parametrize("name", ["", "issuer.mine", "portal.portal-c", "stray"])
async def test_nobody_makes_a_queue(session: tuple[str, AbstractConnection], name: str) -> None:
    user, connection = session

    await _refused(connection, lambda channel: channel.queue_declare(name, durable=True), f"{user}: make {name}")
    await _refused(connection, lambda channel: channel.queue_declare(name, exclusive=True), f"{user}: make {name}")


async def test_nobody_makes_deletes_or_joins_exchanges(session: tuple[str, AbstractConnection]) -> None:
    user, connection = session
    await _refused(connection, lambda channel: channel.exchange_declare("hosho.mine"), f"{user}: make an exchange")
    for exchange in topology.EXCHANGES:
        for what, attempt in _rewiring(exchange).items():
            await _refused(connection, attempt, f"{user}: {what} {exchange}")


async def test_nobody_announces_what_is_not_its_own(session: tuple[str, AbstractConnection], stack: Servers) -> None:
    user, connection = session
    straight = [("", queue) for queue in _queues(stack)]
    foreign = [(exchange, "issuer.certificate_created.v1") for exchange in FOREIGN_EXCHANGES]
    planned = [(exchange, key) for exchange, keys in KEYS.items() for key in keys]
    forbidden = [
        (exchange, key) for exchange, key in (*straight, *foreign, *planned) if not may_publish(user, exchange, key)
    ]
    assert {exchange for exchange, _ in forbidden} >= set(topology.EXCHANGES) - {topology.PORTALS}
    for exchange, key in forbidden:
        what = f"{user}: announce {key} on {exchange or 'the default exchange'}"
        await _refused(connection, _publishing(exchange, key), what)


def _publishing(exchange: str, key: str) -> Attempt:
    return lambda channel: channel.basic_publish(
        b"{}", exchange=exchange, routing_key=key, mandatory=True, timeout=CONFIRM_S_MAX
    )


async def test_nobody_lends_its_name(session: tuple[str, AbstractConnection]) -> None:
    user, connection = session
    own_door = {
        **{name: (topology.EVENTS, topology.journal_key(name)) for name in SERVICES},
        **{name: (topology.APPLICATIONS, f"application.submitted.{name}") for name in PORTALS},
        "core": (topology.CORE, "core.guarantee_concluded.v1"),
    }
    exchange, key = own_door[user]
    for other in {*USERS, "guest"} - {user}:
        channel = await connection.channel()
        spoofed = aiormq.spec.Basic.Properties(user_id=other)

        with pytest.raises(ChannelPreconditionFailed):
            await channel.basic_publish(b"{}", exchange=exchange, routing_key=key, properties=spoofed)


@pytest.mark.parametrize("user", USERS)
async def test_nobody_enters_another_virtual_host(stack: Servers, user: str) -> None:
    with pytest.raises(AMQPError):
        await aiormq.connect(str(URL(stack.broker_url(user)).with_path("/%2F", encoded=True)))

    # The same address lets the administrator in, so it was not the address that failed.
    await (await aiormq.connect(str(URL(stack.broker_admin_url).with_path("/%2F", encoded=True)))).close()


@pytest.mark.parametrize(("user", "password"), [("guest", "guest"), ("issuer", "issuer"), ("issuer", ""), ("ops", "*")])
async def test_the_well_known_user_and_guessed_passwords_are_turned_away(
    stack: Servers, user: str, password: str
) -> None:
    with pytest.raises(AMQPConnectionError):
        await aiormq.connect(str(URL(stack.broker_admin_url).with_user(user).with_password(password)))


async def test_a_password_opens_for_its_own_user_only(stack: Servers) -> None:
    issuer = URL(stack.broker_url("issuer"))

    with pytest.raises(AMQPConnectionError):
        await aiormq.connect(str(issuer.with_user("ops").with_password(issuer.password)))


@pytest.mark.parametrize("user", USERS)
async def test_nobody_enters_the_management_api(stack: Servers, user: str) -> None:
    own = URL(stack.broker_url(user))
    base = URL(stack.management_url).with_user(None)
    who = {"Authorization": aiohttp.encode_basic_auth(user, own.password or "")}
    async with aiohttp.ClientSession(headers=who) as http:
        for path in ("api/overview", "api/queues", "api/users", "api/definitions", "api/whoami"):
            async with http.get(base / path) as answer:
                assert answer.status == 401, f"{user} got {answer.status} at {path}"


async def test_nobody_from_outside_takes_all_places_of_the_broker(stack: Servers) -> None:
    """Tried with a user made for it, since the portals' own are used by other tests at this moment."""
    user, secret = f"crowd-{uuid.uuid4().hex[:8]}", token()
    limit = OUTSIDER_LIMITS["max-connections"]
    everything = {"configure": "", "write": "", "read": ""}
    async with management(stack.management_url, stack.vhost) as api, AsyncExitStack() as held:
        await api.put(f"/api/users/{user}", {"password": secret, "tags": ""})
        held.push_async_callback(api.delete, f"/api/users/{user}")
        await api.put(api.path("permissions", user), everything)
        await bound(api, [user])
        url = str(URL(stack.broker_admin_url).with_user(user).with_password(secret))
        opened, is_refused = 0, False
        while not is_refused and opened < limit + COUNTED_LATE_MAX:
            try:
                connection = await aiormq.connect(url)
            except AMQPError:
                is_refused = True
            else:
                held.push_async_callback(connection.close)
                opened += 1
        bounds = await limits_of(api)

    assert (is_refused, opened >= limit) == (True, True), f"{opened} connections were open"
    assert all(bounds[portal] == OUTSIDER_LIMITS for portal in (*PORTALS, "core"))
    assert not set(SERVICES) & set(bounds), "a service has as many as its processes need"
