"""The one named hook at which a fault run may kill this process. Outside fault runs it does nothing.

Points are named by what is about to be, or has just become, true: `-issuer.certificate_created.v1` stands before the
commit that announces it, `+issuer.certificate_created.v1` after it; errands have `-call`, `+call` and `+commit`,
the relay `-publish`, `+publish` and `+delete`. New messages and errands get their points without being listed.
"""

import os
import signal
from collections.abc import Callable

Hook = Callable[[str], None]

_hook: Hook | None = None


def install(hook: Hook | None) -> None:
    """Let `hook` be called at every point from now on; None takes it away."""
    global _hook  # noqa: PLW0603 - one process has one hook, set once before it starts.
    _hook = hook


def reached(point: str) -> None:
    """Say that execution stands at this point."""
    if _hook is not None:
        _hook(point)


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
