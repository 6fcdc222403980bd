"""A whole system whose services reach everything through wires, with the handles that break it and mend it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg

from deploy.local.children import ChildFailed
from deploy.local.programs import simulator
from deploy.local.runner import ProgramServer
from shared.topology import SERVICES
from tests.faults.proxy import Wire
from tests.system import System

PLATFORM: Final = simulator("platform")
MAILBOX: Final = simulator("mailbox")
OUTSIDE: Final = (PLATFORM, MAILBOX)
"""Programs of the outside that a fault may end."""

START_TRIES_MAX: Final = 6
ASK_S_MAX: Final = 30.0
DECIDED_AT: Final = "2026-01-21T10:00:00+09:00"
"""Always the same, so that a decision said again is the same fact to the last byte."""

Environments = Mapping[str, Mapping[str, str]]
"""By service, what is added to its environment, without the service's prefix: `{"issuer": {"CRASH_AT": "…"}}`."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that was done to the system, or that it did to itself."""

    kind: str
    target: str
    at: datetime


@dataclass(slots=True)
class Tally:
    """What was done so far; the ledger uses the times to tell which repeated mail nobody could have prevented."""

    incidents: list[Incident] = field(default_factory=list)
    kills: int = 0
    restarts: int = 0
    cuts: int = 0
    poison: int = 0
    fell: list[str] = field(default_factory=list)
    """Services that ended although nobody had ended them."""

    def note(self, kind: str, target: str) -> None:
        """Write one incident down, with the time of day."""
        self.incidents.append(Incident(kind, target, datetime.now(UTC)))


class World:
    """A system with wires, a tally, and the ways to break and mend it.

    Attributes:
        wires: by `<service>-<what it reaches>`, such as `issuer-postgres` or `notifier-smtp`.
        keys: the authentication keys the ledger was shown, by guarantee number.
        clocks: a folder with one file for each service, by which its clock is set wrong.
        owns_servers: whether PostgreSQL and RabbitMQ are this system's own and may be killed.
    """

    def __init__(
        self,
        system: System,
        led: Mapping[str, Wire],
        program_of: Callable[[str, Mapping[str, str]], ProgramServer],
        clocks: Path,
        *,
        owns_servers: bool,
    ) -> None:
        self.system, self.wires, self.owns_servers = system, led, owns_servers
        self.tally = Tally()
        self._program_of = program_of
        self._clocks = clocks
        self._locks = {name: asyncio.Lock() for name in (*SERVICES, *OUTSIDE, "postgres", "rabbitmq")}
        self._turns = {name: asyncio.Lock() for name in self._locks}
        self._given: dict[str, dict[str, str]] = {}
        self._down: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.keys: dict[str, str] = {}
        self._noted: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._http: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """A session for asking the simulators."""
        assert self._http is not None
        return self._http

    @asynccontextmanager
    async def living(self, given: Environments) -> AsyncIterator[None]:
        """The services, running and watched, for the length of a block."""
        self._given = {name: dict(more) for name, more in given.items()}
        for name in SERVICES:
            self.set_clock(name, 0.0)
        await self.system.supervisor.start({name: self._program(name) for name in SERVICES}, heal=False)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_S_MAX)) as self._http:
            for name in SERVICES:
                self._watch(name)
            try:
                yield
            finally:
                self._down.update(SERVICES)
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def turn(self, name: str) -> asyncio.Lock:
        """Held by a fault that ends a program and starts it again, so that no other does so meanwhile."""
        return self._turns[name]

    async def kill(self, name: str) -> None:
        """End a program as a power cut would."""
        async with self._locks[name]:
            if not self.system.supervisor.child(name).running:
                raise ProcessLookupError(f"{name} does not run")
            self._down.add(name)
            self.tally.note("kill", name)
            self.tally.kills += 1
            self.system.kill(name)
            await self.system.supervisor.child(name).ended()

    async def end(self, name: str) -> None:
        """Ask a program to end, and wait until it has."""
        async with self._locks[name]:
            self._down.add(name)
            self.tally.note("stop", name)
            await self.system.stop(name)

    async def start(self, name: str) -> None:
        """Start a program that was ended, as often as it takes; one that runs is left alone."""
        async with self._locks[name]:
            if name not in self._down:
                return
            for tries_left in reversed(range(START_TRIES_MAX)):
                try:
                    await self.system.restart(name)
                    break
                except ChildFailed:
                    if not tries_left:
                        raise
            self.tally.restarts += 1
            self._down.discard(name)
            if name in SERVICES:
                self._watch(name)

    async def restart_with(self, name: str, **more: str) -> None:
        """Start a service again with settings added to or put in place of what it had, prefix left out."""
        async with self.turn(name):
            self._given[name] = {**self._given.get(name, {}), **more}
            self.system.supervisor.replace(name, self._program(name))
            await self.end(name)
            await self.start(name)

    def _program(self, name: str) -> ProgramServer:
        return self._program_of(name, {"CLOCK_FILE": str(self._clocks / name), **self._given.get(name, {})})

    def expect_death(self, name: str) -> None:
        """Say beforehand that a program will kill itself, so that its end is no surprise."""
        self._down.add(name)

    def expect_life(self, name: str) -> None:
        """Take `expect_death` back."""
        self._down.discard(name)

    async def died(self, name: str, within_s: float) -> bool:
        """Wait for a program that kills itself; False if it still lives when the time is up."""
        try:
            async with asyncio.timeout(within_s):
                await self.system.supervisor.child(name).ended()
        except TimeoutError:
            return False
        self.tally.note("kill", name)
        self.tally.kills += 1
        return True

    def _watch(self, name: str) -> None:
        task = asyncio.create_task(self._raise_again(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _raise_again(self, name: str) -> None:
        """Start a service that fell by itself, and remember that it did."""
        code = await self.system.supervisor.child(name).ended()
        if name not in self._down:
            self.tally.fell.append(f"{name} ({code})")
            self.tally.note("fall", name)
            self._down.add(name)
            await self.start(name)

    def set_clock(self, name: str, wrong_by_s: float) -> None:
        """Let a service's clock be wrong by so many seconds from now on, also after a restart."""
        # In place and always as long, so that whoever reads meanwhile finds the old number or the new one.
        told = os.open(self._clocks / name, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(told, f"{wrong_by_s:+020.3f}\n".encode(), 0)
        os.close(told)

    async def as_owner(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Ask the system's database as the owner role."""
        return await _asked(self.system.owner_url(), statement, values)

    async def as_superuser(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Ask the database server as its superuser."""
        return await _asked(self.system.place.stack.addresses.superuser_url, statement, values)

    async def platform_mode(self, mode: str, **more: float) -> None:
        """Let the whole platform misbehave, or behave again with `normal`."""
        await self._tell("platform", "/admin/mode", {"mode": mode, **more})

    async def mail_mode(self, mode: str, **more: float) -> None:
        """Let the mail server misbehave towards everybody, or behave again with `normal`."""
        await self._tell("mailbox", "/mode", {"mode": mode, **more})

    async def platform_has_spoilt(self, mode: str) -> int:
        """How many requests the platform has answered in this mode since it started."""
        return int((await self._ask("platform", "/admin/mode"))["answered"].get(mode, 0))

    async def mailbox_has_spoilt(self, mode: str) -> int:
        """How many conversations the mail server has spoilt in this mode since it started."""
        return int((await self._ask("mailbox", "/mode"))["felt"].get(mode, 0))

    async def conclude(self, portal: str, application_id: str, kind: str, *, declined: bool = False) -> None:
        """Let the core system decide on one line, the same fact however often it is said."""
        event = f"{portal}/{application_id}/{kind}"
        at = {"declined_at" if declined else "concluded_at": DECIDED_AT}
        body = {"portal": portal, "application_id": application_id, "kind": kind, "event_id": event, **at}
        path = "/decline" if declined else "/conclude"
        async with self.http.post(self.system.url(simulator("core")) + path, json=body) as answer:
            assert answer.status == 202, await answer.text()

    async def _tell(self, name: str, path: str, body: Mapping[str, object]) -> None:
        url = self.system.url(simulator(name)) + path
        async with self.http.post(url, json=body, headers=self._token_for(name)) as answer:
            assert answer.status == 200, await answer.text()

    async def _ask(self, name: str, path: str, query: Mapping[str, str] | None = None) -> Any:
        url = self.system.url(simulator(name)) + path
        async with self.http.get(url, params=query, headers=self._token_for(name)) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def remembered(self, name: str, path: str, part: str) -> list[dict[str, Any]]:
        """Everything a simulator remembers below one path, page by page."""
        return await self._pages(name, path, part, {})

    async def noted(self, name: str, path: str, part: str, **query: str) -> list[dict[str, Any]]:
        """The same where a simulator only ever adds, each with a higher id: what was read before is not read again."""
        known = self._noted.setdefault((name, path), [])
        after = {"after": str(known[-1]["id"])} if known else {}
        known += await self._pages(name, path, part, query | after)
        return known

    async def _pages(self, name: str, path: str, part: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await self._ask(name, path, query)
            found += page[part]
            if page.get("next_after") is None:
                return found
            query |= {"after": str(page["next_after"])}

    def _token_for(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.system.platform_token}"} if name == "platform" else {}


async def _asked(url: str, statement: str, values: tuple[object, ...]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url, timeout=ASK_S_MAX)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()
