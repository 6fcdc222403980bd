"""What is wrong is named, dated, counted and put in order."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ops.domain.troubles import Heap, Kind, Level, Raised, Refused, Seen, Trouble, troubles_of

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
EARLIER = AT - timedelta(minutes=7)


def stage(**changes: Any) -> dict[str, Any]:
    """An outside that is well."""
    rows = {"due": 0, "calling": 0, "waiting": 0, "held": 0, "settled": 9, "oldest_at": None}
    told = {"errand": "send_mail", "standing": "calling", "since": None, "reason": None, "paused": None}
    return {**told, **changes, "rows": {**rows, **changes.get("rows", {})}}


def state(**changes: Any) -> dict[str, Any]:
    """A service that is well."""
    outbox = {"rows": 0, "failing": 0, "oldest_at": None, "last_error": None}
    return {"ready": True, "reasons": {}, "outbox": outbox, "stages": [], **changes}


def seen(service: Mapping[str, Any] | None, **more: Any) -> Seen:
    """One service at this moment, and what else is given."""
    return Seen(AT, {"notifier": service}, **{"queues": {}, **more})


def only(found: list[Trouble]) -> Trouble:
    (one,) = found
    return one


def test_when_all_is_well_nothing_is_told() -> None:
    assert troubles_of(seen(state(stages=[stage()]), queues={"issuer.x": (0, 0), "issuer.y": (5, 1)}), {}) == []


def test_a_service_that_does_not_answer_is_told_since_it_was_first_seen_so() -> None:
    one = only(troubles_of(seen(None), {(Kind.SERVICE_DOWN, "notifier"): EARLIER}))

    assert (one.kind, one.about, one.since, one.level) == (Kind.SERVICE_DOWN, "notifier", EARLIER, Level.NOW)


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        ({"database": "x"}, Kind.DATABASE_AWAY),
        ({"broker": "x"}, Kind.BROKER_AWAY),
        ({"consumers": "x"}, Kind.CONSUMER_MISSING),
        ({"stop": "x"}, Kind.SERVICE_NOT_READY),
    ],
)
def test_a_service_that_cannot_work_is_told_by_its_reason(reasons: dict[str, str], kind: Kind) -> None:
    one = only(troubles_of(seen(state(ready=False, reasons=reasons)), {}))

    assert one.kind is kind
    assert one.why.endswith(": x")


@pytest.mark.parametrize(
    ("changes", "kind", "level", "count"),
    [
        ({"standing": "failing", "rows": {"due": 3, "waiting": 2}}, Kind.OUTSIDE_FAILING, Level.NOW, 5),
        ({"standing": "our_fault", "rows": {"due": 1}}, Kind.CREDENTIALS_REFUSED, Level.NOW, 1),
        ({"standing": "paused", "paused": {"by": "a", "reason": "b"}}, Kind.STAGE_PAUSED, Level.SOON, 0),
        ({"standing": "closed_hours", "rows": {"due": 4}}, Kind.OUTSIDE_FAILING, Level.NOTE, 4),
        ({"standing": "waiting", "rows": {"due": 4}}, Kind.OUTSIDE_FAILING, Level.NOTE, 4),
        ({"standing": "waiting", "since": EARLIER.isoformat()}, Kind.OUTSIDE_FAILING, Level.NOTE, 0),
        (
            {"standing": "waiting", "since": (AT - timedelta(minutes=11)).isoformat()},
            Kind.OUTSIDE_FAILING,
            Level.NOW,
            0,
        ),
        ({"rows": {"held": 2}}, Kind.ROWS_HELD, Level.SOON, 2),
        ({"rows": {"waiting": 2, "oldest_at": EARLIER.isoformat()}}, Kind.ERRANDS_OLD, Level.NOTE, 2),
        (
            {"rows": {"due": 2, "oldest_at": (AT - timedelta(hours=2)).isoformat()}},
            Kind.ERRANDS_OLD,
            Level.SOON,
            2,
        ),
    ],
)
def test_an_outside_is_told_by_how_it_stands(changes: dict[str, Any], kind: Kind, level: Level, count: int) -> None:
    one = only(troubles_of(seen(state(stages=[stage(**changes)])), {}))

    assert (one.kind, one.level, one.count, one.service) == (kind, level, count, "notifier")


def test_an_outbox_is_told_when_it_fails_or_grows_old_and_not_before() -> None:
    def outbox(**changes: Any) -> list[Kind]:
        told = {"rows": 4, "failing": 0, "oldest_at": EARLIER.isoformat(), "last_error": "x", **changes}
        return [one.kind for one in troubles_of(seen(state(outbox=told)), {})]

    assert outbox() == [Kind.OUTBOX_STUCK]
    assert outbox(failing=1) == [Kind.FACTS_NOT_TAKEN]
    assert outbox(oldest_at=(AT - timedelta(seconds=60)).isoformat()) == []


def test_queues_are_told_when_nobody_consumes_what_waits_or_the_broker_is_away() -> None:
    silent = only(troubles_of(seen(state(), queues={"issuer.x": (3, 0), "issuer.y": (0, 0)}), {}))
    away = only(troubles_of(seen(state(), queues=None), {}))

    assert (silent.kind, silent.about, silent.count) == (Kind.MESSAGES_WITHOUT_CONSUMER, "issuer.x", 3)
    assert away.kind is Kind.BROKER_AWAY


def test_the_desk_the_alarms_and_refused_certificates_are_told_with_ids() -> None:
    found = troubles_of(
        seen(
            state(),
            heaps=[Heap("issuer.x", "code", 3, EARLIER, "why"), Heap("issuer.y", "code", 51, EARLIER, "why")],
            alarms=[
                Raised("double", "k", "told twice", ["p/A"], EARLIER),
                Raised("overdue", "posting", "late", ["n-1"], EARLIER),
                Raised("doctor", "d", "d", [], EARLIER),
            ],
            refused=Refused(2, EARLIER, ["n-2"]),
        ),
        {},
    )

    assert {one.kind: (one.level, one.count, list(one.ids)) for one in found} == {
        Kind.BROKER_NOT_AS_PLANNED: (Level.NOW, None, []),
        Kind.LEDGER_BROKEN: (Level.NOW, 1, ["p/A"]),
        Kind.MANY_FACTS_PARKED: (Level.NOW, 51, []),
        Kind.CERTIFICATES_REFUSED: (Level.SOON, 2, ["n-2"]),
        Kind.FACTS_PARKED: (Level.SOON, 3, []),
        Kind.STEP_OVERDUE: (Level.SOON, 1, ["n-1"]),
    }


def test_the_most_pressing_comes_first_and_then_the_oldest() -> None:
    heaps = [Heap("issuer.young", "c", 1, AT, ""), Heap("issuer.old", "c", 1, EARLIER, "")]
    found = troubles_of(seen(None, heaps=heaps), {})

    assert [one.about for one in found] == ["notifier", "issuer.old c", "issuer.young c"]


def test_of_many_heaps_the_largest_are_told_and_the_others_together() -> None:
    heaps = [Heap(f"issuer.q{number}", "c", number, EARLIER, "") for number in range(1, 8)]
    found = {one.about: one.count for one in troubles_of(seen(state(), heaps=heaps), {})}

    assert found == {"issuer.q7 c": 7, "issuer.q6 c": 6, "issuer.q5 c": 5, "issuer.q4 c": 4, "+3": 6}
