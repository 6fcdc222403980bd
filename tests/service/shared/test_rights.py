"""What each broker user may do is what its service must do, and nothing beside it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiormq
import pytest
from aiormq.abc import AbstractChannel

from deploy.broker.check import check
from deploy.broker.management import management
from deploy.portals import plan_for
from shared import topology
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import CertificateCreated, GuaranteeIssued
from shared.messages.notifier import MailSent
from shared.messages.platform_bridge import CertificateArrived
from tests.conftest import Servers

OWN = {
    "intake": ApplicationAccepted.TYPE,
    "issuer": CertificateCreated.TYPE,
    "platform_bridge": CertificateArrived.TYPE,
    "notifier": MailSent.TYPE,
}
REFUSED = aiormq.exceptions.ChannelAccessRefused


@pytest.fixture
async def opened(emptied: Servers) -> AsyncIterator["Opened"]:
    """`await opened("issuer")`: a channel as that user, with confirms and returns."""
    channels = Opened(emptied)
    yield channels
    await channels.close()


class Opened:
    """Channels by user, each on a connection of its own."""

    def __init__(self, stack: Servers) -> None:
        self._stack = stack
        self._connections: dict[str, aiormq.abc.AbstractConnection] = {}

    async def __call__(self, user: str) -> AbstractChannel:
        if user not in self._connections:
            self._connections[user] = await aiormq.connect(self._stack.broker_url(user))
        return await self._connections[user].channel(on_return_raises=True)

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()


async def _publish(channel: AbstractChannel, exchange: str, key: str) -> None:
    await channel.basic_publish(b"{}", exchange=exchange, routing_key=key, mandatory=True, timeout=5)


async def test_the_running_broker_is_as_planned(stack: Servers) -> None:
    async with management(stack.management_url, stack.vhost) as api:
        assert await check(api, plan_for(stack.portals_file)) == []


@pytest.mark.parametrize("service", topology.SERVICES)
async def test_a_service_consumes_each_of_its_queues_and_none_of_anothers(
    opened: Opened, stack: Servers, service: str
) -> None:
    queues = [queue.name for queue in plan_for(stack.portals_file).queues]
    own = [queue for queue in queues if queue.startswith(f"{service}.")]
    assert own
    channel = await opened(service)
    for queue in own:
        await channel.queue_declare(queue, passive=True)
        await channel.basic_cancel((await channel.basic_consume(queue, _ignore)).consumer_tag or "")
    for queue in set(queues) - set(own):
        with pytest.raises(REFUSED):
            await (await opened(service)).basic_consume(queue, _ignore)


async def _ignore(_message: object) -> None:
    return None


@pytest.mark.parametrize("service", OWN)
async def test_a_service_announces_its_own_facts_and_nobody_elses(opened: Opened, service: str) -> None:
    channel = await opened(service)
    await _publish(channel, topology.EVENTS, OWN[service])
    await _publish(channel, topology.EVENTS, topology.journal_key(service))
    await _publish(channel, topology.PORTALS, topology.answer_key("portal-a", OWN[service]))
    await _publish(channel, topology.PARKING, f"{service}.some_queue")
    others = [
        *((topology.EVENTS, message_type) for name, message_type in OWN.items() if name != service),
        *((topology.EVENTS, topology.journal_key(name)) for name in OWN if name != service),
        *((topology.PORTALS, topology.answer_key("portal-a", own)) for name, own in OWN.items() if name != service),
        (topology.PARKING, "ops.journal"),
        (topology.APPLICATIONS, "application.submitted.portal-a"),
        (topology.CORE, "core.guarantee_concluded.v1"),
        ("", topology.queue_of("notifier", GuaranteeIssued.TYPE)),
    ]
    for exchange, key in others:
        with pytest.raises(REFUSED):
            await _publish(await opened(service), exchange, key)


_CHANGES: tuple[Callable[[AbstractChannel], Awaitable[object]], ...] = (
    lambda channel: channel.queue_declare("issuer.new_one", durable=True),
    lambda channel: channel.exchange_declare("hosho.new_one"),
    lambda channel: channel.queue_bind("issuer.mail_sent", topology.EVENTS, "#"),
    lambda channel: channel.queue_delete("issuer.mail_sent"),
)


async def test_nobody_declares_binds_or_deletes(opened: Opened) -> None:
    for user in (*topology.SERVICES, "core", "portal-a", "office"):
        for attempt in _CHANGES:
            with pytest.raises(REFUSED):
                await attempt(await opened(user))


async def test_a_portal_sends_under_its_own_name_and_reads_its_own_answers(opened: Opened) -> None:
    channel = await opened("portal-a")
    await _publish(channel, topology.APPLICATIONS, "application.submitted.portal-a")
    await _publish(channel, topology.APPLICATIONS, "change.requested.portal-a")
    await channel.basic_get(topology.answer_queue("portal-a"), no_ack=True)
    for key in ("application.submitted.portal-b", "change.requested.office", "application.submitted"):
        with pytest.raises(REFUSED):
            await _publish(await opened("portal-a"), topology.APPLICATIONS, key)
    for queue in (topology.answer_queue("office"), topology.door_queue("portal-a"), topology.PARKED_QUEUE):
        with pytest.raises(REFUSED):
            await (await opened("portal-a")).basic_get(queue)


async def test_only_the_desk_sends_straight_to_a_queue_and_nobody_lends_a_name(opened: Opened) -> None:
    queue = topology.queue_of("issuer", MailSent.TYPE)
    await _publish(await opened("ops"), "", queue)
    lent = aiormq.spec.Basic.Properties(user_id="ops")
    channel = await opened("notifier")
    with pytest.raises(aiormq.exceptions.ChannelPreconditionFailed):
        await channel.basic_publish(b"{}", exchange=topology.EVENTS, routing_key=MailSent.TYPE, properties=lent)
