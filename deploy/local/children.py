"""Child processes that cannot outlive us: started in groups of their own, watched, ended in order."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.account import Account
from deploy.local.failures import LocalFailure

STOP_S_MAX: Final = 20
"""How long a child may take to end by itself before it is killed."""

_PR_SET_PDEATHSIG: Final = 1


class ChildFailed(LocalFailure):
    """A child process ended or never became ready; the end of its log stands behind this sentence."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start one child.

    Attributes:
        name: names it on the screen and its log file.
        argv: command and arguments.
        env: its whole environment.
        log: where its output is appended.
        cwd: the folder it works in.
        account: whom it runs as; None for ourselves.
        stop_signal: what asks it to end, and what it gets when we die.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(slots=True)
class Child:
    """A started program."""

    program: Program
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        """The process id, which is also the process group's."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    async def ended(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        return await self.process.wait()

    async def stop(self) -> None:
        """Ask it to end, wait, and kill its group if it does not."""
        if self.running:
            self._signal(self.program.stop_signal, whole_group=False)
            try:
                async with asyncio.timeout(STOP_S_MAX):
                    await self.process.wait()
            except TimeoutError:
                pass
        self._signal(signal.SIGKILL, whole_group=True)
        await self.process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._signal(signal.SIGKILL, whole_group=True)

    def _signal(self, number: signal.Signals, *, whole_group: bool) -> None:
        try:
            if whole_group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            # Gone already; macOS says "not permitted" of a group whose last member is a zombie.
            pass


async def start(program: Program) -> Child:
    """Start a program; it gets its stop signal if this process dies, however it dies (on Linux).

    Must be called in the main thread: the kernel ties the signal to the thread that started the child.
    """
    program.log.parent.mkdir(parents=True, exist_ok=True)
    account = program.account
    with program.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *program.argv,
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            process_group=0,
            preexec_fn=_dies_with_parent(program.stop_signal),
        )
    return Child(program, process)


async def run(program: Program) -> None:
    """Run a program to its end.

    Raises:
        ChildFailed: with the end of its log, if it does not exit with 0.
    """
    child = await start(program)
    try:
        code = await child.ended()
    finally:
        if child.running:
            await child.stop()
    if code != 0:
        raise ChildFailed(f"{program.name} ended with {code}:\n{tail(program.log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log."""
    if not log.exists():
        return "(no log)"
    return "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-lines:])


def _dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel
