"""Every HTTP door answers whatever it is sent as its description says, and never with an error of ours."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from deploy.contracts.openapi import openapi_documents
from services.intake.domain.catalogue import CATALOGUE as INTAKE_CODES
from services.issuer.domain.catalogue import CATALOGUE as ISSUER_CODES
from shared.inputs import InputCode
from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.fuzz.doors import Door, Knocking, strict
from tests.fuzz.tally import Tally

SHARE = 0.45
"""Of the whole run's time, for all doors together."""

ROUND_EXAMPLES = 4
DOORS = {
    "intake": "intake",
    "issuer": "issuer",
    "ops": "ops",
    "operator_door of intake": "intake",
    "operator_door of issuer": "issuer",
    "operator_door of platform_bridge": "platform_bridge",
    "operator_door of notifier": "notifier",
    "platform": "platform-simulator",
}
"""Every surface by the name of its description, and the program that serves it."""


@pytest.fixture(scope="module")
async def number(system: System) -> str:
    """The number of a guarantee that exists."""
    async with system.portal() as portal:
        return await _issued(portal)


async def _issued(portal: Portal) -> str:
    await portal.apply(example(PORTAL, "FUZZ-KNOWN"))
    answer = await portal.answers.wait_for("FUZZ-KNOWN", ISSUED)
    assert isinstance(answer.data, dict)
    return str(answer.data["guarantee_number"])


def _door(name: str, system: System, number: str) -> Door:
    described, secrets = name.partition(" ")[0], system.place.stack.secrets
    tokens = {
        **dict.fromkeys(("ops", "operator_door"), secrets.operator_tokens["operator"]),
        **dict.fromkeys(("intake", "issuer"), secrets.portal_tokens[PORTAL]),
        "platform": secrets.platform_token,
    }
    return Door(
        name=name,
        document=strict(openapi_documents()[described]),
        url=system.place.url(DOORS[name]),
        token=tokens[described],
        codes={*map(str, INTAKE_CODES), *map(str, ISSUER_CODES), *map(str, InputCode)},
        known={
            "number": [number],
            "guarantee_number": [number],
            "application_id": ["FUZZ-KNOWN"],
            "version": ["1"],
            "service": ["intake", "platform_bridge"],
            "portal": [PORTAL],
            "errand": ["post_certificate"],
            "verb": ["now", "hold", "release", "resume", "probe"],
        },
    )


@pytest.mark.parametrize("name", DOORS)
async def test_a_door_answers_everything_as_it_is_described(
    name: str, tally: Tally, system: System, number: str
) -> None:
    surface = tally.surface(f"HTTP {name}")
    knocking = await asyncio.to_thread(Knocking, _door(name, system, number), surface)
    until_s, at = time.monotonic() + tally.seconds * SHARE / len(DOORS), 0
    every = 1 if tally.is_brief else len(knocking)
    while time.monotonic() < until_s or at < every:
        await asyncio.to_thread(knocking.knock, tally.seed + at, tally.seed + at, ROUND_EXAMPLES)
        at += 1
    knocking.close()

    assert not surface.findings
    assert surface.inputs >= every
    assert await system.is_up(DOORS[name]) or name == "platform"


def test_what_is_not_described_is_seen() -> None:
    """The doors of operators may gain members; this version has none that its description lacks."""
    document = openapi_documents()["operator_door"]
    row = {"correlation": "portal-c/1", "kind": "advance_payment", "state": "issued"}
    shapes = {name: {**one["components"]["schemas"]["LedgerLine"]} for name, one in _both(document).items()}
    found = {
        name: [not list(Draft202012Validator(shape).iter_errors(told)) for told in (row, {**row, "mine": 1}, {})]
        for name, shape in shapes.items()
    }

    assert found == {"published": [True, True, False], "strict": [True, False, False]}


def _both(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {"published": document, "strict": strict(document)}
