"""What a delivery at a door holds, and how its answer is named."""

import json
from typing import Any

import pytest

from services.intake.handlers.sent import Sent, read_delivery
from shared.envelope import Fact, encode
from shared.subscription import Delivery
from tests.unit.intake.samples import EXAMPLE, body_of

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _delivery(body: bytes, **more: Any) -> Delivery:
    given: dict[str, Any] = {
        "incarnation": None,
        "tag": 1,
        "routing_key": "application.submitted.portal-a",
        "message_id": "m-1",
        "content_type": "application/json",
        "headers": {},
        "redelivered": False,
        "user_id": "portal-a",
    }
    return Delivery(body=body, **{**given, **more})


def test_a_delivery_is_one_message_of_the_queues_portal() -> None:
    (sent,) = read_delivery("portal-a", _delivery(b"x", headers={"traceparent": TRACE}))

    assert sent == Sent("portal-a", "application.submitted", b"x", "m-1", TRACE)
    assert not sent.is_change


def test_the_routing_key_tells_a_change() -> None:
    (sent,) = read_delivery("portal-a", _delivery(b"x", routing_key="change.requested.portal-a"))

    assert sent.is_change


@pytest.mark.parametrize("trace", [None, 5, "", "00-\u0000", TRACE + "\n", TRACE.upper()])
def test_a_trace_that_is_none_is_not_carried_on(trace: object) -> None:
    (sent,) = read_delivery("portal-a", _delivery(b"x", headers={"traceparent": trace}))

    assert sent.traceparent is None


@pytest.mark.parametrize(("given", "kept"), [(None, None), ("", None), ("\u0000", None), ("a\u0000b\n", "ab")])
def test_of_a_message_id_only_what_can_be_shown_is_kept(given: str | None, kept: str | None) -> None:
    (sent,) = read_delivery("portal-a", _delivery(b"x", message_id=given))

    assert sent.message_id == kept


@pytest.mark.parametrize("message_id", ["m-1", "portal-a/m-1", None])
def test_a_replay_of_the_desk_is_the_parked_message_again(message_id: str | None) -> None:
    first = Sent("portal-a", "change.requested", body_of(EXAMPLE), message_id, TRACE)
    body = encode(first.as_fact("2026-01-15T00:30:00+00:00"))
    (sent,) = read_delivery("portal-a", _delivery(body, user_id="ops", headers={"replay": 2}, routing_key=""))

    assert (sent.id, sent.message_id, sent.traceparent, sent.replay) == (first.id, message_id, TRACE, 2)
    assert (sent.type, sent.is_change) == ("change.requested", True)
    assert json.loads(sent.body) == EXAMPLE


@pytest.mark.parametrize(("user", "headers"), [("portal-a", {"replay": 1}), ("ops", {}), (None, {"replay": 1})])
def test_nobody_else_can_replay(user: str | None, headers: dict[str, Any]) -> None:
    (sent,) = read_delivery("portal-a", _delivery(b"[]", user_id=user, headers=headers))

    assert (sent.body, sent.replay) == (b"[]", 0)


def test_a_resend_has_the_same_identity_and_a_mend_another() -> None:
    first, resent = Sent("p", "t", b"x", "m"), Sent("p", "t", b"x", "m", TRACE)
    others = [
        Sent("p", "t", b"y", "m"),
        Sent("p", "t", b"x", "n"),
        Sent("q", "t", b"x", "m"),
        Sent("p", "u", b"x", "m"),
    ]

    assert first.id == resent.id
    assert first.id not in {other.id for other in others}


def test_an_answer_without_a_name_has_a_subject_all_the_same() -> None:
    sent = Sent("portal-a", "t", b"x")

    assert sent.subject("A-1") == "portal-a/A-1"
    assert sent.subject(None) == f"portal-a/{sent.id}"
    assert isinstance(sent.as_fact(""), Fact)


def test_an_answer_is_found_by_its_name_else_by_the_message_id_of_what_was_sent() -> None:
    sent = Sent("portal-a", "t", b"x", "m-1/2")

    assert sent.correlation("A-1") == "portal-a/A-1"
    assert sent.correlation(None) == "portal-a/m-1/2"
    assert Sent("portal-a", "t", b"x").correlation(None) == f"portal-a/{Sent('portal-a', 't', b'x').id}"
