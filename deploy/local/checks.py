"""Everything `make test` checks, one line of progress each, on one set of servers."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.local.install import install_for_tests
from deploy.local.lease import leased, stop_keeper
from deploy.local.screen import say
from deploy.places import CHECKOUT

_BIN: Final = Path(sys.executable).parent
_NOTHING_COLLECTED: Final = 5
_TWO_WORKERS: Final = ("-n", "2", "--dist", "loadfile")
_THREE_WORKERS: Final = ("-n", "3", "--dist", "loadfile")
"""For tests that wait for servers more than they work."""

_NIGHT: Final = "tests/faults/test_night.py"
"""It mostly waits, so it goes beside tests that start no whole system."""


@dataclass(frozen=True, slots=True)
class Check:
    """One command of the run.

    Attributes:
        group: the word by which `make` asks for it.
        name: what is checked, as the progress line says it.
        command: a program of the virtual environment and its arguments.
        needs_servers: whether it needs PostgreSQL and RabbitMQ.
        needs_browser: whether it needs a browser, which is installed where that is possible.
        beside_next: whether it runs at the same time as the check after it, since one alone leaves a core idle.
    """

    group: str
    name: str
    command: Sequence[str]
    needs_servers: bool = False
    needs_browser: bool = False
    beside_next: bool = False


def _tests(
    group: str, name: str, *arguments: str, servers: bool = True, browser: bool = False, beside_next: bool = False
) -> Check:
    return Check(group, name, ("pytest", "-q", *arguments), servers, browser, beside_next)


CHECKS: Final = (
    Check("lint", "style", ("ruff", "check", ".")),
    Check("lint", "layout", ("ruff", "format", "--check", ".")),
    Check("lint", "imports", ("lint-imports",)),
    Check("lint", "types", ("mypy",), beside_next=True),
    _tests("unit", "unit tests", "tests/unit", *_TWO_WORKERS, servers=False),
    _tests("faults", "the night", _NIGHT, beside_next=True),
    _tests(
        "service",
        "service, contract and security tests",
        "tests/service",
        "tests/contract",
        "tests/security",
        *_THREE_WORKERS,
    ),
    _tests("e2e", "end-to-end tests", "tests/e2e", beside_next=True),
    _tests("browser", "pages in a browser", "tests/browser", *_TWO_WORKERS, browser=True),
    _tests("fuzz", "hostile input", "tests/fuzz", beside_next=True),
    _tests("faults", "fault tests", "tests/faults", f"--ignore={_NIGHT}"),
)
GROUPS: Final = tuple(dict.fromkeys(check.group for check in CHECKS))


def run(groups: Sequence[str]) -> int:
    """Run the checks of these groups, or all; every check runs even if one before it failed. Returns the exit code."""
    unknown = set(groups) - set(GROUPS)
    if unknown:
        say(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
        return 2
    chosen = [check for check in CHECKS if not groups or check.group in groups]
    failed: list[str] = []
    beside: list[_Running] = []
    with ExitStack() as held:
        leasing = False
        for number, check in enumerate(chosen, start=1):
            command = _present(check)
            if command is None:
                continue
            say(f"[{number}/{len(chosen)}] {check.name}")
            if check.needs_servers and not leasing:
                held.enter_context(leased())
                leasing = True
            if check.needs_browser:
                install_for_tests(say)
            if check.beside_next and check is not chosen[-1]:
                beside.append(_Running(check, command, held.enter_context(tempfile.TemporaryFile())))
                continue
            running = _Running(check, command, None)
            failed += [one.check.name for one in (running, *beside) if not one.passes()]
            beside.clear()
    stop_keeper()
    say("failed: " + ", ".join(failed) if failed else "everything passed")
    return 1 if failed else 0


def _present(check: Check) -> list[str] | None:
    """The command without test folders that hold no test; None if none is left."""
    folders = [part for part in check.command if part.startswith("tests/")]
    empty = [folder for folder in folders if not _holds_tests(CHECKOUT / folder)]
    if folders and len(empty) == len(folders):
        return None
    return [str(_BIN / check.command[0]), *(part for part in check.command[1:] if part not in empty)]


def _holds_tests(place: Path) -> bool:
    return place.is_file() or any(place.rglob("test_*.py"))


class _Running:
    """A check that runs. One that runs aside keeps what it prints until it is asked how it ended."""

    def __init__(self, check: Check, command: Sequence[str], printed: IO[bytes] | None) -> None:
        self.check, self._printed = check, printed
        self._began_s = time.monotonic()
        self._process = subprocess.Popen(command, cwd=CHECKOUT, stdout=printed, stderr=printed)

    def passes(self) -> bool:
        """Wait for its end; whether it passed."""
        code = self._process.wait()
        if self._printed is not None:
            self._printed.seek(0)
            say(f"{self.check.name}, at the same time:")
            sys.stdout.flush()
            sys.stdout.buffer.write(self._printed.read())
            sys.stdout.flush()
        passed = code in (0, _NOTHING_COLLECTED)
        say(f"      {'passed' if passed else f'failed ({code})'} after {time.monotonic() - self._began_s:.0f} s")
        return passed
