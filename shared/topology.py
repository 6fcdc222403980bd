"""Every name on the broker, in one place: exchanges, queues, bindings, users' rights.

The plan is data. `hosho topology apply` makes a broker equal to it, `hosho topology check` compares, and the
services only ask for names. Queues are quorum queues, one per (hearer, message), so that a slow hearer delays
nobody else. No argument here needs RabbitMQ 4: the same plan holds on 3.10.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

APPLICATIONS = "hosho.applications"
CORE = "hosho.core"
EVENTS = "hosho.events"
PORTALS = "hosho.portals"
PARKING = "hosho.parking"
STRAIGHT = "amq.default"
"""The rights' name of the default exchange, which leads straight to the queue of the key; only the desk may use it."""

DESK = "ops"
"""The broker user of the desk: a replay counts only from it."""

REPLAY_HEADER = "replay"
"""The header that says how often the desk sent this fact again."""

EXCHANGES = (APPLICATIONS, CORE, EVENTS, PORTALS, PARKING)

SERVICES = ("intake", "issuer", "platform_bridge", "notifier", "ops")
"""Also the order of the columns on every screen and table."""

JOURNAL_QUEUE = "ops.journal"
PARKED_QUEUE = "ops.parked"
PAPER_QUEUE = "office.paper_ordered"

INTERNAL_QUEUE_MESSAGES_MAX = 5_000
"""Packs an internal queue holds before it refuses publishes; the overload then waits further upstream."""

DELIVERIES_MAX = 200
"""A backstop only: a fact that kills its process is parked long before, after `ATTEMPTS_MAX` counted tries."""

ANSWERS_TTL_MS = 30 * 24 * 3600 * 1000
"""Answers wait thirty days for a portal; afterwards everything can still be read over HTTP."""

HEARERS: Mapping[str, tuple[str, ...]] = {
    "intake.application_accepted.v1": ("issuer",),
    "intake.change_accepted.v1": ("issuer",),
    "issuer.certificate_created.v1": ("platform_bridge",),
    "platform_bridge.certificate_arrived.v1": ("issuer",),
    "platform_bridge.certificate_refused.v1": ("issuer",),
    "platform_bridge.certificate_held.v1": ("issuer",),
    "platform_bridge.certificate_released.v1": ("issuer",),
    "issuer.guarantee_issued.v1": ("notifier",),
    "issuer.paper_ordered.v1": ("office",),
    "notifier.mail_sent.v1": ("issuer",),
    "notifier.mail_refused.v1": ("issuer",),
}
"""Type announced on `hosho.events` → who hears it. A type that is not here reaches only its portal and the journal."""

CORE_HEARD: Mapping[str, tuple[str, ...]] = {
    "core.guarantee_concluded.v1": ("issuer",),
    "core.guarantee_declined.v1": ("issuer",),
}
"""Type announced by the core system on `hosho.core` → who hears it."""


def replayed(user_id: str | None, headers: Mapping[str, object]) -> int:
    """How often the desk has sent this message again; 0 for what anybody else calls a replay.

    The broker vouches for `user_id`: nobody can publish under another user's name.
    """
    value = headers.get(REPLAY_HEADER)
    return value if user_id == DESK and isinstance(value, int) and value > 0 else 0


def noun_of(message_type: str) -> str:
    """The message's bare name: `issuer.certificate_created.v1` → `certificate_created`."""
    return message_type.split(".")[1]


def queue_of(hearer: str, message_type: str) -> str:
    """The queue in which `hearer` finds messages of this type."""
    return f"{hearer}.{noun_of(message_type)}"


def queues_of(message_type: str) -> tuple[str, ...]:
    """The queues of all who hear this type from a service."""
    return tuple(queue_of(hearer, message_type) for hearer in HEARERS.get(message_type, ()))


def door_queue(portal: str) -> str:
    """The queue in which intake finds what one portal sends; a flood waits here and delays only its sender."""
    return f"intake.application_submitted.{portal}"


def answer_queue(portal: str) -> str:
    """The queue from which a portal reads its answers."""
    return f"portal.{portal}"


def answer_key(portal: str, message_type: str) -> str:
    """The routing key of an answer on `hosho.portals`."""
    return f"{portal}.{message_type}"


def journal_key(service: str) -> str:
    """The routing key of a service's journal records on `hosho.events`."""
    return f"journal.{service}"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its arguments, as the broker must report them."""

    name: str
    arguments: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Binding:
    """A key by which an exchange fills a queue."""

    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What one broker user may do: regular expressions over names, and per exchange over routing keys."""

    user: str
    write: str
    read: str
    topics: Mapping[str, str] = field(default_factory=dict)
    configure: str = "^$"


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole plan of one virtual host."""

    exchanges: tuple[str, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    rights: tuple[Rights, ...]


def plan(portals: Iterable[tuple[str, bool]]) -> Topology:
    """The plan for these portals, each given as (id, wants its answers in a queue)."""
    listed = sorted(portals)
    queues, bindings = _internal()
    for portal, answered in listed:
        queues.append(_quorum(door_queue(portal)))
        for word in ("application.submitted", "change.requested"):
            bindings.append(Binding(APPLICATIONS, door_queue(portal), f"{word}.{portal}"))
        if answered:
            queues.append(_quorum(answer_queue(portal), ttl_ms=ANSWERS_TTL_MS))
            bindings.append(Binding(PORTALS, answer_queue(portal), f"{portal}.#"))
    rights = [*map(_service_rights, SERVICES), _core_rights(), *(_portal_rights(portal) for portal, _ in listed)]
    return Topology(EXCHANGES, tuple(queues), tuple(bindings), tuple(rights))


def _internal() -> tuple[list[Queue], list[Binding]]:
    queues: list[Queue] = []
    bindings: list[Binding] = []
    for exchange, heard in ((EVENTS, HEARERS), (CORE, CORE_HEARD)):
        for message_type, hearers in heard.items():
            for hearer in hearers:
                name = queue_of(hearer, message_type)
                bounded = name != PAPER_QUEUE
                queues.append(_quorum(name, messages_max=INTERNAL_QUEUE_MESSAGES_MAX if bounded else None))
                bindings.append(Binding(exchange, name, message_type))
    queues.append(_quorum(JOURNAL_QUEUE, single_active=True))
    bindings.append(Binding(EVENTS, JOURNAL_QUEUE, "journal.*"))
    queues.append(Queue(PARKED_QUEUE, {"x-queue-type": "quorum", "x-delivery-limit": DELIVERIES_MAX}))
    bindings.append(Binding(PARKING, PARKED_QUEUE, "#"))
    return queues, bindings


def _quorum(
    name: str, *, messages_max: int | None = None, ttl_ms: int | None = None, single_active: bool = False
) -> Queue:
    arguments: dict[str, str | int | bool] = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES_MAX,
        "x-overflow": "reject-publish",
    }
    if ttl_ms is None:
        # At-least-once dead-lettering degrades silently without reject-publish, so the two always stand together.
        arguments |= {
            "x-dead-letter-exchange": PARKING,
            "x-dead-letter-routing-key": name,
            "x-dead-letter-strategy": "at-least-once",
        }
    else:
        arguments["x-message-ttl"] = ttl_ms
    if messages_max is not None:
        arguments["x-max-length"] = messages_max
    if single_active:
        arguments["x-single-active-consumer"] = True
    return Queue(name, arguments)


def _service_rights(service: str) -> Rights:
    # The desk sends a parked fact again to the queue of the one hearer, which is what the default exchange is for.
    replays = rf"|^{re.escape(STRAIGHT)}$" if service == DESK else ""
    return Rights(
        user=service,
        write=rf"^hosho\.(events|portals|parking)${replays}",
        read=rf"^{service}\.",
        topics={
            EVENTS: rf"^({service}\.[a-z_]+\.v[0-9]+|journal\.{service})$",
            PORTALS: rf"^[a-z0-9-]{{1,32}}\.{service}\.[a-z_]+\.v[0-9]+$",
            PARKING: rf"^{service}\.",
        },
    )


def _core_rights() -> Rights:
    return Rights(user="core", write=r"^hosho\.core$", read="^$", topics={CORE: r"^core\.[a-z_]+\.v[0-9]+$"})


def _portal_rights(portal: str) -> Rights:
    own = rf"portal\.{portal}" if portal != "office" else rf"portal\.{portal}|office\.[a-z_]+"
    return Rights(
        user=portal,
        write=r"^hosho\.applications$",
        read=rf"^({own})$",
        topics={APPLICATIONS: r"^(application\.submitted|change\.requested)\.{username}$"},
    )
