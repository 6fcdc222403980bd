"""Run both sinks in one process: `python -m bench.sinks <HTTP port> <SMTP port>`."""

import asyncio
import sys

import uvloop

from bench.sinks.http import Platform
from bench.sinks.smtp import MailServer
from bench.sinks.taken import Taken
from deploy.local.ports import LOOPBACK


async def _serve(http_port: int, smtp_port: int) -> None:
    loop, taken = asyncio.get_running_loop(), Taken()
    await loop.create_server(lambda: Platform(taken), LOOPBACK, http_port)
    await loop.create_server(lambda: MailServer(taken), LOOPBACK, smtp_port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
