"""Bombs cost their sender more than us, and what follows them goes its way as if they had not been."""

from simulators.portal.client import ISSUED
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.fuzz import bombs
from tests.fuzz.tally import Tally


async def test_every_bomb_over_http_is_refused_by_name(tally: Tally, system: System) -> None:
    surface = tally.surface("bombs over HTTP")

    await bombs.over_http(system, tally, surface)

    assert not surface.findings
    assert surface.inputs > 20


async def test_every_bomb_over_amqp_is_answered_and_the_next_application_goes_its_way(
    tally: Tally, system: System
) -> None:
    surface = tally.surface("bombs over AMQP")

    async with system.portal() as portal:
        await bombs.over_amqp(portal, surface)
        await portal.apply(example(PORTAL, f"AFTER-BOMBS-{tally.seed}"))
        await portal.answers.wait_for(f"AFTER-BOMBS-{tally.seed}", ISSUED)

    assert not surface.findings
    assert surface.inputs > 50
