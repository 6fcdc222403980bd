"""Makes a broker equal to the plan. Nothing that may hold messages is ever deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.broker.management import Management, Refused, in_parallel, is_password, password_hash
from shared.errors import Misconfigured
from shared.topology import SERVICES, Binding, Queue, Rights, Topology

HASHING = "rabbit_password_hashing_sha256"

OUTSIDER_LIMITS: Final[Mapping[str, int]] = {"max-connections": 50, "max-channels": 500}
"""What a portal, the office or the core system may have at once; one or two of each are enough for any of them."""


class QueueDiffers(Misconfigured):
    """A queue exists with other arguments, which cannot be changed; let it run empty, delete it and apply again."""


async def apply(management: Management, plan: Topology, passwords: Mapping[str, str]) -> None:
    """Create what is missing and take away bindings and rights that are not in the plan.

    `passwords` maps broker users to passwords; a user that exists already may be left out and keeps its password.

    Raises:
        QueueDiffers: naming each queue whose arguments differ from the plan.
        Misconfigured: if a user is missing and no password for it is given.
        Unreachable: if the broker is away.
    """
    await management.put(management.path("vhosts"), {})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await management.put(management.path("permissions", management.administrator), everything)
    await in_parallel(
        *(_exchange(management, name) for name in plan.exchanges),
        *(_user(management, rights.user, passwords.get(rights.user)) for rights in plan.rights),
    )
    await bound(management, outsiders(plan))
    await _queues(management, plan)
    await _bindings(management, plan)
    await _rights(management, plan)


def outsiders(plan: Topology) -> list[str]:
    """The users who are not services of ours: portals, the office, the core system."""
    return [rights.user for rights in plan.rights if rights.user not in SERVICES]


async def limits_of(management: Management) -> dict[str, dict[str, int]]:
    """By user, what it may not have more of at once."""
    found: list[dict[str, Any]] = await management.get("/api/user-limits") or []
    return {row["user"]: row["value"] for row in found}


async def bound(management: Management, users: Sequence[str]) -> None:
    """Let none of these users take the broker's places from all others."""
    found = await limits_of(management)
    await in_parallel(
        *(
            management.put(f"/api/user-limits/{user}/{name}", {"value": value})
            for user in users
            for name, value in OUTSIDER_LIMITS.items()
            if found.get(user, {}).get(name) != value
        )
    )


async def _exchange(management: Management, name: str) -> None:
    await management.put(management.path("exchanges", name), {"type": "topic", "durable": True})


async def _user(management: Management, user: str, password: str | None) -> None:
    path = f"/api/users/{user}"
    known = await management.get(path)
    if password is None:
        if known is None:
            raise Misconfigured(f"The broker user {user} is missing; give a password for it and apply again.")
        return
    if known is not None and is_password(password, known["password_hash"]) and not known["tags"]:
        return
    hashed = {"password_hash": password_hash(password), "hashing_algorithm": HASHING, "tags": ""}
    try:
        await management.put(path, hashed)
    except Refused as refused:
        if "user_already_exists" not in str(refused):
            raise
        # Somebody else made it at the same moment; now it is there and the same request changes it.
        await management.put(path, hashed)


async def _queues(management: Management, plan: Topology) -> None:
    differing: list[str] = []

    async def declare(queue: Queue) -> None:
        try:
            await management.put(
                management.path("queues", queue.name), {"durable": True, "arguments": dict(queue.arguments)}
            )
        except Refused as refusal:
            if refusal.status != 400:
                raise
            differing.append(f"{queue.name}: {refusal.reason}")

    await in_parallel(*map(declare, plan.queues))
    if differing:
        raise QueueDiffers(
            "These queues exist with other arguments; let them run empty, delete them and apply again:\n  "
            + "\n  ".join(sorted(differing))
        )


async def bindings_of(management: Management, plan: Topology) -> dict[Binding, str]:
    """What fills queues from our exchanges now, each with the name the API deletes it by."""
    rows: list[dict[str, Any]] = await management.get(management.path("bindings")) or []
    return {
        Binding(row["source"], row["destination"], row["routing_key"]): row["properties_key"]
        for row in rows
        if row["source"] in plan.exchanges and row["destination_type"] == "queue"
    }


async def _bindings(management: Management, plan: Topology) -> None:
    found = await bindings_of(management, plan)
    await in_parallel(
        *(
            management.post(
                management.path("bindings", "e", binding.exchange, "q", binding.queue),
                {"routing_key": binding.routing_key, "arguments": {}},
            )
            for binding in plan.bindings
            if binding not in found
        )
    )
    await in_parallel(
        *(
            management.delete(management.path("bindings", "e", binding.exchange, "q", binding.queue, name))
            for binding, name in found.items()
            if binding not in plan.bindings
        )
    )


async def _rights(management: Management, plan: Topology) -> None:
    planned = {rights.user for rights in plan.rights}
    found: list[dict[str, Any]] = await management.get(management.path("vhosts", "permissions")) or []
    strangers = {row["user"] for row in found} - planned - {management.administrator}
    await in_parallel(
        *(_rights_of_user(management, rights) for rights in plan.rights),
        *(management.delete(management.path("permissions", user)) for user in strangers),
    )


async def _rights_of_user(management: Management, rights: Rights) -> None:
    await management.put(
        management.path("permissions", rights.user),
        {"configure": rights.configure, "write": rights.write, "read": rights.read},
    )
    path = management.path("topic-permissions", rights.user)
    found: list[dict[str, Any]] = await management.get(path) or []
    if {row["exchange"] for row in found} - set(rights.topics):
        await management.delete(path)
    for exchange, keys in rights.topics.items():
        # Nobody but the administrator binds, so the right to read by a key is given to nobody.
        await management.put(path, {"exchange": exchange, "write": keys, "read": "^$"})
