"""The platform bridge as the program it is."""

from shared.work import unit_of_work
from tests.conftest import Servers
from tests.service.living import living
from tests.service.notifier.program import started
from tests.service.platform_bridge.bridging import AUTH_KEY, TOKEN, created, new_number
from tests.unit.simulators.running import Running


async def test_the_program_starts_posts_and_stops_without_telling_the_key(emptied: Servers, platform: Running) -> None:
    environment = {
        "SEALING_KEYS": emptied.sealing_keys,
        "PLATFORM_URL": f"http://127.0.0.1:{platform.facts['http_port']}",
        "PLATFORM_TOKEN": TOKEN,
    }
    number = new_number()
    async with living(emptied, "issuer") as issuer, started(emptied, "platform_bridge", environment) as program:
        async with unit_of_work(issuer.desk()) as work:
            work.announce(
                created(emptied, number), subject=f"{number}/1", occurrence="1", correlation=f"portal-a/A-{number}"
            )
        called = await program.logged("errand.called")

    assert (called["key"], called["outcome"]) == (f"{number}/1", "settled")
    assert program.code == 0
    assert AUTH_KEY not in str(program.lines)
