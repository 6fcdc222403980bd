"""Everything `make test` checks, one line of progress each, on one set of servers."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.install import install_for_tests
from deploy.local.lease import leased, stop_keeper
from deploy.local.screen import say
from deploy.places import CHECKOUT

_BIN: Final = Path(sys.executable).parent
_NOTHING_COLLECTED: Final = 5
_TWO_WORKERS: Final = ("-n", "2", "--dist", "loadfile")


@dataclass(frozen=True, slots=True)
class Check:
    """One command of the run.

    Attributes:
        group: the word by which `make` asks for it.
        name: what is checked, as the progress line says it.
        command: a program of the virtual environment and its arguments.
        needs_servers: whether it needs PostgreSQL and RabbitMQ.
        needs_browser: whether it needs a browser, which is installed where that is possible.
    """

    group: str
    name: str
    command: Sequence[str]
    needs_servers: bool = False
    needs_browser: bool = False


def _tests(group: str, name: str, *arguments: str, servers: bool = True, browser: bool = False) -> Check:
    return Check(group, name, ("pytest", "-q", *arguments), needs_servers=servers, needs_browser=browser)


CHECKS: Final = (
    Check("lint", "style", ("ruff", "check", ".")),
    Check("lint", "layout", ("ruff", "format", "--check", ".")),
    Check("lint", "types", ("mypy",)),
    Check("lint", "imports", ("lint-imports",)),
    _tests("unit", "unit tests", "tests/unit", *_TWO_WORKERS, servers=False),
    _tests(
        "service",
        "service, contract and security tests",
        "tests/service",
        "tests/contract",
        "tests/security",
        *_TWO_WORKERS,
    ),
    _tests("e2e", "end-to-end tests", "tests/e2e"),
    _tests("browser", "pages in a browser", "tests/browser", browser=True),
    _tests("faults", "fault tests", "tests/faults"),
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
            if not _passes(command):
                failed.append(check.name)
    stop_keeper()
    say("failed: " + ", ".join(failed) if failed else "everything passed")
    return 1 if failed else 0


def _present(check: Check) -> list[str] | None:
    """The command without test folders that hold no test; None if none is left."""
    folders = [part for part in check.command if part.startswith("tests/")]
    empty = [folder for folder in folders if not any((CHECKOUT / folder).rglob("test_*.py"))]
    if folders and len(empty) == len(folders):
        return None
    return [str(_BIN / check.command[0]), *(part for part in check.command[1:] if part not in empty)]


def _passes(command: Sequence[str]) -> bool:
    began_s = time.monotonic()
    code = subprocess.run(command, cwd=CHECKOUT, check=False).returncode
    passed = code in (0, _NOTHING_COLLECTED)
    say(f"      {'passed' if passed else f'failed ({code})'} after {time.monotonic() - began_s:.0f} s")
    return passed
