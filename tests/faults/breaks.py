"""Ten ways to break the promises on purpose, each as a small change of text, with the check that must catch it.

Kept as data: a test sees that every change still fits the tree, and `make breaks` applies them one by one to a copy.
"""

from dataclasses import dataclass
from typing import Final

QUICK: Final = "tests/faults/test_quick.py::test_brief_faults_lose_double_and_misdate_nothing"
MODEL: Final = "tests/faults/test_model.py::test_whatever_happens_every_version_is_heard_done_recorded_and_told_once"
_ACKNOWLEDGING: Final = "tests/service/shared/test_acknowledging.py"


@dataclass(frozen=True, slots=True)
class Edit:
    """In one file, a text that stands there exactly once, and what replaces it."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Break:
    """One promise broken on purpose.

    Attributes:
        name: as the command line takes it; what: the mistake, as somebody might really make it.
        check: the test that must fail; shows: what its output must hold, since a test may also fail for want of breath.
    """

    name: str
    what: str
    check: str
    shows: str
    edits: tuple[Edit, ...]


_ACK: Final = """\
        for incarnation in {id(delivery.incarnation): delivery.incarnation for delivery in deliveries}.values():
            await incarnation.acknowledge([d.tag for d in deliveries if d.incarnation is incarnation])
"""
_BEGIN: Final = """\
        wait_s = RETRY_S_MIN
        counted: set[UUID] = set()
"""
_CONSUMER: Final = "shared/delivery/consumer.py"
_SUBSCRIPTION: Final = "shared/subscription.py"
_RELAY: Final = "shared/relay.py"
_MAILER: Final = "services/notifier/handlers.py"

BREAKS: Final = (
    Break(
        "ack-before-commit",
        "a delivery is acknowledged when it is taken, not after its commit",
        f"{_ACKNOWLEDGING}::test_a_message_is_not_acknowledged_before_its_commit",
        "holds 0 messages, not 1",
        (Edit(_CONSUMER, _ACK, ""), Edit(_CONSUMER, _BEGIN, _ACK + _BEGIN)),
    ),
    Break(
        "random-message-id",
        "a fact's id is drawn instead of following from its type, subject and occurrence",
        MODEL,
        "assert await self.circle.effects() == [once, once, once]",
        (
            Edit(
                "shared/envelope.py",
                "    return _derived(message_type, subject, occurrence)\n",
                "    from uuid import uuid4\n\n    return uuid4()\n",
            ),
        ),
    ),
    Break(
        "second-arrival-time",
        "a later arrival time replaces the first one",
        QUICK,
        "NOT CLEAN issued_at_mismatches",
        (
            Edit(
                "services/issuer/domain/events.py",
                "    if version.issued_at is not None:\n        same = version.issued_at == arrived_at\n",
                "    if version.issued_at == arrived_at:\n        same = True\n",
            ),
            Edit(
                "services/issuer/domain/events.py",
                "    state = VERSION_TRANSITIONS.get((version.state, VersionEvent.CERTIFICATE_ARRIVED))\n",
                "    state = VersionState.ARRIVED\n",
            ),
        ),
    ),
    Break(
        "presumption-unchecked",
        "what was presumed to be new is not found out when it was not",
        "tests/service/shared/test_settling.py::test_a_second_delivery_is_a_no_op",
        "'A-2', 2)",
        (
            Edit(
                "shared/writes.py",
                'rows = f"touched({rows}, ${taken}::bigint)"',
                'rows = f"case when ${taken}::bigint >= 0 then {rows} end"',
            ),
        ),
    ),
    Break(
        "deleted-before-confirm",
        "an outbox row goes when it is published, not when the broker has confirmed it",
        "tests/service/shared/test_relaying.py::test_a_row_is_deleted_only_after_its_confirm",
        "assert await _left(tables, 5)",
        (
            Edit(
                _RELAY,
                "        results = await self._told(messages)\n",
                "        async with self._pool.acquire() as connection:\n"
                "            await outbox.delete(connection, [row.id for row in rows])\n"
                "        results = await self._told(messages)\n",
            ),
        ),
    ),
    Break(
        "mail-marked-before-sending",
        "a mail counts as sent as soon as its sending has begun",
        QUICK,
        ": no mail",
        (
            Edit(
                _MAILER,
                "        heard = await self._postbox.send(letter.address, mail)\n",
                "        import asyncio\n\n"
                "        self._sending = asyncio.create_task(self._postbox.send(letter.address, mail))\n"
                "        return Settled(Taken())\n"
                "        heard = await self._postbox.send(letter.address, mail)\n",
            ),
        ),
    ),
    Break(
        "shared-channel",
        "all queues of a service share one channel, and an acknowledgement reaches everything below its tag",
        f"{_ACKNOWLEDGING}::test_acknowledging_one_queue_leaves_the_uncommitted_messages_of_another_alone",
        "messages, not 60",
        (
            Edit(_SUBSCRIPTION, "logger = get_logger()\n", "logger = get_logger()\n_SHARED = Channel()\n"),
            Edit(_SUBSCRIPTION, "channel=Channel(prefetch_count=prefetch),", "channel=_SHARED,"),
            Edit(
                _SUBSCRIPTION,
                "        below = max((tag for tag in tags if tag <= self._watermark), default=None)\n",
                "        below = self._watermark = max(tags, default=self._watermark)\n",
            ),
        ),
    ),
    Break(
        "robust-channel",
        "what was received before a reconnect is acknowledged through the channel that stands after it",
        "tests/faults/test_reconnecting.py"
        "::test_what_was_in_hand_at_a_reconnect_acknowledges_nothing_of_the_next_channel",
        "heard_are(len(keys))",
        (
            Edit(
                _SUBSCRIPTION,
                "    def __init__(self, channel: AbstractChannel) -> None:\n        self.channel = channel\n",
                "    def __init__(self, channel: AbstractChannel, subscription: object) -> None:\n"
                "        self.channel, self.subscription = channel, subscription\n",
            ),
            Edit(
                _SUBSCRIPTION,
                "self._incarnation = Incarnation(channel)\n",
                "self._incarnation = Incarnation(channel, self)\n",
            ),
            Edit(
                _SUBSCRIPTION,
                "            if below is not None:\n                await self.channel.basic_ack(",
                "            robust = self.subscription.subscriber._queue_obj.channel\n"
                "            self.channel = await robust.get_underlay_channel()\n"
                "            if below is not None:\n                await self.channel.basic_ack(",
            ),
        ),
    ),
    Break(
        "removed-binding",
        "one of the planned bindings is missing on the broker",
        QUICK,
        "NOT CLEAN left_behind: notifier:",
        (
            Edit(
                "shared/topology.py",
                "                bindings.append(Binding(exchange, name, message_type))\n",
                '                if name != "issuer.mail_sent":\n'
                "                    bindings.append(Binding(exchange, name, message_type))\n",
            ),
        ),
    ),
    Break(
        "killer-in-a-full-prefetch",
        "tries after a death are not counted, so a killing fact and its neighbours come back for ever",
        "tests/service/shared/test_dying.py"
        "::test_a_fact_that_kills_its_process_is_parked_unrun_and_its_neighbours_are_done_once",
        "holds 0 messages, not 1",
        (Edit(_CONSUMER, "                if uncounted:\n", "                if uncounted and not items:\n"),),
    ),
)
