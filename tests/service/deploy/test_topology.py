"""`hosho topology` on a real broker: apply makes it equal to the plan, check finds each way in which it is not."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from deploy import broker
from deploy.broker.apply import QueueDiffers
from deploy.broker.management import Management, management
from deploy.portals import plan_for
from shared.errors import Misconfigured
from shared.topology import Rights, Topology
from tests.conftest import Servers

Spoil = Callable[[Management], Awaitable[None]]
QUEUE = "platform_bridge.certificate_created"


@pytest.fixture
def plan(stack: Servers) -> Topology:
    """The plan for the committed portals."""
    return plan_for(stack.portals_file)


@pytest.fixture
async def api(stack: Servers, plan: Topology) -> AsyncIterator[Management]:
    """A virtual host of this test's own, equal to the plan."""
    async with management(stack.management_url, f"test-{uuid.uuid4().hex[:12]}") as opened:
        await broker.apply(opened, plan, stack.local.secrets.broker_users)
        yield opened
        await opened.delete(opened.path("vhosts"))


async def test_what_was_applied_is_as_planned(api: Management, plan: Topology, stack: Servers) -> None:
    assert await broker.check(api, plan, stack.local.secrets.broker_users) == []


async def test_applying_again_changes_nothing_and_needs_no_passwords(api: Management, plan: Topology) -> None:
    await broker.apply(api, plan, {})

    assert await broker.check(api, plan) == []


async def test_two_may_apply_at_once(api: Management, plan: Topology, stack: Servers) -> None:
    passwords = stack.local.secrets.broker_users

    await asyncio.gather(broker.apply(api, plan, passwords), broker.apply(api, plan, passwords))

    assert await broker.check(api, plan, passwords) == []


async def _unbind(api: Management) -> None:
    path = api.path("bindings", "e", "hosho.events", "q", QUEUE)
    for row in await api.get(path):
        await api.delete(f"{path}/{row['properties_key']}")


async def _bind_more(api: Management) -> None:
    await api.post(api.path("bindings", "e", "hosho.events", "q", QUEUE), {"routing_key": "issuer.#", "arguments": {}})


async def _delete_queue(api: Management) -> None:
    await api.delete(api.path("queues", QUEUE))


async def _delete_exchange(api: Management) -> None:
    await api.delete(api.path("exchanges", "hosho.portals"))


async def _give_more_rights(api: Management) -> None:
    await api.put(api.path("permissions", "portal-a"), {"configure": "", "write": ".*", "read": ".*"})


async def _give_more_keys(api: Management) -> None:
    rights = {"exchange": "hosho.applications", "write": ".*", "read": ".*"}
    await api.put(api.path("topic-permissions", "portal-a"), rights)


async def _give_keys_of_another_exchange(api: Management) -> None:
    await api.put(api.path("topic-permissions", "core"), {"exchange": "hosho.events", "write": ".*", "read": ".*"})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_unbind, f"does not fill {QUEUE}"),
        (_bind_more, f"fills {QUEUE} by issuer.#, unplanned"),
        (_delete_queue, f"the queue {QUEUE} is missing"),
        (_delete_exchange, "the exchange hosho.portals is missing"),
        (_give_more_rights, "the user portal-a may (configure, write, read)"),
        (_give_more_keys, "the user portal-a may write to hosho.applications by .*"),
        (_give_keys_of_another_exchange, "the user core may write to hosho.events by .*, planned is None"),
    ],
)
async def test_a_difference_is_told_and_mended_by_applying(
    api: Management, plan: Topology, spoil: Spoil, told: str
) -> None:
    await spoil(api)

    differences = await broker.check(api, plan)

    assert any(told in difference.what for difference in differences), differences
    assert all("hosho topology apply" in difference.mend for difference in differences)
    await broker.apply(api, plan, {})
    assert await broker.check(api, plan) == []


async def test_a_queue_with_other_arguments_is_told_and_left_alone(api: Management, plan: Topology) -> None:
    await api.delete(api.path("queues", QUEUE))
    await api.put(api.path("queues", QUEUE), {"durable": True, "arguments": {"x-queue-type": "quorum"}})

    with pytest.raises(QueueDiffers, match=QUEUE):
        await broker.apply(api, plan, {})

    whats = [difference.what for difference in await broker.check(api, plan)]
    assert any("x-delivery-limit=None, planned is 200" in what for what in whats), whats


async def test_a_queue_nobody_planned_is_told_and_never_deleted(api: Management, plan: Topology) -> None:
    await api.put(api.path("queues", "somebodys.trace"), {"durable": True, "arguments": {}})

    await broker.apply(api, plan, {})

    assert [difference.what for difference in await broker.check(api, plan)] == [
        "the queue somebodys.trace is not in the plan"
    ]


async def test_a_user_without_a_known_password_must_be_given_one(api: Management, plan: Topology) -> None:
    stranger = replace(plan, rights=(*plan.rights, Rights("portal-new", "^$", "^$")))

    with pytest.raises(Misconfigured, match="portal-new"):
        await broker.apply(api, stranger, {})


async def test_a_portal_without_bounds_is_told_and_bounded_by_applying(api: Management, plan: Topology) -> None:
    """A user of this test's own: users and their bounds are the whole broker's, and other tests use the portals'."""
    user = f"portal-{uuid.uuid4().hex[:8]}"
    more = replace(plan, rights=(*plan.rights, Rights(user, "^$", "^$")))
    await api.put(f"/api/users/{user}", {"password": user, "tags": ""})
    try:
        before = [one.what for one in await broker.check(api, more) if "max-" in one.what]
        await broker.apply(api, more, {})
        after = await broker.check(api, more)
    finally:
        await api.delete(f"/api/users/{user}")

    assert before == [
        f"the user {user} has max-connections=None, planned is 50",
        f"the user {user} has max-channels=None, planned is 500",
    ]
    assert after == []


async def test_a_virtual_host_that_is_missing_is_told(stack: Servers, plan: Topology) -> None:
    async with management(stack.management_url, "nowhere") as api:
        differences = await broker.check(api, plan)

    assert [difference.what for difference in differences] == ["the virtual host nowhere is missing"]


async def test_a_portal_may_speak_for_itself_only(
    broker_as: Callable[[str], Awaitable[aio_pika.abc.AbstractConnection]],
) -> None:
    channel = await (await broker_as("portal-a")).channel()
    exchange = await channel.get_exchange("hosho.applications", ensure=False)

    with pytest.raises(ChannelAccessRefused):
        await exchange.publish(aio_pika.Message(b"{}"), "application.submitted.portal-b")


async def test_a_portal_may_not_read_another_ones_answers(
    broker_as: Callable[[str], Awaitable[aio_pika.abc.AbstractConnection]],
) -> None:
    channel = await (await broker_as("portal-b")).channel()
    queue = await channel.get_queue("portal.portal-a", ensure=False)

    with pytest.raises(ChannelAccessRefused):
        await queue.get()
