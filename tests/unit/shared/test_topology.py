"""The plan of the broker, as data."""

import re

import pytest

from shared import topology
from shared.topology import Queue, plan

PLAN = plan([("portal-a", True), ("portal-b", False), ("office", True)])
QUEUES = {queue.name: queue for queue in PLAN.queues}
RIGHTS = {rights.user: rights for rights in PLAN.rights}


def test_no_name_stands_twice() -> None:
    assert len(QUEUES) == len(PLAN.queues)
    assert len(set(PLAN.bindings)) == len(PLAN.bindings)
    assert len(RIGHTS) == len(PLAN.rights)


@pytest.mark.parametrize("queue", PLAN.queues, ids=lambda queue: queue.name)
def test_every_queue_holds_on_3_10_and_4(queue: Queue) -> None:
    """Quorum, a positive delivery limit, and at-least-once dead-lettering only together with reject-publish."""
    arguments = queue.arguments
    assert arguments["x-queue-type"] == "quorum"
    assert int(arguments["x-delivery-limit"]) > 0
    if arguments.get("x-dead-letter-strategy") == "at-least-once":
        assert arguments["x-overflow"] == "reject-publish"
        assert arguments["x-dead-letter-exchange"] == topology.PARKING
        assert arguments["x-dead-letter-routing-key"] == queue.name
    if "x-max-length" in arguments:
        assert arguments["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("queue", PLAN.queues, ids=lambda queue: queue.name)
def test_every_queue_is_filled_by_something(queue: Queue) -> None:
    assert [binding for binding in PLAN.bindings if binding.queue == queue.name]


@pytest.mark.parametrize("message_type", [*topology.HEARERS, *topology.CORE_HEARD])
def test_every_hearer_of_a_type_has_a_queue_bound_by_it(message_type: str) -> None:
    heard = topology.HEARERS.get(message_type) or topology.CORE_HEARD[message_type]
    for hearer in heard:
        queue = topology.queue_of(hearer, message_type)
        assert queue in QUEUES
        assert [binding.routing_key for binding in PLAN.bindings if binding.queue == queue] == [message_type]


def test_overload_waits_where_it_comes_from_and_never_at_the_desk_or_the_journal() -> None:
    for name in (topology.JOURNAL_QUEUE, topology.PARKED_QUEUE, topology.door_queue("portal-a"), topology.PAPER_QUEUE):
        assert "x-max-length" not in QUEUES[name].arguments
    assert QUEUES["issuer.application_accepted"].arguments["x-max-length"] == topology.INTERNAL_QUEUE_MESSAGES_MAX
    assert QUEUES[topology.JOURNAL_QUEUE].arguments["x-single-active-consumer"] is True


def test_a_portal_that_wants_no_queue_gets_a_door_and_no_answers() -> None:
    assert topology.door_queue("portal-b") in QUEUES
    assert topology.answer_queue("portal-b") not in QUEUES
    assert QUEUES[topology.answer_queue("portal-a")].arguments["x-message-ttl"] == topology.ANSWERS_TTL_MS


@pytest.mark.parametrize("user", RIGHTS)
def test_nobody_may_configure_and_every_expression_is_anchored(user: str) -> None:
    rights = RIGHTS[user]
    assert rights.configure == "^$"
    for expression in (rights.write, rights.read, *rights.topics.values()):
        assert all(part.startswith("^") for part in expression.replace("$|^", "$\n^").splitlines())
        assert not re.search(expression, "somebody.elses")


def test_only_the_desk_writes_straight_to_queues() -> None:
    allowed = [user for user, rights in RIGHTS.items() if re.search(rights.write, "amq.default")]
    assert allowed == ["ops"]


def test_a_prefix_of_a_name_opens_nothing() -> None:
    assert not re.search(RIGHTS["portal-a"].read, "portal.portal-a2")
    assert not re.search(RIGHTS["issuer"].topics[topology.EVENTS], "issuer.certificate_created.v1.more")
    assert not re.search(RIGHTS["issuer"].topics[topology.EVENTS], "xissuer.certificate_created.v1")


@pytest.mark.parametrize(
    ("user", "headers", "count"),
    [
        ("ops", {"replay": 2}, 2),
        ("issuer", {"replay": 2}, 0),
        (None, {"replay": 2}, 0),
        ("ops", {"replay": "2"}, 0),
        ("ops", {"replay": -1}, 0),
        ("ops", {}, 0),
    ],
)
def test_a_replay_counts_only_from_the_desk_and_only_as_a_number(
    user: str | None, headers: dict[str, object], count: int
) -> None:
    assert topology.replayed(user, headers) == count
