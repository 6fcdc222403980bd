"""What a million entries tell: so many applications, each with the announcements that bring it to its mail.

The records have the shape in which a relay writes them. They go to ops by the broker, so ops itself chains them.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from bench.contenders.work import ACCEPTED, ARRIVED, CREATED, ISSUED, MAIL_SENT, STATUS_CHANGED
from shared.messages.operator import OperatorActed
from shared.topology import queue_of

ENTRIES_EACH: Final = 8
APPLICATIONS_A_RECORD: Final = 25
ACT_EVERY: Final = 1_000
"""One application in so many has an operator act beside it."""

PORTAL: Final = "portal-a"
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)

CONTRACTORS: Final = (
    "○○建設株式会社",
    "△△土木工業",
    "□□組",
    "◇◇舗装株式会社",
    "有限会社◎◎造園",
    "●●工務店",
    "▽▽興業株式会社",
    "☆☆設備",
)
PLACES: Final = [
    f"{side}{kind}" for side in ("北", "南", "東", "西", "中央", "本") for kind in ("町", "田", "原", "沢", "山")
]
WORKS: Final = ("道路舗装", "橋梁補修", "下水道管渠", "河川護岸", "校舎改修", "公園整備", "法面対策", "トンネル補修")
PARKED_AT: Final = queue_of("issuer", ACCEPTED)
PARKED_FOR: Final = "rule_broken"
_STATUSES: Final = ("awaiting_conclusion", "in_transit", "active")


def application_id(number: int) -> str:
    """The id of one application."""
    return f"J-{number:07d}"


def guarantee_number(number: int) -> str:
    """The number of its guarantee."""
    return f"{number // 10**6:05d}-{number % 10**6:06d}"


def contractor(number: int) -> str:
    """Who applied; each of some thousands applies now and then."""
    return f"{CONTRACTORS[number % len(CONTRACTORS)]}第{number % 3_001}支店"


def project(number: int) -> str:
    """The 工事名."""
    return f"{PLACES[number % len(PLACES)]}地内{WORKS[number * 7 % len(WORKS)]}工事(第{number % 5_003}号)"


def records(applications: int) -> Iterator[tuple[bytes, int]]:
    """Every record as its body and how many entries it brings."""
    for first in range(0, applications, APPLICATIONS_A_RECORD):
        numbers = range(first, min(applications, first + APPLICATIONS_A_RECORD))
        facts = [fact for number in numbers for fact in _facts(number)]
        yield json.dumps({"service": "issuer", "facts": facts}, ensure_ascii=False).encode(), len(facts)


def entries(applications: int) -> int:
    """How many entries these applications bring."""
    return applications * ENTRIES_EACH + len(range(0, applications, ACT_EVERY))


def _facts(number: int) -> Iterator[dict[str, Any]]:
    name, mail = guarantee_number(number), {"kind": "advance_payment", "mail": "wanted", "ordinal": "1"}
    whose = {
        "contractor": contractor(number),
        "project": project(number),
        "obligee": "三島市長",
        "lines": "advance_payment:electronic",
    }
    moves = [{"kind": "advance_payment", "status": status} for status in _STATUSES]
    steps = [
        (ACCEPTED, f"{PORTAL}/{application_id(number)}", whose),
        (STATUS_CHANGED, name, moves[0]),
        (CREATED, f"{name}/1", None),
        (STATUS_CHANGED, name, moves[1]),
        (ARRIVED, f"{name}/1", None),
        (STATUS_CHANGED, name, moves[2]),
        (ISSUED, f"{name}/1", mail),
        (MAIL_SENT, f"{name}/1", {"ordinal": "1"}),
    ]
    if number % ACT_EVERY == 0:
        act = {"who": "operator", "what": "row.now", "keys": f"{name}/1", "count": "1", "reason": "障害復旧のため"}
        steps.append((OperatorActed.TYPE, f"act-{number}", act))
    for order, (kind, subject, search) in enumerate(steps):
        yield _fact(number, order, kind, subject, search)


def _fact(number: int, order: int, kind: str, subject: str, search: dict[str, str] | None) -> dict[str, Any]:
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{order}")
    told = {
        "id": str(identity),
        "type": kind,
        "subject": subject,
        "correlation": f"{PORTAL}/{application_id(number)}",
        "time": (BEGAN + timedelta(seconds=3 * number, milliseconds=120 * order)).isoformat(),
        "digest": hashlib.sha256(identity.bytes).hexdigest(),
    }
    return told if search is None else {**told, "search": search}


def parked(number: int) -> bytes:
    """A record of a fact that no handler could take."""
    dice = Random(number)
    consumer, kind = dice.choice(((PARKED_AT, ACCEPTED), (queue_of("notifier", ISSUED), ISSUED)))
    told = {
        "consumer": consumer,
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"parked/{number}")),
        "code": dice.choice((PARKED_FOR, "killed_its_process", "unreadable")),
        "reason": "the handler could not take it",
        "type": kind,
        "subject": guarantee_number(number),
        "correlation": f"{PORTAL}/{application_id(number)}",
        "replay": 0,
        "digest": hashlib.sha256(b"%d" % number).hexdigest(),
        "fact": json.dumps({"specversion": "1.0", "type": kind, "data": {"contractor": contractor(number)}}),
    }
    return json.dumps(told, ensure_ascii=False).encode()
