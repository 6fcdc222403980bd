"""What crosses the border of the system has the published shapes: fields may be added, never lost or renamed."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from shared.messages import Message
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import (
    ApplicationAccepted,
    ApplicationConflicted,
    ApplicationRejected,
    ChangeAccepted,
    ChangeRejected,
)
from shared.messages.issuer import GuaranteeIssued, GuaranteeStatusChanged, PaperOrdered

EXAMPLES: Final = Path(__file__).parent / "examples"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT")

INSIDE: Final[dict[type[Message], dict[str, Any]]] = {
    ApplicationAccepted: {"application": {"contact": {"phone": "055-000-0000"}}},
    ChangeAccepted: {"change": {"completion_mail": {"wanted": True, "address": "keiri@kensetsu.example"}}},
    ChangeRejected: {"message_id": None},
    GuaranteeIssued: {
        "completion_mail": {"wanted": True, "address": "keiri@kensetsu.example"},
        "contractor_name": "○○建設 株式会社",
        "obligee_name": "三島市長",
        "project_name": "市道○○線道路改良工事",
        "product_name": "前払金保証",
    },
}
"""What a fact carries besides its published example."""

ADDED: Final[dict[type[Message], set[str]]] = {
    ChangeRejected: {"message_id"},
    GuaranteeIssued: {"change_id"},
    GuaranteeStatusChanged: {"remarks", "version", "change_id"},
}
"""What portals are shown besides the published example: contracts may gain optional fields."""

TO_PORTALS: Final = (
    *(ApplicationAccepted, ApplicationRejected, ApplicationConflicted, ChangeAccepted, ChangeRejected),
    *(GuaranteeIssued, GuaranteeStatusChanged),
)


def example_of(message: type[Message]) -> dict[str, Any]:
    """The published example of a message."""
    path = EXAMPLES / f"{message.TYPE.split('.')[1]}.json"
    example: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return example


def instants(value: object) -> object:
    """The same with every time as the instant it names, so that offsets and digits of seconds do not count."""
    if isinstance(value, dict):
        return {name: instants(inner) for name, inner in value.items()}
    if isinstance(value, str) and _MOMENT.match(value):
        return datetime.fromisoformat(value)
    return value


@pytest.mark.parametrize("message", TO_PORTALS)
def test_a_portal_sees_the_published_example_and_nothing_that_stays_inside(message: type[Message]) -> None:
    example = example_of(message)
    shown = message.model_validate(example | INSIDE.get(message, {})).for_portal()
    assert shown is not None
    added = set(shown) - set(example)

    assert instants({name: shown[name] for name in example}) == instants(example)
    assert added <= ADDED.get(message, set())
    assert "keiri@kensetsu.example" not in str(shown)


@pytest.mark.parametrize("message", [PaperOrdered, GuaranteeConcluded, GuaranteeDeclined])
def test_the_office_and_the_core_system_are_spoken_to_in_the_published_shapes(message: type[Message]) -> None:
    example = example_of(message)
    read = message.model_validate(example)

    assert set(json.loads(read.model_dump_json())) == set(example)
    assert message.model_validate(example | {"unknown_field": 1}) == read
    assert read.for_portal() is None
