"""What a portal writes into a text field is refused by a code of the catalogue, or arrives intact and does nothing."""

from tests.e2e.conftest import System
from tests.fuzz import journey
from tests.fuzz.tally import Tally


async def test_each_text_is_judged_in_each_field(tally: Tally, system: System) -> None:
    surface = tally.surface("texts judged")

    async with system.portal() as portal:
        await journey.judged(portal, tally, surface)

    assert not surface.findings
    assert {"200", "422 control_character", "422 too_long"} <= set(surface.outcomes)


async def test_what_is_taken_arrives_intact_and_does_nothing(tally: Tally, system: System) -> None:
    surface = tally.surface("texts on the whole way")

    async with system.portal() as portal:
        await journey.travelled(system, portal, tally, surface)
    for line in journey.forged_log_lines(system):
        surface.unknown(line)

    assert not surface.findings
    assert surface.outcomes["intact and inert to paper, mail and page"] > (1 if tally.is_brief else 10)
