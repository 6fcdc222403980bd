"""Keeps units running: starts them again when they end by themselves, and ends them in order."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local import leftovers
from deploy.local.children import Child, ChildFailed
from deploy.local.servers import Server

Say = Callable[[str], None]

RESTART_S_MIN: Final = 0.5
RESTART_S_MAX: Final = 10.0
"""The pause before a unit that ended by itself is started again doubles from the one to the other."""

STEADY_S: Final = 30.0
"""A unit that ran this long starts its next pause at the shortest again."""


class Supervisor:
    """The units of one stack, by name, in the order in which they were started."""

    def __init__(self, say: Say, record: Path) -> None:
        self._say = say
        self._record = record
        self._units: dict[str, Server] = {}
        self._children: dict[str, list[Child]] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}

    async def start(self, units: Mapping[str, Server], *, heal: bool) -> None:
        """Start units at the same time and wait until all serve; with `heal`, keep them running from then on.

        Raises:
            ExceptionGroup: of the failures; the units that did start are still to be ended by `stop`.
        """
        self._units |= units
        async with asyncio.TaskGroup() as group:
            for name in units:
                group.create_task(self._start(name))
        if heal:
            for name in units:
                self._keepers[name] = asyncio.create_task(self._keep(name))

    def replace(self, name: str, unit: Server) -> None:
        """Let the next start of a unit be another one's: the same program with other settings."""
        self._units[name] = unit

    def child(self, name: str) -> Child:
        """The main process of a unit."""
        return self._children[name][0]

    async def stop(self, *, at_once: bool = False) -> None:
        """End all units, the programs before the servers; `at_once` for data nobody wants any more."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        self._keepers.clear()
        programs = [name for name in self._children if name not in ("postgres", "rabbitmq")]
        servers = [name for name in self._children if name in ("postgres", "rabbitmq")]
        for names in (programs, servers):
            if at_once:
                self.kill(*names)
            await asyncio.gather(*(self._stop(name) for name in names))
        self._children.clear()
        self._units.clear()

    def kill(self, *names: str) -> None:
        """End units as a crash would."""
        for name in names:
            for child in self._children[name]:
                child.kill()

    async def end(self, name: str) -> None:
        """Ask a unit to end and wait for it; one that is kept running comes back."""
        await self._stop(name)

    async def restart(self, name: str) -> None:
        """Start a unit again, ending it first if it still runs; for units that are not kept running."""
        await self._stop(name)
        await self._start(name)

    async def _start(self, name: str) -> None:
        self._children[name] = await self._units[name].start()
        running = [child for children in self._children.values() for child in children if child.running]
        leftovers.record(self._record, [child.pid for child in running])

    async def _stop(self, name: str) -> None:
        for child in self._children[name]:
            await child.stop()

    async def _keep(self, name: str) -> None:
        loop, pause_s = asyncio.get_running_loop(), RESTART_S_MIN
        while True:
            started_s = loop.time()
            code = await self.child(name).ended()
            if loop.time() - started_s > STEADY_S:
                pause_s = RESTART_S_MIN
            self._say(f"{name} ended by itself ({code}); it is started again in {pause_s:g} s")
            await self._stop(name)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RESTART_S_MAX)
            await self._start_again(name)

    async def _start_again(self, name: str) -> None:
        try:
            await self._start(name)
        except ChildFailed as failure:
            self._say(f"{name}: {failure}")
        else:
            self._say(f"{name} is back")
