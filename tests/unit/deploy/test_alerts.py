"""Every alert is a rule that Prometheus takes, calls when it should and only then, and says what to press."""

import os
import re
import subprocess
import unittest
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from deploy.cli import application
from deploy.local import install
from deploy.local.install import NotInstalled
from deploy.places import CHECKOUT

ALERTS: Final = CHECKOUT / "deploy" / "alerts"
RUNBOOK: Final = CHECKOUT / "docs" / "runbook.md"


def _rules() -> list[dict[str, Any]]:
    told = yaml.safe_load((ALERTS / "hosho.yml").read_text(encoding="utf-8"))
    return [rule for group in told["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def promtool() -> Path:
    """The program that checks rules. Its absence fails in continuous integration and is told aloud elsewhere."""
    try:
        return install.promtool()
    except NotInstalled as reason:
        if os.environ.get("CI"):
            raise
        raise unittest.SkipTest(f"THE ALERTS ARE NOT CHECKED: {reason}") from None


@pytest.mark.parametrize("arguments", [("check", "rules", "hosho.yml"), ("test", "rules", "tests.yml")])
def test_prometheus_takes_the_rules_and_they_call_when_they_should(promtool: Path, arguments: tuple[str, ...]) -> None:
    outcome = subprocess.run([promtool, *arguments], cwd=ALERTS, check=False, capture_output=True, text=True)

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_alert_has_its_heading_and_every_heading_its_alert() -> None:
    headings = re.findall(r"(?m)^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"))

    assert sorted(headings) == sorted(rule["alert"] for rule in _rules())


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_urgent_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    section = re.search(rf"(?ms)^## {rule['alert']}$(.*?)(?=^## |\Z)", RUNBOOK.read_text(encoding="utf-8"))

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert section is not None
    assert [word for word in ("**Means**", "**See**", "**Press**") if word not in section[1]] == []


def test_the_runbook_names_no_command_that_is_not_there() -> None:
    """A command line that has moved on must not be found out at night."""
    text = RUNBOOK.read_text(encoding="utf-8")
    named = {tuple(found.split()) for found in re.findall(r"`hosho ((?:ops stage|[a-z]+)(?: [a-z]+)?)", text)}

    assert ("ops", "status") in named
    for words in sorted(named):
        assert _is_command(words), " ".join(words)


def _is_command(words: tuple[str, ...]) -> bool:
    command: Any = typer.main.get_command(application)
    for word in words:
        found = getattr(command, "commands", {}).get(word)
        if found is None:
            return False
        command = found
    return True
