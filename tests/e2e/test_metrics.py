"""What dashboards and alerts ask for is really counted by the running system."""

import json
import re
from typing import Any, Final

import yaml

from deploy.places import CHECKOUT
from shared.topology import SERVICES
from simulators.portal.client import ISSUED, Portal
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.eventually import eventually

_NAME: Final = re.compile(r"\b(?:hosho|process)_[a-z_]+\b")


def _asked() -> dict[str, set[str]]:
    """Every metric that a dashboard or an alert names, by where it is named."""
    asked: dict[str, set[str]] = {}
    for path in sorted((CHECKOUT / "deploy" / "dashboards").glob("*.json")):
        panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
        for target in (target for panel in panels for target in panel["targets"]):
            _note(asked, target["expr"], path.name)
    for group in yaml.safe_load((CHECKOUT / "deploy" / "alerts" / "hosho.yml").read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            _note(asked, rule["expr"], rule["alert"])
    return asked


def _note(asked: dict[str, set[str]], expression: str, where: str) -> None:
    for name in _NAME.findall(expression):
        asked.setdefault(name, set()).add(where)


async def _scraped(system: System) -> dict[str, str]:
    """What Prometheus would read of every service."""
    told: dict[str, str] = {}
    for service in SERVICES:
        async with system.http.get(system.place.url(service) + "/metrics") as answer:
            assert answer.status == 200
            told[service] = await answer.text()
    return told


async def test_every_metric_that_a_dashboard_or_an_alert_names_exists(system: System, portal: Portal) -> None:
    await portal.apply(example(PORTAL, "METRICS-1"))
    await portal.answers.wait_for("METRICS-1", ISSUED, timeout_s=60)
    asked = _asked()
    # These appear with the first parked fact, and there is none in a healthy system.
    not_yet = {"hosho_desk_open_facts", "hosho_desk_oldest_timestamp_seconds", "hosho_inbox_parked_facts"}

    async def all_there() -> bool:
        text = "\n".join((await _scraped(system)).values())
        series = set(re.findall(r"(?m)^([a-z_]+)(?:\{| )", text))
        declared = set(re.findall(r"(?m)^# TYPE ([a-z_]+) ", text))
        missing = {
            name: where for name, where in asked.items() if name not in (declared if name in not_yet else series)
        }
        assert not missing, missing
        return True

    assert len(asked) > 30
    assert await eventually(all_there, within_s=60)


async def test_nothing_counted_bears_an_id_or_a_name(system: System, portal: Portal) -> None:
    await portal.apply(example(PORTAL, "METRICS-2"))
    issued = await portal.answers.wait_for("METRICS-2", ISSUED, timeout_s=60)
    assert isinstance(issued.data, dict)
    text = "\n".join((await _scraped(system)).values())
    labels: set[Any] = set(re.findall(r'(\w+)="', text))

    assert issued.data["guarantee_number"] not in text
    assert "METRICS-2" not in text
    assert labels <= {
        "queue", "ending", "code", "answer", "errand", "outcome", "le", "service", "version", "use", "which", "verdict",
        "standing", "column", "kind",
    }  # fmt: skip


async def test_the_way_from_acceptance_to_issue_is_measured(system: System, portal: Portal) -> None:
    await portal.apply(example(PORTAL, "METRICS-3"))
    await portal.answers.wait_for("METRICS-3", ISSUED, timeout_s=60)

    async def measured() -> bool:
        told = (await _scraped(system))["ops"]
        found = re.search(r"(?m)^hosho_accepted_to_issued_seconds_count ([0-9.]+)", told)
        assert found is not None
        return float(found[1]) >= 1

    assert await eventually(measured, within_s=60)
