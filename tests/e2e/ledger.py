"""What the outside can tell about a set of applications, compared with what was promised.

The checker knows nothing of the services' code. It reads what the portal heard, what the read API shows, and what the
platform, the mailbox and the office remember.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.portal.client import ACCEPTED, CONFLICTED, REJECTED, Portal
from tests.e2e.conftest import System

VERDICTS = (ACCEPTED, REJECTED, CONFLICTED)


@dataclass(slots=True)
class Account:
    """The outcome of a comparison. Everything but `settled` should be empty."""

    unanswered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    settled: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled or wrong."""
        return not (self.unanswered or self.missing or self.doubled or self.wrong)


def moment(text: str) -> datetime:
    """An aware time from RFC 3339 text."""
    return datetime.fromisoformat(text)


async def account(system: System, portal: Portal, applications: Sequence[Mapping[str, Any]]) -> Account:
    """Compare everything that became of these applications with what must have."""
    told = Account()
    arrived = {row["key"]: row["arrived_at"] for row in await system.certificates()}
    taken = await system.mails()
    mails = Counter(mail["message_id"] for mail in taken)
    mailed = Counter(address for mail in taken for address in mail["to"])
    orders = Counter(order["order"]["guarantee_number"] for order in await system.paper_orders())
    told.doubled += [f"mail {message_id}" for message_id, times in mails.items() if times > 1]
    told.doubled += [f"paper order {number}" for number, times in orders.items() if times > 1]
    numbers: Counter[str] = Counter()
    for application in applications:
        application_id = str(application["application_id"])
        verdicts = {answer.type for answer in await portal.answers.of(application_id) if answer.type in VERDICTS}
        if not verdicts:
            told.unanswered.append(application_id)
        if ACCEPTED not in verdicts:
            continue
        reply = await portal.doors.guarantees(application_id=application_id)
        items = reply.json()["items"]
        rows = {row["kind"]: row for row in items}
        numbers.update(row["guarantee_number"] for row in items)
        for line in application["guarantees"]:
            row = rows.get(line["kind"])
            if row is None:
                told.missing.append(f"{application_id} {line['kind']}")
            elif line["certificate_form"] == "paper":
                _paper(told, row, orders)
            else:
                _electronic(told, row, arrived, _mail_wanted(application), mailed)
    told.doubled += [f"number {number}" for number, times in numbers.items() if times > 1]
    return told


def _paper(told: Account, row: Mapping[str, Any], orders: Mapping[str, int]) -> None:
    if orders.get(row["guarantee_number"], 0) == 0:
        told.missing.append(f"paper order {row['guarantee_number']}")
    elif row["status"] not in ("paper_ordered", "expired") or row["issued_at"] is not None:
        told.wrong.append(f"{row['guarantee_number']} is {row['status']}")
    else:
        told.settled += 1


def _electronic(
    told: Account,
    row: Mapping[str, Any],
    arrived: Mapping[str, str],
    address: str | None,
    mailed: Mapping[str, int],
) -> None:
    number = row["guarantee_number"]
    platform_time = arrived.get(f"{number}/1")
    if platform_time is None or row["issued_at"] is None:
        told.missing.append(f"arrival of {number} ({row['status']})")
    elif moment(row["issued_at"]) != moment(platform_time):
        told.wrong.append(f"{number}: issued_at {row['issued_at']}, the platform says {platform_time}")
    elif address is not None and address not in mailed:
        told.missing.append(f"mail of {number}")
    else:
        told.settled += 1


def _mail_wanted(application: Mapping[str, Any]) -> str | None:
    mail = application["completion_mail"]
    return str(mail["address"]) if mail["wanted"] else None
