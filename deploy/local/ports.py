"""Ports on the loopback, chosen once and remembered, so that several checkouts can run side by side."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from deploy.local.failures import LocalFailure

LOOPBACK: Final = "127.0.0.1"
PORT_MIN: Final = 20_000
PORT_MAX: Final = 29_999
"""Below the range from which Linux and macOS take ports for outgoing connections, so that none is taken meanwhile."""


TRIES_MAX: Final = 1_000

_held: Final[set[int]] = set()


class NoFreePort(LocalFailure):
    """No port between 20000 and 29999 is free on the loopback; end something and try again."""


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections on a port of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def reserved(names: Iterable[str], remembered: Mapping[str, int], mark: str) -> Iterator[dict[str, int]]:
    """A port for each name, kept from other runners of this user for the length of a block.

    It is the remembered one while that is free. `mark` spreads checkouts over the range. Between the choice and the
    moment its server listens a port looks free to others, so each is also marked as ours on a board that all runners
    look at: a lock on one byte of a file, which the kernel takes away when the runner ends, however it ends.
    """
    wanted = list(names)
    ports: dict[str, int] = {}
    dice = random.Random(mark)  # noqa: S311 - spreads ports, hides nothing.
    try:
        # The remembered ones first, so that a new one is not a port that another name remembers.
        for name in wanted:
            if name in remembered and _claim(remembered[name]):
                ports[name] = remembered[name]
        for name in wanted:
            if name not in ports:
                ports[name] = _claimed(dice)
        yield ports
    finally:
        for port in ports.values():
            _give_back(port)


def _claimed(dice: random.Random) -> int:
    for _ in range(TRIES_MAX):
        port = dice.randint(PORT_MIN, PORT_MAX)
        if _claim(port):
            return port
    raise NoFreePort(NoFreePort.__doc__)


def _claim(port: int) -> bool:
    # Locks of one process do not exclude each other, so what this one holds is remembered beside them.
    if port in _held or not is_free(port):
        return False
    try:
        fcntl.lockf(_board(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _held.add(port)
    return True


def _give_back(port: int) -> None:
    fcntl.lockf(_board(), fcntl.LOCK_UN, 1, port)
    _held.discard(port)


@cache
def _board() -> int:
    """The board's file descriptor; never closed, because closing any one of a file drops all locks on it."""
    path = Path(tempfile.gettempdir()) / f"hosho-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
