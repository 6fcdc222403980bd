"""Breaks the promises in a copy of the tree, one after the other, and sees whether the suite notices."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from deploy.local.screen import say
from deploy.places import BUILD, CHECKOUT
from deploy.settings import passed_on
from tests.faults.breaks import BREAKS, Break, Edit

REPORT: Final = BUILD / "breaks.json"
CHECK_S_MAX: Final = 600.0
NOT_COPIED: Final = (".*", "build", "node_modules", "__pycache__", "*.egg-info")
TESTS_FAILED: Final = 1
DECISIVE: Final = ("NOT CLEAN ", "E   ", "FAILED ")
"""What the line begins with that says what was found, the plainest first."""

LINE_CHARACTERS_MAX: Final = 300
SUMMARY: Final = re.compile(r"^(=+ )?\d+ (passed|failed|error).* in [0-9.]+s")


class DoesNotFit(Exception):
    """A break's old text does not stand in its file exactly once any more; mend the break."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one break; `line` is what the check said."""

    name: str
    what: str
    check: str
    caught: bool
    line: str


def applied(text: str, edit: Edit) -> str:
    """The text of a file with the edit made. Raises DoesNotFit."""
    if text.count(edit.old) != 1:
        raise DoesNotFit(f"{edit.path} holds {text.count(edit.old)} times: {edit.old!r}")
    return text.replace(edit.old, edit.new)


@contextmanager
def broken(tree: Path, one: Break) -> Iterator[None]:
    """The tree with this break in it, for the length of a block."""
    before = {edit.path: (tree / edit.path).read_text(encoding="utf-8") for edit in one.edits}
    try:
        for edit in one.edits:
            path = tree / edit.path
            path.write_text(applied(path.read_text(encoding="utf-8"), edit), encoding="utf-8")
        yield
    finally:
        for name, text in before.items():
            (tree / name).write_text(text, encoding="utf-8")


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of this checkout with its virtual environment; its servers are ended and forgotten with it."""
    with tempfile.TemporaryDirectory(prefix="hosho-breaks-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(CHECKOUT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
        (tree / ".venv").symlink_to(CHECKOUT / ".venv", target_is_directory=True)
        try:
            yield tree
        finally:
            _run(tree, "-m", "deploy.local", "clean")


def break_all(only: Iterable[str]) -> int:
    """Try these breaks, or all; prints and writes what caught them. Returns the exit code."""
    wanted = set(only)
    chosen = [one for one in BREAKS if not wanted or one.name in wanted]
    with copied() as tree:
        if not _checks_pass(tree, list(dict.fromkeys(one.check for one in chosen))):
            return 1
        verdicts = []
        for number, one in enumerate(chosen, start=1):
            say(f"[{number}/{len(chosen)}] {one.name}: {one.what}")
            verdicts.append(_try(tree, one))
            say(f"    {'caught' if verdicts[-1].caught else 'NOT CAUGHT'} by {one.check.rpartition('::')[2]}")
            say(f"    {verdicts[-1].line}")
    REPORT.parent.mkdir(exist_ok=True)
    told = [asdict(verdict) for verdict in verdicts]
    REPORT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    missed = [verdict.name for verdict in verdicts if not verdict.caught]
    say(f"NOT CAUGHT: {', '.join(missed)}" if missed else f"all {len(verdicts)} breaks were caught")
    return 1 if missed else 0


def _checks_pass(tree: Path, checks: Sequence[str]) -> bool:
    """Whether all checks pass where nothing is broken; else their failing would prove nothing."""
    say(f"{len(checks)} checks without any break")
    passing = True
    for check in checks:
        name = check.rpartition("::")[2]
        code, output = _check(tree, f"without-{name}", check)
        say(f"    {name}: {_summary(output) if code == 0 else 'FAILS ALREADY: ' + _decisive(output)}")
        passing &= code == 0
    return passing


def _try(tree: Path, one: Break) -> Verdict:
    with broken(tree, one):
        code, output = _check(tree, one.name, one.check)
    # Anything but a test that ran and failed (a syntax error, no test of that name) is no catch.
    caught = code == TESTS_FAILED and " failed" in _summary(output)
    return Verdict(one.name, one.what, one.check, caught, _decisive(output))


def _check(tree: Path, name: str, test: str) -> tuple[int, str]:
    """Run one test and keep all it says beside the report."""
    code, output = _run(tree, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", test)
    kept = REPORT.with_suffix("")
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{name}.log").write_text(output + "\n", encoding="utf-8")
    return code, output


def _summary(output: str) -> str:
    """The line in which pytest counts; what ends later may still say something below it."""
    return next((line for line in reversed(output.splitlines()) if SUMMARY.search(line)), "no test ran")


def _run(tree: Path, *arguments: str) -> tuple[int, str]:
    """Run Python in a tree; its exit code and output. What takes too long fails."""
    # No compiled files: two versions of a file within one second would be taken for the same one.
    environment = {**passed_on(), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(tree / ".venv" / "bin" / "python"), *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CHECK_S_MAX,
        )
    except subprocess.TimeoutExpired:
        return -1, f"not done within {CHECK_S_MAX:g} s"
    return done.returncode, done.stdout.strip()


def _decisive(output: str) -> str:
    """The line that says what was found."""
    lines = [line.strip() for line in output.splitlines()]
    for mark in DECISIVE:
        for line in lines:
            if line.removeprefix("E   ").strip().startswith(mark) or line.startswith(mark):
                return line.removeprefix("E   ").strip()[:LINE_CHARACTERS_MAX]
    return lines[-1][:LINE_CHARACTERS_MAX] if lines else "no output"
