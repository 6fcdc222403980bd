"""A service as the program it is: started from its environment, its log read, ended by SIGTERM."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Servers

ROOT = Path(__file__).parents[3]
STEP_S_MAX = 30.0


@dataclass
class Program:
    """A started service; `code` is how it ended."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    async def logged(self, event: str) -> dict[str, Any]:
        """The next log line of this event."""
        assert self.process.stdout is not None
        async with asyncio.timeout(STEP_S_MAX):
            async for line in self.process.stdout:
                self.lines.append(json.loads(line))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(f"the program ended without {event}: {self.lines[-3:]}")


@asynccontextmanager
async def started(stack: Servers, service: str, environment: Mapping[str, str]) -> AsyncIterator[Program]:
    """The service, consuming, until the block ends."""
    given = {
        "DATABASE_URL": stack.database_url(service),
        "BROKER_URL": stack.broker_url(service),
        "HTTP_PORT": "0",
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{service}",
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | {f"{service.upper()}_{name}": value for name, value in given.items()},
        stdout=asyncio.subprocess.PIPE,
    )
    program = Program(process)
    try:
        await program.logged("service.started")
        yield program
        process.send_signal(signal.SIGTERM)
        await program.logged("service.stopped")
        async with asyncio.timeout(STEP_S_MAX):
            program.code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
