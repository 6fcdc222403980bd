"""The two facts that the core system announces, one at a time (contracts, section 1)."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import aio_pika
from aio_pika.abc import DeliveryMode
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from simulators import clock, wire

CONCLUDED = "core.guarantee_concluded.v1"
DECLINED = "core.guarantee_declined.v1"
SOURCE = "core"

UNDERWRITING_DECLINED = {
    "code": "underwriting_declined",
    "pointer": "/guarantees/0",
    "message_ja": "お引受できません。営業部・支店へお問い合わせください。",
    "message_en": "The guarantor declined. Ask the office.",
}

Kind = Literal["advance_payment", "interim_advance_payment", "contract_performance"]


class Decision(BaseModel):
    """What both doors take. `event_id` given again sends the same fact again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    portal: Annotated[str, Field(min_length=1, max_length=32)]
    application_id: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Kind
    message_from_guarantor: str | None = None
    event_id: str | None = None


class Conclusion(Decision):
    """引受 approved and the premium settled; without a time it happened now."""

    concluded_at: AwareDatetime | None = None

    def fact(self) -> dict[str, Any]:
        """The body of `guarantee_concluded.json`."""
        return _who(self) | {
            "concluded_at": _time(self.concluded_at),
            "message_from_guarantor": self.message_from_guarantor,
        }


class Refusal(Decision):
    """The guarantor does not give this guarantee."""

    declined_at: AwareDatetime | None = None
    problems: list[dict[str, Any]] = [UNDERWRITING_DECLINED]

    def fact(self) -> dict[str, Any]:
        """The body of `guarantee_declined.json`."""
        return _who(self) | {
            "declined_at": _time(self.declined_at),
            "problems": self.problems,
            "message_from_guarantor": self.message_from_guarantor,
        }


def message_of(decision: Conclusion | Refusal) -> tuple[aio_pika.Message, str]:
    """The message and its routing key, a CloudEvent in binary mode."""
    fact_type = CONCLUDED if isinstance(decision, Conclusion) else DECLINED
    event = wire.Event(
        id=decision.event_id or clock.new_id(),
        type=fact_type,
        source=SOURCE,
        subject=f"{decision.portal}/{decision.application_id}",
        time=clock.now().isoformat(),
        data=decision.fact(),
    )
    message = aio_pika.Message(
        json.dumps(event.data, ensure_ascii=False).encode(),
        headers=dict(wire.binary_headers(event)),
        message_id=event.id,
        correlation_id=event.subject,
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        type=fact_type,
    )
    return message, fact_type


def _who(decision: Decision) -> dict[str, Any]:
    return {"application_id": decision.application_id, "portal": decision.portal, "kind": decision.kind}


def _time(moment: datetime | None) -> str:
    return (moment or clock.now()).astimezone(clock.TOKYO).isoformat(timespec="milliseconds")
