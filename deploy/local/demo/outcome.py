"""What became of the demo's applications, and the judgement whether everything is as it should be."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from deploy.local.demo.cases import Case

FINAL_STATUS: Final = {"electronic": "active", "paper": "paper_ordered"}
"""Certificate form → the status in which the demo leaves a guarantee."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One guarantee at the end, as it goes into build/demo.json.

    Attributes:
        issued_at: what portals read (RFC 3339); None for paper.
        platform_arrived_at: what the platform itself remembers; None for paper.
        mail_message_id: of the one mail that arrived; None where none was wished for.
        latency_ms: from the sending until the office could see it done.
    """

    application_id: str
    kind: str
    certificate_form: str
    guarantee_number: str
    status: str
    issued_at: str | None
    platform_arrived_at: str | None
    mail_message_id: str | None
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """An application that was refused, with every reason at once."""

    application_id: str
    problems: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything the demo saw from outside.

    Attributes:
        certificates: how many certificates the platform remembers.
        posts: guarantee number → how often the platform saw a POST of its certificate.
        mails: guarantee number → Message-IDs of the mails that arrived for it.
        paper_orders: numbers of the guarantees the office was told to print.
    """

    guarantees: Sequence[Guarantee]
    rejections: Sequence[Rejection]
    certificates: int
    posts: Mapping[str, int]
    mails: Mapping[str, Sequence[str]]
    paper_orders: Sequence[str]

    def as_json(self, *, ok: bool) -> dict[str, Any]:
        """The content of build/demo.json."""
        rejected = [{"application_id": one.application_id, "problems": list(one.problems)} for one in self.rejections]
        return {"ok": ok, "guarantees": [asdict(one) for one in self.guarantees], "rejected": rejected}


def complaints(cases: Sequence[Case], seen: Seen) -> list[str]:
    """What is not as it should be, one sentence each; empty if the demo succeeded."""
    return [
        *_lines(cases, seen),
        *_issue_times(seen),
        *_posts(cases, seen),
        *_mails(cases, seen),
        *_paper(seen),
        *_rejections(cases, seen),
    ]


def _lines(cases: Sequence[Case], seen: Seen) -> Iterator[str]:
    wanted = Counter(
        (case.application_id, line["kind"], line["certificate_form"])
        for case in cases
        if case.accepted
        for line in case.lines
    )
    found = Counter((one.application_id, one.kind, one.certificate_form) for one in seen.guarantees)
    for line in wanted - found:
        yield f"{' '.join(line)}: there is no guarantee for this line"
    for line in found - wanted:
        yield f"{' '.join(line)}: there is a guarantee too many"
    numbers = Counter(one.guarantee_number for one in seen.guarantees)
    yield from (f"{number}: the number was given twice" for number, count in numbers.items() if count > 1)
    for one in seen.guarantees:
        if one.status != FINAL_STATUS[one.certificate_form]:
            yield f"{one.guarantee_number}: the status is {one.status}, not {FINAL_STATUS[one.certificate_form]}"


def _issue_times(seen: Seen) -> Iterator[str]:
    electronic = [one for one in seen.guarantees if one.certificate_form == "electronic"]
    if seen.certificates != len(electronic):
        yield f"the platform remembers {seen.certificates} certificates, not {len(electronic)}"
    for one in electronic:
        if one.issued_at is None or one.platform_arrived_at is None:
            yield f"{one.guarantee_number}: issued {one.issued_at}, arrived at the platform {one.platform_arrived_at}"
        elif datetime.fromisoformat(one.issued_at) != datetime.fromisoformat(one.platform_arrived_at):
            yield f"{one.guarantee_number}: issued {one.issued_at} is not the platform's {one.platform_arrived_at}"


def _posts(cases: Sequence[Case], seen: Seen) -> Iterator[str]:
    """A platform that was asked to misbehave and did not would prove nothing."""
    manners = {case.application_id: case.manner for case in cases}
    for one in seen.guarantees:
        manner, posts = manners[one.application_id], seen.posts.get(one.guarantee_number, 0)
        if manner is not None and one.certificate_form == "electronic" and posts < manner.posts:
            yield f"{one.guarantee_number}: the platform saw {posts} POSTs, fewer than {manner.posts}"


def _mails(cases: Sequence[Case], seen: Seen) -> Iterator[str]:
    wishes = {case.application_id: case.mail_wanted for case in cases if case.accepted}
    for one in seen.guarantees:
        wanted = int(one.certificate_form == "electronic" and wishes[one.application_id])
        arrived = len(seen.mails.get(one.guarantee_number, ()))
        if arrived != wanted:
            yield f"{one.guarantee_number}: {arrived} mails arrived, not {wanted}"


def _paper(seen: Seen) -> Iterator[str]:
    wanted = Counter(one.guarantee_number for one in seen.guarantees if one.certificate_form == "paper")
    found = Counter(seen.paper_orders)
    yield from (f"{number}: the office was not told to print it" for number in wanted - found)
    yield from (f"{number}: the office was told to print it once too often" for number in found - wanted)


def _rejections(cases: Sequence[Case], seen: Seen) -> Iterator[str]:
    wanted = {case.application_id: set(case.pointers) for case in cases if not case.accepted}
    found = {one.application_id: {problem["pointer"] for problem in one.problems} for one in seen.rejections}
    for application_id in found.keys() - wanted.keys():
        yield f"{application_id}: was refused, though nothing is wrong with it"
    for application_id, pointers in wanted.items():
        missing = pointers - found.get(application_id, set())
        if missing:
            yield f"{application_id}: no problem was told at {', '.join(sorted(missing))}"
