"""The servers of the stack `test`, shared by every test process of this checkout.

The first process that leases them starts a keeper, which ends them when nobody has leased them for a while. A lease is
a shared lock on a file: the kernel gives it back when its holder ends, however it ends.
"""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from deploy.local.failures import LocalFailure
from deploy.local.screen import say
from deploy.local.servers import servers_of
from deploy.local.stack import SERVER_PORTS, Stack
from deploy.local.supervisor import Supervisor
from deploy.places import CHECKOUT

TEST_STACK: Final = "test"
IDLE_S_MAX: Final = 120.0
"""How long the servers wait for the next test run before they are ended."""

LOOK_EVERY_S: Final = 1.0
START_S_MAX: Final = 900.0
"""Long enough for the broker's package to be fetched and installed at the very first start."""


_started: Final[list["subprocess.Popen[bytes]"]] = []


class KeeperFailed(LocalFailure):
    """The test servers did not start; the keeper's log stands behind this sentence."""


@contextmanager
def leased() -> Iterator[Stack]:
    """The test servers, running, for the length of a block; they are started if nobody did so yet.

    Raises:
        KeeperFailed: with the end of the keeper's log, if they cannot be started.
    """
    stack = Stack(TEST_STACK)
    stack.folder.mkdir(parents=True, exist_ok=True)
    with (stack.folder / "lease.lock").open("a") as lease:
        with (stack.folder / "start.lock").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if stack.runner_pid() is None:
                _start_keeper(stack)
            fcntl.flock(lease, fcntl.LOCK_SH)
            # Secrets may have been made since the keeper started, for a portal that is new in the directory.
            current = Stack(TEST_STACK)
            current.write_portals({})
        yield current


def _start_keeper(stack: Stack) -> None:
    log = stack.folder / "keeper.log"
    ready = stack.folder / "ready"
    ready.unlink(missing_ok=True)
    with log.open("w") as output:
        command = [sys.executable, "-m", "deploy.local", "keep"]
        keeper = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    # It outlives us; forgetting it here would only make Python complain that it still runs.
    _started.append(keeper)
    deadline_s = time.monotonic() + START_S_MAX
    while not ready.exists():
        if keeper.poll() is not None or time.monotonic() > deadline_s:
            raise KeeperFailed(f"The test servers did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


async def keep() -> None:
    """Run the servers of the test stack until nobody has leased them for `IDLE_S_MAX`, or a signal says so."""
    stack = Stack(TEST_STACK)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    # Opened around everything else: what `_until_idle` locks here stays locked until the stack is given up, so that
    # whoever comes while the servers end waits and starts others, instead of being led to servers that are ending.
    stack.folder.mkdir(parents=True, exist_ok=True)
    with (stack.folder / "start.lock").open("a") as starting, stack.taken(SERVER_PORTS):
        # A test may go around every rule of this machine, so test data never outlives its run.
        stack.forget_data()
        supervisor = Supervisor(say, stack.folder / "children")
        try:
            await supervisor.start(servers_of(stack, say), heal=True)
            stack.write_portals({})
            (stack.folder / "ready").write_text(str(os.getpid()))
            with (stack.folder / "lease.lock").open("a") as lease:
                await _until_idle(told, starting, lease)
        finally:
            (stack.folder / "ready").unlink(missing_ok=True)
            await supervisor.stop(at_once=True)
            stack.forget_data()


async def _until_idle(told: asyncio.Event, starting: IO[str], lease: IO[str]) -> None:
    loop = asyncio.get_running_loop()
    last_used_s = loop.time()
    while not told.is_set():
        if _free(lease):
            # Whoever leases holds the other lock first, so nobody can come in between.
            if loop.time() - last_used_s > IDLE_S_MAX and _free(starting, keep_it=True):
                return
        else:
            last_used_s = loop.time()
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await told.wait()
        except TimeoutError:
            continue


def _free(file: IO[str], *, keep_it: bool = False) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    if not keep_it:
        fcntl.flock(file, fcntl.LOCK_UN)
    return True


def stop_keeper() -> bool:
    """End the test servers now, unless a test process still uses them; returns whether they are ended."""
    stack = Stack(TEST_STACK)
    pid = stack.runner_pid()
    if pid is None:
        return True
    with (stack.folder / "start.lock").open("a") as starting, (stack.folder / "lease.lock").open("a") as lease:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not _free(lease):
            return False
        os.kill(pid, signal.SIGTERM)
        while stack.runner_pid() is not None:
            time.sleep(0.05)
    return True
