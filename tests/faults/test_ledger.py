"""The ledger itself: it passes what was kept, and finds each way in which a promise can be broken."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.portal.answers import Answer
from simulators.portal.client import ACCEPTED, ISSUED, REJECTED
from simulators.portal.samples import example, with_platform
from tests.faults.expected import DECLINED, Sent
from tests.faults.ledger import Account, account
from tests.faults.traces import Mailed, Traces
from tests.faults.world import Incident

PORTAL, NUMBER, ARRIVED = "portal-a", "00000-000001", "2026-01-20T09:30:01.200+09:00"
NOW = datetime(2026, 1, 20, 1, 0, tzinfo=UTC)
NAME = f"{PORTAL}/A-1"


def _sent(form: str = "electronic", *markers: str) -> Sent:
    application = with_platform(example(PORTAL, "A-1"), *markers)
    application["guarantees"][0]["certificate_form"] = form
    application["completion_mail"] = {"wanted": form == "electronic", "address": "keiri@kensetsu.example"}
    return Sent(PORTAL, application, valid=True, attempted=True, acknowledged=True)


def _row(status: str = "active", issued_at: str | None = ARRIVED) -> dict[str, Any]:
    return {"guarantee_number": NUMBER, "kind": "advance_payment", "status": status, "issued_at": issued_at}


def _answer(message_id: str, kind: str, data: dict[str, Any]) -> Answer:
    return Answer(message_id, kind, "", "", "A-1", data)


def _mail(message_id: str = "m-1", at: datetime = NOW) -> Mailed:
    return Mailed(message_id, at, "keiri@kensetsu.example", NUMBER)


def _kept() -> Traces:
    """What is seen when everything was kept."""
    told = Traces()
    told.answers[NAME] = [
        _answer("a-1", ACCEPTED, {}),
        _answer("a-2", ISSUED, {"guarantee_number": NUMBER, "issued_at": "2026-01-20T00:30:01.200+00:00"}),
    ]
    told.answered[NAME] = ["accepted"]
    told.guarantees[NAME] = [_row()]
    told.arrivals[f"{NUMBER}/1"] = ARRIVED
    told.requests = [_request(f"{NUMBER}/1")]
    told.mails = [_mail()]
    told.keys_open = {NUMBER: True}
    told.journal[NAME] = {(ACCEPTED, NAME): 1, (ISSUED, f"{NUMBER}/1"): 1}
    return told


def _request(key: str, digest: str = "d", answer: str = "arrived", status: int = 201) -> dict[str, Any]:
    return {"method": "POST", "key": key, "body_digest": digest, "answer": answer, "status": status}


def _of(told: Traces, sent: Sent | None = None, poison: int = 0, *incidents: Incident) -> Account:
    return account([sent or _sent()], poison, told, incidents)


def test_what_was_kept_is_clean() -> None:
    found = _of(_kept())

    assert found.clean, found.faulty
    assert (found.attempted, found.acknowledged, found.ended["issued"]) == (1, 1, 1)


def _nobody_knows(told: Traces) -> None:
    told.answered.clear()
    told.guarantees.clear()
    told.arrivals.clear()


def _not_told(told: Traces) -> None:
    told.answers[NAME] = []
    told.answers["portal-a/A-2"] = [_answer("b", ACCEPTED, {})]


def _two_numbers(told: Traces) -> None:
    told.guarantees["portal-b/A-9"] = [_row()]


def _told_twice(told: Traces) -> None:
    told.answers[NAME].append(
        _answer("a-3", ISSUED, {"guarantee_number": NUMBER, "issued_at": ARRIVED}),
    )


def _told_another_time(told: Traces) -> None:
    told.answers[NAME][1] = _answer("a-2", ISSUED, {"guarantee_number": NUMBER, "issued_at": "2026-01-20T00:30:02Z"})


BREACHES: list[tuple[str, Callable[[Traces], object]]] = [
    ("lost", _nobody_knows),
    ("lost", _not_told),
    ("lost", lambda told: told.guarantees.clear()),
    ("lost", lambda told: told.arrivals.clear()),
    ("lost", lambda told: told.mails.clear()),
    ("lost", lambda told: told.answers[NAME].pop()),
    ("lost", lambda told: told.guarantees.update({NAME: [_row("in_transit", None)]})),
    ("doubled", lambda told: told.answered[NAME].append("accepted")),
    ("doubled", lambda told: told.guarantees[NAME].append(_row() | {"guarantee_number": "00000-000002"})),
    ("doubled", _two_numbers),
    ("doubled", _told_twice),
    ("doubled", lambda told: told.arrivals.update({"00000-000009/1": ARRIVED})),
    ("doubled", lambda told: told.mails.append(_mail())),
    ("doubled", lambda told: told.mails.append(_mail("m-2"))),
    ("doubled", lambda told: told.journal[NAME].update({(ISSUED, f"{NUMBER}/1"): 2})),
    ("wrong", lambda told: told.answered[NAME].append("rejected")),
    ("wrong", lambda told: told.guarantees.update({NAME: [_row("in_transit")]})),
    ("wrong", lambda told: told.requests.append(_request(f"{NUMBER}/1", "e"))),
    ("wrong", lambda told: told.parked.append(("issuer.x", "unreadable", "", ""))),
    ("issued_at_mismatches", lambda told: told.arrivals.update({f"{NUMBER}/1": "2026-01-20T09:30:01.201+09:00"})),
    ("issued_at_mismatches", _told_another_time),
    ("order_violations", lambda told: told.requests.insert(0, _request(f"{NUMBER}/2"))),
    ("lost", lambda told: told.journal[NAME].pop((ACCEPTED, NAME))),
    ("lost", lambda told: told.journal[NAME].pop((ISSUED, f"{NUMBER}/1"))),
    ("lost", lambda told: setattr(told, "given_up", 1)),
    ("wrong", lambda told: told.guarantees[NAME].append(_row() | {"kind": "contract_performance"})),
    ("wrong", lambda told: told.mails.__setitem__(0, replace(_mail(), to="somebody@else.example"))),
    ("wrong", lambda told: told.keys_open.update({NUMBER: False})),
    ("leaked", lambda told: told.leaks.append(f"the key of {NUMBER} stands in the log issuer.log")),
    ("left_behind", lambda told: told.left_behind.append("issuer: 1 row in the outbox")),
    ("left_behind", lambda told: told.left_behind.append("ops.journal: 3 messages wait")),
]


@pytest.mark.parametrize(("name", "spoil"), BREACHES)
def test_every_broken_promise_is_found(name: str, spoil: Callable[[Traces], object]) -> None:
    told = deepcopy(_kept())
    spoil(told)

    assert name in _of(told).faulty


def test_a_paper_line_wants_one_order_and_neither_platform_nor_mail() -> None:
    told = _kept()
    told.guarantees[NAME] = [_row("paper_ordered", None)]
    told.arrivals.clear()
    told.mails.clear()

    assert "lost" in _of(told, _sent("paper")).faulty
    told.orders = [{"order": {"guarantee_number": NUMBER}}]
    assert _of(told, _sent("paper")).clean
    told.orders *= 2
    assert "doubled" in _of(told, _sent("paper")).faulty


def test_a_refused_line_is_accounted_for() -> None:
    told = _kept()
    told.guarantees[NAME] = [_row("refused_by_platform", None)]
    told.arrivals.clear()
    told.mails.clear()

    assert _of(told, _sent("electronic", "refuse")).clean
    assert "lost" in _of(told).faulty


def test_a_declined_line_is_accounted_for() -> None:
    told = _kept()
    told.guarantees[NAME] = [_row("declined", None)]
    told.arrivals.clear()
    told.mails.clear()
    sent = _sent()
    declined = replace(sent, application={**sent.application, "application_id": f"A-1{DECLINED}"})
    told.answers[declined.name], told.answered[declined.name] = told.answers.pop(NAME), told.answered.pop(NAME)
    told.guarantees[declined.name] = told.guarantees.pop(NAME)
    told.journal[declined.name] = {(ACCEPTED, declined.name): 1}

    assert _of(told, declined).clean
    told.guarantees[declined.name] = [_row("awaiting_conclusion", None)]
    assert "lost" in _of(told, declined).faulty
    told.guarantees[declined.name] = [_row("declined", None)]
    told.arrivals[f"{NUMBER}/1"] = ARRIVED
    assert "wrong" in _of(told, declined).faulty


def test_a_rejected_application_is_answered_and_makes_nothing() -> None:
    told, rejected = Traces(), replace(_sent(), valid=False)
    told.answers[NAME] = [_answer("a-1", REJECTED, {})]
    told.answered[NAME] = ["rejected"]

    assert _of(told, rejected).clean
    told.answers[NAME] = []
    told.answers[f"{PORTAL}/A-2"] = [_answer("b", REJECTED, {})]
    assert "lost" in _of(told, rejected).faulty
    told.answers[NAME] = [_answer("a-1", REJECTED, {})]
    told.guarantees[NAME] = [_row()]
    assert "wrong" in _of(told, rejected).faulty
    told.answered[NAME] = ["accepted"]
    assert "wrong" in _of(told, rejected).faulty


def test_another_content_under_an_accepted_id_is_answered() -> None:
    told, sent = _kept(), replace(_sent(), conflicts=1)

    assert "lost" in _of(told, sent).faulty
    told.answered[NAME].append("conflicted")
    assert _of(told, sent).clean


def test_a_line_that_needs_a_person_is_held_and_not_forgotten() -> None:
    told = _kept()
    told.guarantees[NAME] = [_row("in_transit", None)]
    told.mails.clear()

    assert "lost" in _of(told, _sent("electronic", "arrived-past")).faulty
    told.held = {f"{NUMBER}/1": "arrived_at lies too far back"}
    assert _of(told, _sent("electronic", "arrived-past")).clean


def test_a_repeated_mail_is_pardoned_only_when_something_opened_a_window_in_between() -> None:
    told = _kept()
    later = NOW + timedelta(seconds=5)
    told.mails.append(_mail(at=later))
    killed = Incident("kill", "notifier", NOW + timedelta(seconds=1))
    elsewhere = Incident("kill", "issuer", NOW + timedelta(seconds=1))
    too_late = Incident("kill", "notifier", later + timedelta(seconds=1))

    assert len(_of(told, None, 0, killed).doubled_mails_in_the_known_windows) == 1
    assert _of(told, None, 0, killed).clean
    assert "doubled" in _of(told, None, 0, elsewhere, too_late).faulty


def test_every_poisonous_message_must_lie_on_the_desk() -> None:
    told = _kept()

    assert "lost" in _of(told, None, 1).faulty
    told.parked = [("issuer.x", "unreadable", "", "")]
    assert _of(told, None, 1).clean
