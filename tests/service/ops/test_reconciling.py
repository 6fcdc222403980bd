"""The ledger finds what is missing, doubled or late, and names it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.ops.domain.ledger import Verdict
from services.ops.edge.doors import DoorAway, Doors
from services.ops.edge.queues import Queues
from services.ops.handlers import reconciling
from services.ops.handlers.measuring import set_gauges
from services.ops.handlers.reconciling import Reconciler, report
from services.ops.handlers.watching import Watch
from services.ops.web.status import ledger_told
from shared import clock, metrics, topology
from shared.envelope import JSON_CONTENT_TYPE, fact_id
from shared.frames import Outgoing
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import GuaranteeIssued, GuaranteeStatusChanged
from shared.messages.notifier import MailSent
from tests.eventually import eventually
from tests.service.ops.conftest import Desk

LINES = "advance_payment:electronic,contract_performance:paper"
WORDS = {"contractor": "○○建設", "project": "三島駅前 舗装工事", "obligee": "三島市長", "lines": LINES}


class Told(Doors):
    """Doors that say what a test puts behind them."""

    def __init__(self, counts: dict[str, dict[str, int]], lines: dict[str, list[dict[str, str]]]) -> None:
        super().__init__(dict.fromkeys(counts, "http://127.0.0.1:9"), "")
        self.counts, self.lines = counts, lines

    async def look(self, service: str, path: str, *, params: Any = None, body: Any = None) -> Any:
        if service not in self.counts:
            raise DoorAway("not there")
        if path == "/ledger":
            return {"counts": self.counts[service], "outbox_rows": 0}
        return {"lines": self.lines.get(service, []), "next_after": None}


def _fact(
    kind: str, subject: str, correlation: str, search: Mapping[str, str], occurrence: str = "1"
) -> dict[str, Any]:
    return {
        "id": str(fact_id(kind, subject, occurrence)),
        "type": kind,
        "subject": subject,
        "correlation": correlation,
        "time": "2026-04-01T01:00:00+00:00",
        "digest": "00",
        "search": search,
    }


def _accepted(number: int) -> dict[str, Any]:
    return _fact(ApplicationAccepted.TYPE, f"portal-a/A-{number}", f"portal-a/A-{number}", WORDS)


def _moved(number: int, kind: str, guarantee: str, status: str) -> dict[str, Any]:
    words = {"kind": kind, "status": status}
    return _fact(GuaranteeStatusChanged.TYPE, guarantee, f"portal-a/A-{number}", words, status)


async def _journalled(desk: Desk, *facts: dict[str, Any]) -> None:
    before = (await desk.get("/v1/journal/head"))["entries"]
    body = json.dumps({"service": "issuer", "facts": facts}).encode()
    key = topology.journal_key("ops")
    await desk.ops.publisher.publish(Outgoing(topology.EVENTS, key, clock.new_uuid().hex, body, JSON_CONTENT_TYPE))
    await desk.journalled(before + len(facts))


async def _alarms(desk: Desk) -> dict[str, list[str]]:
    raised = (await desk.get("/v1/alarms"))["alarms"]
    return {f"{one['kind']} {one['key']}": one["ids"] for one in raised if one["cleared_at"] is None}


async def test_every_line_stands_in_one_column_whatever_order_its_facts_come_in(desk: Desk) -> None:
    await _journalled(desk, _moved(1, "advance_payment", "00000-000001", "active"), _accepted(2))
    await _journalled(desk, _accepted(1), _moved(1, "contract_performance", "00000-000002", "paper_ordered"))
    told = Told({"intake": {"accepted": 2}, "issuer": {"issued": 1, "paper_ordered": 1, "waiting": 2}}, {})
    found = await report(desk.ops.service, told)

    assert (found.applications, found.requested) == (2, 4)
    assert {column: lines for column, lines in found.columns.items() if lines} == {
        "issued": 1, "paper_ordered": 1, "waiting": 2,
    }  # fmt: skip
    assert not found.differences


async def test_a_lasting_gap_is_an_alarm_with_its_ids_and_a_passing_one_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _journalled(desk, _accepted(1))
    lines = [{"correlation": f"portal-a/A-{number}", "kind": "", "state": "accepted"} for number in (1, 2)]
    told = Told({"intake": {"accepted": 2}, "issuer": {"waiting": 2}}, {"intake": lines})
    reconciler = Reconciler(desk.ops.service, told)
    await reconciler.look()
    at_first = await _alarms(desk)
    monkeypatch.setattr(reconciling, "DIFFERENCE_S_MAX", 0.0)
    await reconciler.look()
    lasting = await _alarms(desk)
    await _journalled(desk, _accepted(2))
    await reconciler.look()

    assert not [key for key in at_first if key.startswith("gap")]
    assert lasting["gap intake"] == ["portal-a/A-2"]
    assert not [key for key in await _alarms(desk) if key.startswith("gap")]


async def test_a_service_that_knows_less_than_the_journal_is_a_gap_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _journalled(desk, _accepted(1))
    monkeypatch.setattr(reconciling, "DIFFERENCE_S_MAX", 0.0)
    await Reconciler(desk.ops.service, Told({"intake": {"accepted": 0}, "issuer": {}}, {})).look()

    assert "gap intake: accepted" in await _alarms(desk)


async def test_who_cannot_be_asked_raises_no_gap(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await _journalled(desk, _accepted(1))
    monkeypatch.setattr(reconciling, "DIFFERENCE_S_MAX", 0.0)
    reconciler = Reconciler(desk.ops.service, Told({"issuer": {"issued": 5}}, {}))
    found = await reconciler.look()

    assert found.unasked == ["intake"]
    assert reconciler.unknown is None, "a difference is known whoever else is silent"
    assert not [key for key in await _alarms(desk) if key.startswith("gap")]


async def test_a_ledger_is_unknown_and_not_even_while_somebody_could_not_be_asked(desk: Desk) -> None:
    await _journalled(desk, _accepted(1))
    all_asked = Told({"intake": {"accepted": 1}, "issuer": {"waiting": 2}}, {})
    reconciler = Reconciler(desk.ops.service, all_asked)
    even = await reconciler.look()
    reconciler.doors = Told({"intake": {"accepted": 1}}, {})
    unknown = await reconciler.look()
    since = reconciler.unknown
    told = ledger_told(unknown)
    await reconciler.look()
    later = reconciler.unknown
    reconciler.doors = all_asked
    await reconciler.look()

    assert (even.verdict, unknown.verdict) == (Verdict.EVEN, Verdict.UNKNOWN)
    assert (told["verdict"], told["balanced"], told["unasked"]) == ("unknown", None, ["issuer"])
    assert since is not None
    assert (since.services, later) == (["issuer"], since)
    assert reconciler.unknown is None
    assert ledger_told(even)["balanced"] is True


async def test_the_metrics_say_unknown_until_somebody_has_looked_and_while_nobody_answers(desk: Desk) -> None:
    told = Told({"intake": {"accepted": 0}, "issuer": {}}, {})
    reconciler, watch = Reconciler(desk.ops.service, told), Watch(desk.ops.service, told, Queues("amqp://x"), ())
    said = []
    for counts in (None, told.counts, {}):
        if counts is not None:
            told.counts = counts
            await reconciler.look()
        await set_gauges(desk.ops.service, watch, reconciler)
        said.append([one for one in Verdict if metrics.LEDGER_VERDICT.labels(one)._value.get() == 1])

    assert said == [[Verdict.UNKNOWN], [Verdict.EVEN], [Verdict.UNKNOWN]]


async def test_a_line_that_does_not_move_and_a_mail_that_is_not_sent_are_overdue(desk: Desk) -> None:
    issued = _fact(
        GuaranteeIssued.TYPE,
        "00000-000007/1",
        "portal-a/A-7",
        {"kind": "advance_payment", "mail": "wanted", "ordinal": "1"},
    )
    await _journalled(desk, _accepted(1), _moved(1, "advance_payment", "00000-000001", "in_transit"), issued)
    await Reconciler(desk.ops.service, Told({}, {})).look()
    found = await _alarms(desk)

    assert found["overdue taking_in"] == ["portal-a/A-1 contract_performance"]
    assert found["overdue posting"] == ["00000-000001"]
    assert found["overdue mailing"] == ["00000-000007/1"]


async def test_what_is_told_twice_of_one_thing_is_an_alarm_until_somebody_has_looked(desk: Desk) -> None:
    first = _accepted(1)
    await _journalled(desk, first)
    await _journalled(desk, {**first, "id": str(fact_id(ApplicationAccepted.TYPE, "portal-a/A-1", "2"))})
    key = f"{ApplicationAccepted.TYPE} portal-a/A-1"
    raised = await _alarms(desk)
    await desk.post("/v1/alarms/acknowledge", {"key": key, "reason": "a test of ours"})
    status, _ = await desk.ask("POST", "/v1/alarms/acknowledge", who="operator", body={"key": key, "reason": "again"})

    assert raised == {f"double {key}": ["portal-a/A-1"]}
    assert await _alarms(desk) == {}
    assert status == 404


async def test_one_line_with_two_guarantee_numbers_is_a_double(desk: Desk) -> None:
    await _journalled(desk, _accepted(1), _moved(1, "advance_payment", "00000-000001", "in_transit"))
    await _journalled(desk, _moved(1, "advance_payment", "00000-000009", "active"))

    assert (await _alarms(desk))["double portal-a/A-1 advance_payment"] == ["00000-000009"]


async def test_an_application_is_found_by_whatever_people_know_of_it(desk: Desk) -> None:
    await _journalled(desk, _accepted(1), _moved(1, "advance_payment", "00000-000001", "in_transit"))
    asked = [
        {"application_id": "A-1"},
        {"number": "00000-000001"},
        {"contractor": "○○ 建設"},
        {"project": "駅前舗装"},
        {"q": "三島市長"},
        {"q": "00000-000001"},
        {"q": "portal-a/A-1"},
    ]
    for params in asked:
        found = (await desk.get("/v1/journeys", **params))["found"]

        assert [one["application_id"] for one in found] == ["A-1"], params
    assert (await desk.get("/v1/journeys", q="無い工事"))["found"] == []
    assert (await desk.ask("GET", "/v1/journeys?q=%00", who="viewer"))[0] == 422


async def test_a_journey_tells_each_step_with_its_time_and_where_its_lines_stand(desk: Desk) -> None:
    await _journalled(desk, _accepted(1), _moved(1, "advance_payment", "00000-000001", "in_transit"))
    journey = await desk.get("/v1/journeys/portal-a/A-1")

    assert [step["type"] for step in journey["steps"]] == [ApplicationAccepted.TYPE, GuaranteeStatusChanged.TYPE]
    assert journey["steps"][1]["after_s"] == 0
    assert [(line["kind"], line["column"], line["next"]["step"]) for line in journey["lines"]] == [
        ("advance_payment", "waiting", "posting"),
        ("contract_performance", "waiting", "taking_in"),
    ]
    assert (await desk.ask("GET", "/v1/journeys/portal-a/A-2", who="viewer"))[0] == 404


async def test_an_issued_line_waits_for_its_mail_until_that_is_sent(desk: Desk) -> None:
    async def coming() -> Any:
        return (await desk.get("/v1/journeys/portal-a/A-1"))["lines"][0]["next"]

    wish = {"kind": "advance_payment", "mail": "wanted", "ordinal": "1"}
    await _journalled(
        desk,
        _accepted(1),
        _moved(1, "advance_payment", "00000-000001", "active"),
        _fact(GuaranteeIssued.TYPE, "00000-000001/1", "portal-a/A-1", wish),
    )
    waiting = await coming()
    await _journalled(desk, _fact(MailSent.TYPE, "00000-000001/1", "portal-a/A-1", {"ordinal": "1"}))

    assert waiting["step"] == "mailing"
    assert await coming() is None


async def test_the_flow_shows_the_service_beside_it_and_the_depth_of_its_queues(desk: Desk) -> None:
    async def is_so() -> bool:
        flow = await desk.get("/v1/flow")
        assert flow["services"]["issuer"]["ready"] is True
        queues = {one["queue"]: one for one in flow["queues"]}
        assert queues[topology.JOURNAL_QUEUE]["consumers"] == 1
        return True

    await eventually(is_so)
