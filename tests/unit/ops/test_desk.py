"""What is shown of a parked fact hides keys and people, and what cannot be replayed says why."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic_core import to_json

from services.ops.domain import desk
from services.ops.domain.desk import OBSTACLES_EN, Obstacle, OnDesk, State
from shared import parking
from shared.envelope import Fact, Unreadable
from tests.service.shared.telling import certificate

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)
OPEN = OnDesk(
    id=UUID(int=1),
    fact_id=UUID(int=2),
    consumer="issuer.mail_sent",
    code="c",
    reason="r",
    type="t",
    subject="s",
    correlation="p/A",
    replay=0,
    replayable=True,
    state=State.OPEN,
    parked_at=AT,
)


@pytest.mark.parametrize(
    ("one", "obstacle"),
    [
        (OPEN, None),
        (replace(OPEN, consumer="intake.application_submitted.portal-a"), None),
        (replace(OPEN, state=State.REPLAYED), Obstacle.ALREADY_ACTED_ON),
        (replace(OPEN, replayable=False), Obstacle.BODY_NOT_KEPT),
        (replace(OPEN, replayable=False, type=""), Obstacle.NOT_READABLE),
        (replace(OPEN, fact_id=None), Obstacle.NOT_READABLE),
        (replace(OPEN, replayable=False, code="same_id_other_content"), Obstacle.OTHER_CONTENT_DONE),
        (replace(OPEN, consumer="ops.journal"), Obstacle.NO_SUCH_HEARER),
        (replace(OPEN, consumer="portal.portal-a"), Obstacle.NO_SUCH_HEARER),
        (replace(OPEN, consumer="issuer.mail_sent\n"), Obstacle.NO_SUCH_HEARER),
    ],
)
def test_what_cannot_be_replayed_says_why(one: OnDesk, obstacle: Obstacle | None) -> None:
    assert desk.obstacle_of(one) is obstacle


def test_every_obstacle_has_its_sentence() -> None:
    assert set(OBSTACLES_EN) == set(Obstacle)


def test_a_record_is_shown_without_keys_and_without_people() -> None:
    data = to_json(
        {**certificate().model_dump(mode="json"), "contact": {"name": "甲"}, "mail": [{"to": "a@b.example"}]}
    )
    fact = Fact(UUID(int=7), "issuer.certificate_created.v1", "/hosho/issuer", "s", AT.isoformat(), "c", None, data)
    told = desk.shown(parking.row("platform_bridge.certificate_created", fact, "code", "why", AT.isoformat()).body)

    assert told["fact"]["data"]["sealed_auth_key"] == desk.MASKED
    assert told["fact"]["data"]["contact"] == told["fact"]["data"]["mail"] == desk.MASKED
    assert told["fact"]["data"]["guarantee_number"] == "00000-000001"
    assert "sealed" not in str({name: value for name, value in told["fact"]["data"].items() if "sealed" not in name})


def test_of_what_could_not_be_read_nothing_is_shown() -> None:
    row = parking.row(
        "issuer.mail_sent", Unreadable.of(b'{"auth_key": "Z28Y', "not JSON"), "unreadable", "why", AT.isoformat()
    )

    assert desk.shown(row.body)["unreadable_base64"] == desk.MASKED
    assert desk.shown(b"\xff")["readable"] is False
    assert desk.shown(b"[1]")["readable"] is False


def test_a_replay_carries_the_fact_as_it_was_parked() -> None:
    fact = Fact(UUID(int=7), "t.a.v1", "/hosho/issuer", "s", AT.isoformat(), "c", None, b'{"a":1}')

    assert b'"data":{"a":1}' in desk.fact_in(parking.row("issuer.mail_sent", fact, "c", "r", AT.isoformat()).body)
    with pytest.raises(ValueError, match="does not hold"):
        desk.fact_in(b"{}")
