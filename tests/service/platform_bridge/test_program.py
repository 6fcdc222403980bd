"""The platform bridge as the program it is: started from its environment, ready, working, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.ports import chosen
from shared.delivery import Heard
from shared.messages.platform_bridge import CertificateArrived
from shared.service import Hears
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.platform_bridge.bridging import AUTH_KEY, TOKEN, created, new_number
from tests.unit.simulators.running import Running

ROOT = Path(__file__).parents[3]


async def _is_ready(url: str) -> Any:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectorError:
            return False


async def test_the_program_starts_becomes_ready_posts_and_stops(emptied: Servers, platform: Running) -> None:
    port = chosen(("bridge",), {}, "bridge-program")["bridge"]
    environment = {
        "PATH": os.environ["PATH"],
        "PLATFORM_BRIDGE_DATABASE_URL": emptied.database_url("platform_bridge"),
        "PLATFORM_BRIDGE_BROKER_URL": emptied.broker_url("platform_bridge"),
        "PLATFORM_BRIDGE_HTTP_PORT": str(port),
        "PLATFORM_BRIDGE_SEALING_KEYS": emptied.sealing_keys,
        "PLATFORM_BRIDGE_PLATFORM_URL": f"http://127.0.0.1:{platform.facts['http_port']}",
        "PLATFORM_BRIDGE_PLATFORM_TOKEN": TOKEN,
    }
    arrived: list[Any] = []

    async def listen(heard: Sequence[Heard[Any]], work: Work) -> None:
        arrived.extend(one.data for one in heard)

    command = (sys.executable, "-m", "services.platform_bridge")
    program = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        async with living(emptied, "issuer", hears=[Hears(CertificateArrived, listen)]) as issuer:
            await eventually(lambda: _is_ready(f"http://127.0.0.1:{port}"))
            number = new_number()
            async with unit_of_work(issuer.desk()) as work:
                work.announce(
                    created(emptied, number), subject=f"{number}/1", occurrence="1", correlation=f"portal-a/A-{number}"
                )
            await eventually(lambda: arrived)
    finally:
        program.send_signal(signal.SIGTERM)
        output, _ = await asyncio.to_thread(program.communicate, timeout=30)

    assert [word.guarantee_number for word in arrived] == [number]
    assert program.returncode == 0
    assert '"event":"service.stopped"' in output
    assert AUTH_KEY not in output
