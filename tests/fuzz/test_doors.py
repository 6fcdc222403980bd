"""Every HTTP door answers whatever it is sent as its description says, and never with an error of ours."""

import asyncio
import time

import pytest

from deploy.contracts.openapi import openapi_documents
from services.intake.domain.catalogue import CATALOGUE as INTAKE_CODES
from services.issuer.domain.catalogue import CATALOGUE as ISSUER_CODES
from shared.inputs import InputCode
from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.fuzz.doors import Door, Knocking
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
        document=openapi_documents()[described],
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
