"""The habits of the house, checked on every file; and each check proven to find a breach and to leave good code alone.

What a habit looks for stands in ``tidy_rules.py``; here are the files, the samples and the habits of several files.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.unit.tidy_rules import RULES, Rule, Source

ROOT: Final = Path(__file__).parents[2]

_NOT_OURS: Final = {"build", "node_modules", "__pycache__"}
_TEXTS: Final = {
    *(".py", ".sql", ".md", ".toml", ".yml", ".yaml", ".json", ".in", ".lock", ".sh", ".html", ".css", ".js", ".svg"),
    *(".txt", ".conf", ".typ", ".cfg", ""),
}


def _sources() -> Iterator[Source]:
    for folder, folders, files in os.walk(ROOT):
        kept = [name for name in folders if name not in _NOT_OURS and not name.endswith(".egg-info")]
        folders[:] = sorted(name for name in kept if not name.startswith(".") or name == ".ci")
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in _TEXTS and not name.startswith("."):
                yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


SOURCES: Final = tuple(_sources())


class Sample(NamedTuple):
    """A breach that must be found at ``path``, good code that must pass there, and where the habit does not hold."""

    path: str
    bad: str
    good: str
    elsewhere: str | None = None


_LONG_BODY: Final = "    x = 1\n" * 50

SAMPLES: Final = {
    "files are short": [
        Sample("shared/a.py", "x = 1\n" * 301, "x = 1\n" * 300, "docs/a.md"),
        Sample("shared/a.py", "x = 1\n" * 301, "# Longer than 300 lines, because it is one table.\n" + "x = 1\n" * 300),
    ],
    "functions are short": [
        Sample("shared/a.py", "def a():\n" + _LONG_BODY, "def a():\n" + _LONG_BODY[:-10]),
        Sample(
            "shared/a.py",
            "async def a():\n" + _LONG_BODY,
            f"def a():\n    # Longer than 50 lines: a table.\n{_LONG_BODY}",
        ),
    ],
    "names say what is inside": [
        Sample("services/intake/date_utils.py", "", ""),
        Sample("shared/helpers/dates.py", "", ""),
        Sample("shared/a.py", "class QueueManager: ...", "class DatabaseCommonsense: ..."),
    ],
    "no exception is swallowed": [
        Sample(
            "shared/a.py", f"try:\n    a()\nexcept{kind}:\n    b()", f"try:\n    a()\nexcept{kind}:\n    raise", place
        )
        for kind, place in [(" Exception", "shared/relay.py"), (" (OSError, Exception) as e", None), ("", None)]
    ]
    + [Sample("deploy/a.py", "with suppress(Exception):\n    a()", "with suppress(OSError):\n    a()")],
    "one door to time and dice": [
        Sample("shared/a.py", "import random", "from shared import clock", "shared/clock.py"),
        Sample("shared/a.py", "from uuid import uuid4", "from uuid import UUID, uuid5", "simulators/a.py"),
        Sample("services/a/b.py", "x = datetime.now(UTC)", "x = datetime.fromisoformat('')"),
        Sample("services/a/b.py", "x = datetime.datetime.now()", "x = clock.now()"),
        Sample("services/a/b.py", "import time", "from datetime import time"),
        Sample("services/a/b.py", "os.urandom(2)", "os.fspath(a)"),
    ],
    "one door to the environment": [
        Sample("services/a/b.py", "os.environ['A']", "os.path", "services/a/settings.py"),
        Sample("simulators/a.py", "from os import getenv", "from os import fspath"),
    ],
    "names on the broker stand once": [
        Sample("services/a/b.py", "x = 'hosho.events'", "'''hosho.events is told of here.'''", "shared/topology.py"),
        Sample("services/a/b.py", "x = 'issuer.certificate_created.v1'", "x = 'delivery.handled'"),
        Sample("shared/a.py", "x = f'intake.application_submitted.{p}'", "x = 'shared.problems'"),
        Sample("shared/a.py", "x = f'portal.{p}'", "x = f'portals.{p}'", "tests/a.py"),
        Sample("shared/a.py", "x = 'application.submitted.portal-a'", "x = 'application_submitted'"),
    ],
    "SQL stands in stores": [
        Sample("services/a/handlers.py", f"x = '''\n{sql}'''", "x = 'Select a form from the list'.upper", place)
        for sql, place in [
            ("SELECT a\nFROM b", "services/a/store.py"),
            ("insert into b (a)", "shared/inbox.py"),
            ("update b set a = 1", "services/a/store/rows.py"),
            ("delete from b", "shared/errands/store.py"),
            ("with due as (", "deploy/a.py"),
            ("create table a (", "tests/a.py"),
        ]
    ],
    "what is public is explained": [
        Sample("shared/a.py", "", '"""A module."""'),
        Sample("shared/a.py", '"""A."""\ndef a(): ...', '"""A."""\ndef _a(): ...', "simulators/a.py"),
        Sample(
            "services/a.py",
            '"""A."""\nclass A:\n    """A."""\n    def b(self): ...',
            '"""A."""\nclass _A:\n    def b(self): ...',
        ),
    ],
    "nothing is left for later": [
        Sample("docs/a.md", "TODO: tell more", "Todos los santos", "tests/unit/test_tidy.py"),
        Sample("tests/a.py", "@pytest.mark.skip", "skip = 1"),
        Sample("tests/a.py", "@pytest.mark.xfail(strict=True)", "pytest.mark.parametrize"),
    ],
    "no place outside the repository": [
        Sample(
            "requirements.lock",
            "--index-url " + "https://" + "py" + "pi.org/simple",
            "a==1 --hash=sha256:00",
            "tests/unit/test_tidy.py",
        ),
        Sample("docs/a.md", "see /" + "work/main/a", "see https://a.example/work/main and tests/work/a"),
        Sample("deploy/a.py", "x = '/root/.cache'", "x = '/var/lib/hosho'"),
    ],
    "tests wait for signals": [
        Sample("tests/a.py", "await asyncio.sleep(1)", "await asyncio.sleep(0)", "simulators/a.py"),
        Sample("tests/a.py", "time.sleep(0.1)", "async def eventually():\n    await asyncio.sleep(0.1)"),
    ],
    "rules and messages are pure": [
        Sample(
            "services/a/domain.py",
            "import asyncpg",
            "import datetime\nfrom pydantic import BaseModel",
            "services/a/store.py",
        ),
        Sample("services/a/domain/b.py", "from services.b.domain import c", "from services.a.domain.c import d"),
        Sample("shared/messages/a.py", "from shared import clock", "from shared.messages import Message"),
        Sample("shared/problems.py", "from shared.web import a", "from enum import StrEnum"),
    ],
}


def _breaches(rule: Rule, source: Source) -> list[str]:
    return [f"{source.path}: {told}" for told in rule.breaches(source)] if rule.applies(source) else []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_habit_is_kept_in_every_file(rule: Rule) -> None:
    breaches = [told for source in SOURCES for told in _breaches(rule, source)]

    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_check_finds_a_breach_and_leaves_good_code_alone(rule: Rule) -> None:
    for sample in SAMPLES[rule.name]:
        assert _breaches(rule, Source(sample.path, sample.bad)), f"{sample} is a breach and was not found"
        good_path = sample.path if sample.bad != sample.good else "services/intake/obligees.py"
        assert not _breaches(rule, Source(good_path, sample.good)), f"{sample} was found, although it is good"
        if sample.elsewhere:
            assert not _breaches(rule, Source(sample.elsewhere, sample.bad)), f"{sample} holds elsewhere too"


def test_every_habit_has_samples_and_every_place_has_files() -> None:
    places = {source.path.split("/")[0] for source in SOURCES}

    assert set(SAMPLES) == {rule.name for rule in RULES}
    assert {"services", "shared", "simulators", "deploy", "tests"} <= places


def _migration_breaches(folder: str, files: Sequence[tuple[str, str]]) -> list[str]:
    """Judge one folder of migrations, given as (name, text): numbered from 0001 without a gap, each with its why."""
    breaches = []
    for number, (name, text) in enumerate(sorted(files), start=1):
        if not re.fullmatch(rf"{number:04}_[a-z0-9_]+\.sql", name):
            breaches.append(f"{folder}/{name}: is number {number}; name it {number:04}_<what_it_does>.sql")
        if not re.match(r"-- (expand|contract): \S.+\n", text):
            breaches.append(f"{folder}/{name}: must begin with `-- expand: why` or `-- contract: why`")
    return breaches


def test_migrations_are_numbered_and_say_why() -> None:
    folders: dict[str, list[tuple[str, str]]] = {}
    for source in SOURCES:
        folder, _, name = source.path.rpartition("/")
        if folder.endswith("/migrations"):
            folders.setdefault(folder, []).append((name, source.text))
    breaches = [told for folder, files in folders.items() for told in _migration_breaches(folder, files)]

    assert folders
    assert not breaches, "\n".join(breaches)


def test_the_check_of_migrations_finds_gaps_wrong_names_and_missing_reasons() -> None:
    good = ("0001_first.sql", "-- expand: tables for the first service\ncreate table a ();")

    assert not _migration_breaches("m", [good])
    assert _migration_breaches("m", [good, ("0003_third.sql", good[1])])
    assert _migration_breaches("m", [("1_first.sql", good[1])])
    assert _migration_breaches("m", [("0001_first.sql", "create table a ();")])
    assert _migration_breaches("m", [("0001_first.sql", "-- expand:\ncreate table a ();")])


_KINDS: Final = ("Removed", "Deprecated", "Added", "Changed", "Fixed")


def _changelog_breaches(text: str) -> list[str]:
    """Judge the changelog: versions newest first, kinds of change in their order, entries that are sentences."""
    breaches = [] if text.startswith("# Changelog\n") else ["must begin with `# Changelog`"]
    titles = re.findall(r"(?m)^## (.*)$", text)
    for place, title in enumerate(titles):
        if not re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", title) and (place, title) != (0, "Unreleased"):
            breaches.append(f"{title!r} is not `Unreleased`, which comes first, nor `1.2.3 (2026-01-31)`")
    for section in re.split(r"(?m)^## ", text)[1:]:
        kinds = re.findall(r"(?m)^### (.*)$", section)
        if not kinds or kinds != [kind for kind in _KINDS if kind in kinds]:
            breaches.append(f"{section.splitlines()[0]}: {kinds} must come from {_KINDS}, in this order, each once")
        entries = [entry.strip() for entry in re.findall(r"(?m)^- ((?:.+\n?)(?:  .+\n?)*)", section)]
        title = section.split("\n", 1)[0]
        breaches += [f"{title}: {entry!r} is not a sentence" for entry in entries if not entry.endswith((".", "。"))]
    return breaches if titles else [*breaches, "tells of no version"]


def test_changelog_keeps_its_form() -> None:
    breaches = _changelog_breaches((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))

    assert not breaches, "\n".join(breaches)


def test_the_check_of_the_changelog_finds_what_is_out_of_form() -> None:
    good = "# Changelog\n\n\n## Unreleased\n\n### Added\n\n- A thing\n  that is new.\n\n### Fixed\n\n- Another.\n"

    assert not _changelog_breaches(good)
    assert not _changelog_breaches(good.replace("Unreleased", "1.0.0 (2026-01-31)"))
    assert _changelog_breaches("# Changelog\n")
    for bad in [
        ("# Changelog", "# News"),
        ("Unreleased", "Soon"),
        ("Added", "News"),
        ("Fixed", "Removed"),
        ("new.", "new"),
    ]:
        assert _changelog_breaches(good.replace(*bad)), bad
