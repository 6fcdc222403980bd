"""Which sealing keys are still borne by something, put together from what the services tell of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

DESK: Final = "desk"
ACTED_ON: Final = "acted_on"
"""Parked facts that were replayed or given up: kept as a record, never opened again, so they hold no key back."""


@dataclass(frozen=True, slots=True)
class Borne:
    """One key id.

    Attributes:
        rows: by place (`issuer.guarantee`, `ops.desk`, …), how many rows bear it.
        seals: whether new keys are sealed by it.
        in_ring_of: the services that can open with it.
        may_be_retired: whether it may leave all rings now.
    """

    kid: str
    rows: Mapping[str, int]
    seals: bool
    in_ring_of: Sequence[str]
    may_be_retired: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, in the order in which a sealed key travels.

    Attributes:
        told: the services' answers; one that did not answer is not among them.
        unasked: the services that did not answer.
        on_the_way: by queue, messages in it; and by service, facts in its hands. None if the broker did not answer.
    """

    told: Sequence[Mapping[str, Any]]
    unasked: Sequence[str]
    on_the_way: Mapping[str, int] | None


def borne(looks: Sequence[Look]) -> list[Borne]:
    """Every key id that any look saw, with the most rows of any look.

    A key may be retired if it seals nothing new, every service answered every time, nothing was on its way, and no
    place had a row of it: what moves between two places while they are counted is seen by the second look.
    """
    rings: dict[str, list[str]] = {}
    rows: dict[str, dict[str, int]] = {}
    sealing: set[str] = set()
    for look in looks:
        for one in look.told:
            service, ring = str(one["service"]), [str(kid) for kid in one["ring"]]
            # The bridge only opens, so the order of its ring says nothing.
            sealing |= set(ring[:1]) if service == "issuer" else set()
            for kid in ring:
                holders = rings.setdefault(kid, [])
                holders += [] if service in holders else [service]
            for place, counts in one["places"].items():
                for kid, count in counts.items():
                    found = rows.setdefault(kid, {})
                    found[f"{service}.{place}"] = max(found.get(f"{service}.{place}", 0), int(count))
    is_whole = bool(looks) and all(not look.unasked and look.on_the_way is not None for look in looks)
    is_quiet = all(not any((look.on_the_way or {}).values()) for look in looks)
    return [
        Borne(
            kid=kid,
            rows=rows.get(kid, {}),
            seals=kid in sealing,
            in_ring_of=rings.get(kid, []),
            may_be_retired=is_whole and is_quiet and kid not in sealing and not _is_held(rows.get(kid, {})),
        )
        for kid in sorted({*rings, *rows})
    ]


def _is_held(rows: Mapping[str, int]) -> bool:
    return any(count for place, count in rows.items() if not place.endswith(f".{ACTED_ON}"))
