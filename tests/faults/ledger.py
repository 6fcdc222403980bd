"""The ledger: what was sent, set against what can be seen from outside. Pure, and without the services' code."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from simulators.portal.client import ACCEPTED, CONFLICTED, ISSUED, REJECTED
from tests.faults.expected import End, Mail, Sent
from tests.faults.traces import Mailed, Traces
from tests.faults.world import Incident

VERDICTS: Final = (ACCEPTED, REJECTED, CONFLICTED)
STATUSES: Final = {
    # The works of many samples are over by now, and with them the guarantee.
    End.ISSUED: ("active", "expired"),
    End.ORDERED: ("paper_ordered", "expired"),
    End.REFUSED: ("refused_by_platform",),
    End.DECLINED: ("declined",),
}

MAIL_WINDOW: Final = timedelta(seconds=10)
"""How long before the first copy of a mail the incident that explains its second may have begun."""

OPENS_MAIL_WINDOWS: Final = frozenset({"notifier", "notifier-smtp", "notifier-postgres", "postgres", "mailbox"})
"""Where an incident can make the notifier forget, or never learn, that a mail was taken."""


@dataclass(slots=True)
class Account:
    """The outcome. `ended` counts how lines ended; every list but the known windows should be empty."""

    attempted: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    doubled_mails_in_the_known_windows: list[str] = field(default_factory=list)
    order_violations: list[str] = field(default_factory=list)
    issued_at_mismatches: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    parked: int = 0
    ended: Counter[str] = field(default_factory=Counter)

    @property
    def faulty(self) -> dict[str, list[str]]:
        """What should not be, by name; empty when everything was kept."""
        names = ("lost", "doubled", "order_violations", "issued_at_mismatches", "wrong", "leaked", "left_behind")
        return {name: found for name in names if (found := getattr(self, name))}

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.faulty


def account(sent: Sequence[Sent], poison: int, told: Traces, incidents: Sequence[Incident]) -> Account:
    """Judge everything that became of these applications, and of so many messages nobody can read."""
    found = Account(attempted=sum(one.attempted for one in sent), acknowledged=sum(one.acknowledged for one in sent))
    found.left_behind = list(told.left_behind)
    mails: dict[str, list[Mailed]] = defaultdict(list)
    for mail in told.mails:
        mails[mail.number].append(mail)
    orders = Counter(str(order["order"]["guarantee_number"]) for order in told.orders)
    for one in sent:
        if one.attempted:
            _application(found, one, told)
            for row in told.guarantees.get(one.name, ()):
                _guarantee(found, one, row, told, orders)
                _mails(found, one, row, mails[row["guarantee_number"]], incidents)
    _numbers(found, told)
    _platform(found, told)
    _parked(found, poison, told)
    _keys(found, told)
    return found


def _application(found: Account, one: Sent, told: Traces) -> None:
    """One application: an answer, the right one, and one guarantee per line if it was accepted."""
    outcomes = Counter(told.answered.get(one.name, ()))
    answers = [answer for answer in told.answers.get(one.name, ()) if answer.type in VERDICTS]
    if not outcomes and one.acknowledged:
        found.lost.append(f"{one.name}: received and nobody knows of it")
    if not outcomes:
        return
    wanted = "accepted" if one.valid else "rejected"
    if outcomes[wanted] == 0 or (one.valid and outcomes["rejected"]) or (not one.valid and outcomes["accepted"]):
        found.wrong.append(f"{one.name}: {dict(outcomes)}, not {wanted}")
    if outcomes["accepted"] > 1:
        found.doubled.append(f"{one.name}: accepted {outcomes['accepted']} times")
    if not one.valid:
        found.ended["rejected"] += 1
    if one.conflicts and not outcomes["conflicted"]:
        found.lost.append(f"{one.name}: its conflict was not answered")
    if _has_queue(one, told) and not answers:
        found.lost.append(f"{one.name}: its portal was told nothing")
    kinds = Counter(row["kind"] for row in told.guarantees.get(one.name, ()))
    expected = set(one.lines) if one.valid else set()
    found.lost += [f"{one.name} {kind}: no guarantee" for kind in sorted(expected - set(kinds))]
    found.wrong += [f"{one.name} {kind}: a guarantee nobody asked for" for kind in sorted(set(kinds) - expected)]
    found.doubled += [f"{one.name} {kind}: {times} guarantees" for kind, times in kinds.items() if times > 1]
    for (name, subject), facts in told.journal.get(one.name, {}).items():
        # Of these there can be only one for each subject, whatever happened; a second would have another id.
        if facts > 1 and name in (ACCEPTED, ISSUED):
            found.doubled.append(f"{name} of {subject}: {facts} different facts")
    if outcomes["accepted"]:
        _journalled(found, one, (ACCEPTED, one.name), told)


def _journalled(found: Account, one: Sent, fact: tuple[str, str], told: Traces) -> None:
    """The journal has no gaps: what was announced is in it."""
    if not told.journal.get(one.name, {}).get(fact):
        found.lost.append(f"{' of '.join(fact)}: not in the journal")


def _has_queue(one: Sent, told: Traces) -> bool:
    """Whether this portal is one that is told things, known by its having been told anything at all."""
    return any(name.startswith(f"{one.portal}/") for name in told.answers)


def _guarantee(found: Account, one: Sent, row: Mapping[str, Any], told: Traces, orders: Mapping[str, int]) -> None:
    """One line: it ended as it must, with the outside agreeing."""
    number, end = str(row["guarantee_number"]), one.lines.get(row["kind"])
    arrival = told.arrivals.get(f"{number}/1")
    if end is None:
        return
    if end is End.HELD:
        end = _held(found, row, told)
    if end is End.ISSUED:
        if arrival is None or row["issued_at"] is None:
            found.lost.append(f"{one.name} {number}: not issued ({row['status']}, arrived {arrival})")
            return
        if _moment(row["issued_at"]) != _moment(arrival):
            found.issued_at_mismatches.append(f"{number}: {row['issued_at']}, the platform says {arrival}")
        if row["status"] not in STATUSES[end]:
            found.wrong.append(f"{number}: issued and {row['status']}")
        _told_of_issue(found, one, number, row["issued_at"], told)
        _journalled(found, one, (ISSUED, f"{number}/1"), told)
    elif end is not End.HELD:
        if row["status"] not in STATUSES[end]:
            found.lost.append(f"{one.name} {number}: {row['status']}, not {end}")
        if row["issued_at"] is not None or arrival is not None:
            found.wrong.append(f"{number}: {end} and arrived")
    if orders.get(number, 0) != (end is End.ORDERED):
        lot = found.doubled if orders.get(number, 0) > 1 else found.lost
        lot.append(f"{number}: {orders.get(number, 0)} paper orders for a line that ended {end}")
    found.ended[end] += 1


def _held(found: Account, row: Mapping[str, Any], told: Traces) -> End:
    number = str(row["guarantee_number"])
    if row["issued_at"] is not None:
        return End.ISSUED
    if f"{number}/1" not in told.held:
        found.lost.append(f"{number}: neither held nor issued ({row['status']})")
    return End.HELD


def _told_of_issue(found: Account, one: Sent, number: str, issued_at: str, told: Traces) -> None:
    if not _has_queue(one, told):
        return
    heard = [
        answer
        for answer in told.answers.get(one.name, ())
        if answer.type == ISSUED and isinstance(answer.data, dict) and answer.data["guarantee_number"] == number
    ]
    if not heard:
        found.lost.append(f"{number}: its portal was not told that it is issued")
    if len(heard) > 1:
        found.doubled.append(f"{number}: its portal was told of {len(heard)} issues")
    for answer in heard:
        if isinstance(answer.data, dict) and _moment(answer.data["issued_at"]) != _moment(issued_at):
            found.issued_at_mismatches.append(f"{number}: its portal was told {answer.data['issued_at']}")


def _mails(
    found: Account, one: Sent, row: Mapping[str, Any], mails: Sequence[Mailed], incidents: Sequence[Incident]
) -> None:
    """One mail for each issued line that wished it, and none for any other."""
    number = str(row["guarantee_number"])
    wanted = one.mail is Mail.SENT and row["issued_at"] is not None
    names = {mail.message_id for mail in mails}
    if wanted and not mails:
        found.lost.append(f"{number}: no mail")
    if not wanted and mails:
        found.wrong.append(f"{number}: a mail nobody wished")
    if len(names) > 1:
        found.doubled.append(f"{number}: {len(names)} different mails")
    wish = one.application["completion_mail"]
    found.wrong += [f"{number}: mailed to {mail.to}" for mail in mails if mail.to != wish["address"]]
    for first, second in pairwise(mails):
        explained = one.mail_may_repeat or any(_explains(incident, first, second) for incident in incidents)
        lot = found.doubled_mails_in_the_known_windows if explained else found.doubled
        lot.append(f"{number}: mailed at {first.received_at} and {second.received_at}")


def _explains(incident: Incident, first: Mailed, second: Mailed) -> bool:
    if incident.target not in OPENS_MAIL_WINDOWS:
        return False
    return first.received_at - MAIL_WINDOW <= incident.at <= second.received_at


def _numbers(found: Account, told: Traces) -> None:
    numbers = Counter(str(row["guarantee_number"]) for rows in told.guarantees.values() for row in rows)
    found.doubled += [f"{number}: the number of {times} guarantees" for number, times in numbers.items() if times > 1]
    strays = {key.partition("/")[0] for key in told.arrivals} - set(numbers)
    found.doubled += [f"{number}: arrived, and the issuer does not know it" for number in sorted(strays)]


def _platform(found: Account, told: Traces) -> None:
    """Versions in order, and the same bytes in every try of one key."""
    bytes_of: dict[str, set[str]] = defaultdict(set)
    settled: set[tuple[str, int]] = set()
    for request in told.requests:
        key = str(request["key"] or "")
        number, _, version = key.partition("/")
        if request["method"] != "POST" or not version.isdecimal():
            continue
        if request["body_digest"]:
            bytes_of[key].add(request["body_digest"])
        before = int(version) - 1
        if before and (number, before) not in settled:
            found.order_violations.append(f"{key} was posted before version {before} was settled")
        if request["status"] in (200, 201) or request["answer"] == "refused":
            settled.add((number, int(version)))
    found.wrong += [
        f"{key}: {len(bodies)} different bodies were posted" for key, bodies in bytes_of.items() if len(bodies) > 1
    ]


def _parked(found: Account, poison: int, told: Traces) -> None:
    found.parked = len(told.parked)
    codes = Counter(f"{code} at {consumer}" for consumer, code, *_ in told.parked)
    if len(told.parked) != poison:
        lot = found.lost if len(told.parked) < poison else found.wrong
        lot.append(f"{len(told.parked)} parked, {poison} expected: {dict(codes)}; {told.parked[:3]}")
    if told.given_up > len(told.parked):
        found.lost.append(f"{told.given_up} facts were given up, and only {len(told.parked)} lie on the desk")


def _keys(found: Account, told: Traces) -> None:
    """One key for each number, the same at both ends, and nowhere in the clear."""
    found.wrong += [
        f"{number}: the platform knows another key" for number, opens in told.keys_open.items() if not opens
    ]
    found.leaked = list(told.leaks)


def _moment(text: str) -> datetime:
    # Some platforms write `t` and `z`.
    return datetime.fromisoformat(text.upper())
