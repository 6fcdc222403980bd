"""The one named hook at which a fault run may kill this process. Outside fault runs it does nothing.

Points are named by what is about to be, or has just become, true: `-issuer.certificate_created.v1` stands before the
commit that announces it, `+issuer.certificate_created.v1` after it. Every unit of work has `-commit.<who>` and
`+commit.<who>` (the queue, the errand, the web door), every queue `+ack.<queue>`, every errand `-call.<errand>` and
`+call.<errand>`, and the relay `-publish`, `+publish` and `+delete`. New messages and errands get their points
without being listed.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

Hook = Callable[[str], None]

FOLDER = "folder:"
REACHED = "reached"
ARMED = "armed"

_hook: Hook | None = None


def install(hook: Hook | None) -> None:
    """Let `hook` be called at every point from now on; None takes it away."""
    global _hook  # noqa: PLW0603 - one process has one hook, set once before it starts.
    _hook = hook


def reached(point: str) -> None:
    """Say that execution stands at this point."""
    if _hook is not None:
        _hook(point)


def hook_of(setting: str) -> Hook:
    """The hook for a setting: `name` or `name*n` dies there, `folder:<path>` is steered through that folder."""
    if setting.startswith(FOLDER):
        return steered_by(Path(setting.removeprefix(FOLDER)))
    return die_at(setting)


def die_at(where: str) -> Hook:
    """A hook that kills this process like a power cut at `name`, or at its n-th passing with `name*n`."""
    name, _, nth = where.partition("*")
    left = int(nth or 1)

    def hook(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def steered_by(folder: Path) -> Hook:
    """A hook that notes every passing in `<folder>/reached` and dies where `<folder>/armed` says, taking that away.

    So one fault run learns the points of a running process and visits them one by one, without starting it anew with
    another setting each time.
    """
    notes = os.open(folder / REACHED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    armed = folder / ARMED

    def hook(point: str) -> None:
        os.write(notes, f"{point}\n".encode())
        if armed.exists() and armed.read_text(encoding="utf-8") == point:
            armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    return hook
