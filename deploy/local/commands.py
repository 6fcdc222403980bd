"""The commands of the local runner."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from deploy.local import checks, leftovers
from deploy.local.failures import LocalFailure
from deploy.local.lease import keep, stop_keeper
from deploy.local.programs import Place, ready_url, simulator
from deploy.local.runner import asked, running
from deploy.local.screen import say
from deploy.local.stack import SIMULATORS, Stack
from deploy.places import RUN
from shared.errors import Misconfigured, Transient
from shared.topology import SERVICES

DEV_STACK: Final = "dev"
DOWN_S_MAX: Final = 90.0
CONCLUSIONS: Final = ("automatic", "core")
PAGES: Final = {
    simulator("portal"): "open it: contractors apply here, and read their keys",
    simulator("mailbox"): "open it: their mail arrives here",
    simulator("platform"): "open it: officials check number and key here",
    simulator("core"): "open it: the office's desk",
    "ops": "open it: the operators' console; its token is `operator_tokens` in the secrets below",
}
"""What a browser finds at an address that is also for people."""

BROKEN_OFF: Final = 130
"""The exit code of a demo that was not allowed to finish, as a shell gives it for Ctrl-C."""


def main() -> None:
    """Run one command; a failure is told in one line, never as a traceback of ours."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "demo", "test", "keep", "clean"))
    parser.add_argument("groups", nargs="*", help="for test: the groups to run")
    parser.add_argument(
        "--conclusion",
        choices=CONCLUSIONS,
        default=CONCLUSIONS[0],
        help="for up: guarantees are concluded by themselves, or wait for the office at the core system",
    )
    given = parser.parse_args()
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: _run(_up(given.conclusion)),
        "down": _down,
        "status": lambda: _run(_status()),
        "demo": _demo,
        "test": lambda: checks.run(given.groups),
        "keep": lambda: _run(_keep()),
        "clean": _clean,
    }
    try:
        sys.exit(commands[given.command]())
    except* (Misconfigured, Transient, LocalFailure) as failures:
        sys.exit("\n".join(f"{given.command}: {failure}" for failure in _leaves(failures)))


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for inner in group.exceptions:
        found += _leaves(inner) if isinstance(inner, BaseExceptionGroup) else [inner]
    return found


def _run(work: Coroutine[Any, Any, int], *, told_to_end: int = 0) -> int:
    """Run to the end, to Ctrl-C or to SIGTERM; the latter two unwind everything first and give `told_to_end`."""

    async def until_told() -> int:
        task, told = asyncio.ensure_future(work), False

        def end() -> None:
            nonlocal told
            if told:
                # A second one must not break off the ending, or something would be left behind.
                say("ending already; please wait")
            else:
                told = True
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, end)
        try:
            return await task
        except asyncio.CancelledError:
            if not told:
                raise
            return told_to_end

    return asyncio.run(until_told())


async def _up(conclusion: str) -> int:
    async with running(Stack(DEV_STACK), conclusion=conclusion) as (place, _):
        _print_addresses(place)
        if conclusion == "automatic":
            say("Guarantees are concluded by themselves; with CONCLUSION=core they wait for the office's desk.")
        say("Ctrl-C ends everything.")
        await asyncio.Event().wait()
    return 0


def _print_addresses(place: Place) -> None:
    for name in (*SERVICES, *map(simulator, SIMULATORS)):
        say(f"  {name:<20} {place.url(name):<24} {PAGES.get(name, '')}".rstrip())
    broker = urlsplit(place.stack.addresses.broker_url)
    # The user in that address is the administrator; whoever connects has a user of their own.
    say(f"  {'broker':<20} {broker.scheme}://{broker.hostname}:{broker.port}/{place.vhost}")
    say(f"  {'logs':<20} {place.folder / 'log'}")
    say(f"  {'secrets':<20} {place.folder / 'secrets.json'}")


def _down() -> int:
    stack = Stack(DEV_STACK)
    pid = stack.runner_pid()
    if pid is not None:
        say(f"ending the runner ({pid})")
        os.kill(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + DOWN_S_MAX
        while stack.runner_pid() is not None:
            if time.monotonic() > deadline_s:
                say("it does not end; killing it")
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    left = leftovers.end(stack.folder / "children")
    say("nothing runs any more" if pid or left else "nothing ran")
    return 0


async def _status() -> int:
    stack = Stack(DEV_STACK)
    pid = stack.runner_pid()
    if pid is None:
        say("not running; `make up` starts it")
        return 1
    place = Place(stack, stack.ports, stack.folder)
    everything_ready = True
    async with aiohttp.ClientSession() as session:
        for name in (*SERVICES, *map(simulator, SIMULATORS)):
            status, answer = await asked(session, ready_url(place, name))
            everything_ready &= status == 200
            told = "ready" if status == 200 else f"not ready: {answer.strip()}"
            say(f"  {name:<20} {place.url(name):<24} {told}")
    return 0 if everything_ready else 1


def _demo() -> int:
    # Only here: it needs the simulators' clients, and everything else must work without them.
    from deploy.local.demo import demo  # noqa: PLC0415

    return _run(demo(), told_to_end=BROKEN_OFF)


async def _keep() -> int:
    await keep()
    return 0


def _clean() -> int:
    _down()
    if not stop_keeper():
        say("a test run still uses its servers; try again when it is over")
        return 1
    for folder in RUN.iterdir() if RUN.exists() else ():
        Stack(folder.name).forget()
    return 0
