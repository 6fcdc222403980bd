"""Compares a running broker with the plan and names, for each difference, what mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.broker.apply import OUTSIDER_LIMITS, bindings_of, limits_of, outsiders
from deploy.broker.management import Management, is_password
from shared.topology import Topology

APPLY: Final = "run `hosho topology apply`"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on the broker that is not as planned, and its mend."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what} — {self.mend}"


async def check(management: Management, plan: Topology, passwords: Mapping[str, str] | None = None) -> list[Difference]:
    """Every difference between the broker and the plan; empty when they are equal.

    With `passwords` given, users whose password is another one count as differences too.

    Raises:
        Unreachable: if the broker is away.
    """
    if await management.get(management.path("vhosts")) is None:
        return [Difference(f"the virtual host {management.vhost} is missing", APPLY)]
    return [
        *await _exchanges(management, plan),
        *await _queues(management, plan),
        *await _bindings(management, plan),
        *await _users(management, plan, passwords or {}),
        *await _limits(management, plan),
        *await _permissions(management, plan),
        *await _topics(management, plan),
    ]


async def _rows(management: Management, kind: str, *names: str) -> list[dict[str, Any]]:
    return await management.get(management.path(kind, *names)) or []


async def _exchanges(management: Management, plan: Topology) -> list[Difference]:
    found = {row["name"]: row for row in await _rows(management, "exchanges")}
    differences = []
    for name in plan.exchanges:
        row = found.get(name)
        if row is None:
            differences.append(Difference(f"the exchange {name} is missing", APPLY))
        elif (row["type"], row["durable"], row["auto_delete"]) != ("topic", True, False):
            mend = "delete the exchange in a quiet moment, then " + APPLY
            differences.append(Difference(f"the exchange {name} is not a durable topic exchange", mend))
    return differences


async def _queues(management: Management, plan: Topology) -> list[Difference]:
    found = {row["name"]: row for row in await _rows(management, "queues")}
    differences = []
    for queue in plan.queues:
        row = found.pop(queue.name, None)
        if row is None:
            differences.append(Difference(f"the queue {queue.name} is missing", APPLY))
            continue
        wanted, actual = dict(queue.arguments), dict(row["arguments"])
        for name in sorted(wanted.keys() | actual.keys()):
            if wanted.get(name) != actual.get(name):
                what = f"the queue {queue.name} has {name}={actual.get(name)!r}, planned is {wanted.get(name)!r}"
                differences.append(Difference(what, "let it run empty, delete it, then " + APPLY))
    for name in sorted(found):
        mend = "let it run empty and delete it, or add it to shared/topology.py"
        differences.append(Difference(f"the queue {name} is not in the plan", mend))
    return differences


async def _bindings(management: Management, plan: Topology) -> list[Difference]:
    found = await bindings_of(management, plan)
    missing = [binding for binding in plan.bindings if binding not in found]
    surplus = [binding for binding in found if binding not in plan.bindings]
    return [
        *(Difference(f"{b.exchange} does not fill {b.queue} by {b.routing_key}", APPLY) for b in missing),
        *(Difference(f"{b.exchange} fills {b.queue} by {b.routing_key}, unplanned", APPLY) for b in surplus),
    ]


async def _users(management: Management, plan: Topology, passwords: Mapping[str, str]) -> list[Difference]:
    found = {row["name"]: row for row in await management.get("/api/users") or []}
    differences = []
    for rights in plan.rights:
        row = found.get(rights.user)
        if row is None:
            differences.append(Difference(f"the user {rights.user} is missing", APPLY))
            continue
        if row["tags"]:
            differences.append(Difference(f"the user {rights.user} has the tags {row['tags']}", APPLY))
        if rights.user in passwords and not is_password(passwords[rights.user], row["password_hash"]):
            differences.append(Difference(f"the user {rights.user} has another password", APPLY))
    if "guest" in found:
        differences.append(Difference("the user guest exists", "delete it: its password is known to everybody"))
    return differences


async def _limits(management: Management, plan: Topology) -> list[Difference]:
    found = await limits_of(management)
    return [
        Difference(f"the user {user} has {name}={found.get(user, {}).get(name)}, planned is {value}", APPLY)
        for user in outsiders(plan)
        for name, value in OUTSIDER_LIMITS.items()
        if found.get(user, {}).get(name) != value
    ]


async def _permissions(management: Management, plan: Topology) -> list[Difference]:
    found = {
        row["user"]: (row["configure"], row["write"], row["read"])
        for row in await _rows(management, "vhosts", "permissions")
    }
    found.pop(management.administrator, None)
    differences = []
    for rights in plan.rights:
        wanted, actual = (rights.configure, rights.write, rights.read), found.pop(rights.user, None)
        if actual != wanted:
            what = f"the user {rights.user} may (configure, write, read) {actual}, planned is {wanted}"
            differences.append(Difference(what, APPLY))
    return differences + [Difference(f"the user {user} has rights here, unplanned", APPLY) for user in sorted(found)]


async def _topics(management: Management, plan: Topology) -> list[Difference]:
    found = {
        (row["user"], row["exchange"]): row["write"] for row in await _rows(management, "vhosts", "topic-permissions")
    }
    wanted = {(rights.user, exchange): keys for rights in plan.rights for exchange, keys in rights.topics.items()}
    differences = []
    for pair in sorted(wanted.keys() | found.keys()):
        if wanted.get(pair) != found.get(pair) and pair[0] != management.administrator:
            what = f"the user {pair[0]} may write to {pair[1]} by {found.get(pair)}, planned is {wanted.get(pair)}"
            differences.append(Difference(what, APPLY))
    return differences
