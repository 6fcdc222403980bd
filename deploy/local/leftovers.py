"""Ends what an earlier runner left behind when it was killed, where the kernel did not do so for us."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

END_S_MAX: Final = 20.0


def record(path: Path, pids: Iterable[int]) -> None:
    """Note which children run, each with the moment it started, so that a reused process id is not taken for it."""
    lines = [f"{pid} {started}" for pid in pids if (started := _started(pid)) is not None]
    path.write_text("\n".join(lines), encoding="utf-8")


def end(path: Path) -> int:
    """End the recorded children that still run, and wait for it; returns how many there were."""
    if not path.exists():
        return 0
    found = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        number, _, started = line.partition(" ")
        pid = int(number)
        if _started(pid) == started:
            found += 1
            _end(pid, started)
    path.unlink()
    return found


def _end(pid: int, started: str) -> None:
    """Wait a while for a child that is perhaps ending already, then kill its group."""
    _signal(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + END_S_MAX
    while _started(pid) == started:
        if time.monotonic() > deadline_s:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.1)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        # Ended meanwhile.
        return


def _started(pid: int) -> str | None:
    """When a process started, as `ps` writes it; None if there is none, or only its remains."""
    outcome = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], check=False, capture_output=True, text=True, env={"LC_ALL": "C"}
    )
    state, _, started = outcome.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
