"""One night as its operators live it: what breaks, what they are shown, what calls them, and what they press.

Each trouble is brought about from outside. Then the console and `hosho` must show it, Prometheus must call (its rules
run over what the services really serve, for an hour that passes in promtool alone), and the steps of the runbook must
mend it.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.places import CHECKOUT
from services.ops.domain.troubles import Kind
from shared.topology import SERVICES
from simulators.portal.client import Portal
from tests.eventually import eventually
from tests.service.ops.browsing import Person
from tests.system import System

SHOWN_S_MAX: Final = 5.0
"""From the moment at which the service itself knows, to the moment at which the console says so."""

PATIENCE_S: Final = 120.0
"""For what is waited for and not promised in seconds: a busy machine starts a Python for each command."""

RULES: Final = CHECKOUT / "deploy" / "alerts" / "hosho.yml"
SIMULATED_MIN: Final = 60
_SAMPLE: Final = re.compile(r"(?m)^(\w+)(?:\{(.*)\})? ([0-9.eE+-]+)$")
_METRIC: Final = re.compile(r"\bhosho_\w+\b")


@dataclass
class Night:
    """A system, who watches it, and what was seen."""

    system: System
    portal: Portal
    person: Person
    promtool: Path
    folder: Path
    say: Callable[[str], None]

    async def state(self, service: str) -> dict[str, Any]:
        """What a service itself knows at this moment."""
        headers = {"Authorization": f"Bearer {self.system.place.stack.secrets.operator_tokens['viewer']}"}
        async with self.person.http.get(self.system.url(service) + "/operator/state", headers=headers) as answer:
            assert answer.status == 200
            told: dict[str, Any] = await answer.json()
            return told

    async def stage(self, service: str) -> dict[str, Any]:
        """How the one outside of a service stands."""
        (stage,) = (await self.state(service))["stages"]
        told: dict[str, Any] = stage
        return told

    async def stands(self, service: str, standing: str) -> None:
        """Wait until the outside of a service stands so."""

        async def is_so() -> bool:
            stage = await self.stage(service)
            assert stage["standing"] == standing, stage
            return True

        await eventually(is_so, within_s=PATIENCE_S)

    async def front_shows(self, kind: Kind, about: str) -> None:
        """The console's front page must tell of this within what it promises."""
        began_s = time.monotonic()

        async def is_there() -> bool:
            told = await self._told(kind)
            assert any(about in one for one in told), (kind, about, told)
            return True

        await eventually(is_there, within_s=SHOWN_S_MAX)
        self.say(f"  the console shows {kind} of {about} after {time.monotonic() - began_s:.1f} s")

    async def front_is_rid_of(self, kind: Kind) -> None:
        """What is mended is gone from the front page."""

        async def is_gone() -> bool:
            assert await self._told(kind) == []
            return True

        await eventually(is_gone, within_s=PATIENCE_S)

    async def _told(self, kind: Kind) -> list[str]:
        text = await self.person.opens("/")
        assert self.person.status == 200
        return re.findall(rf'(?s)<li class="trouble level\d" data-kind="{kind}">(.*?)</li>', text)

    async def hosho(self, *arguments: str) -> tuple[int, str]:
        """The command line as an operator: exit status, and what it wrote."""
        environment = {
            "HOSHO_OPS_URL": self.system.url("ops"),
            "HOSHO_OPERATOR_TOKEN": self.system.place.stack.secrets.operator_tokens["operator"],
            "COLUMNS": "400",
            "PYTHONUTF8": "1",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "ops", *arguments),
            cwd=CHECKOUT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        written, _ = await process.communicate()
        return process.returncode or 0, written.decode()

    async def hosho_does(self, *arguments: str) -> str:
        """What the command line writes, which must succeed."""
        status, text = await self.hosho(*arguments)
        assert status == 0, text
        self.say(f"  hosho ops {' '.join(arguments)}")
        return text

    async def hosho_shows(self, about: str, *arguments: str) -> str:
        """What the console shows already the command line must tell at its first look; gives what it wrote."""
        began_s = time.monotonic()
        _, text = await self.hosho(*arguments)
        assert about in text, (arguments, text)
        self.say(f"  hosho ops {' '.join(arguments)} tells of {about}, a command of {time.monotonic() - began_s:.1f} s")
        return text

    async def status(self) -> Any:
        """What `hosho ops status` shows; it exits with 1 while an alarm is raised."""
        _, text = await self.hosho("status", "--json")
        return json.loads(text)

    async def calls(self, alert: str) -> None:
        """After an hour like this moment, Prometheus must have called with this alert."""

        async def fires() -> bool:
            assert await self.firing(alert), f"{alert} does not fire"
            return True

        await eventually(fires, within_s=PATIENCE_S)
        self.say(f"  {alert} calls")

    async def firing(self, alert: str) -> bool:
        """Whether this alert fires once an hour has been as this moment is."""
        file = self.folder / f"{alert}.yml"
        file.write_text(_as_test(await self._scraped(), alert), encoding="utf-8")
        command = [str(self.promtool), "test", "rules", str(file)]
        outcome = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True)
        assert outcome.returncode in (0, 1), outcome.stderr
        assert outcome.returncode == 0 or "exp:" in outcome.stdout + outcome.stderr, outcome.stdout + outcome.stderr
        return outcome.returncode == 0

    async def _scraped(self) -> Mapping[str, str | None]:
        told: dict[str, str | None] = {}
        for service in SERVICES:
            try:
                async with self.person.http.get(self.system.url(service) + "/metrics") as answer:
                    told[service] = await answer.text() if answer.status == 200 else None
            except OSError:
                told[service] = None
        return told


def _as_test(scraped: Mapping[str, str | None], alert: str) -> str:
    """A test for promtool: every metric the rules name stays for an hour as it was scraped."""
    rules = RULES.read_text(encoding="utf-8")
    named = set(_METRIC.findall(rules))
    series: list[dict[str, str]] = []
    for service, text in scraped.items():
        where = f'job="hosho",instance="{service}"'
        series.append({"series": f"up{{{where}}}", "values": f"{0 if text is None else 1}x{SIMULATED_MIN}"})
        for name, labels, value in _SAMPLE.findall(text or ""):
            if name in named:
                inside = f"{labels},{where}" if labels else where
                series.append({"series": f"{name}{{{inside}}}", "values": f"{float(value):g}x{SIMULATED_MIN}"})
    asked = {
        "expr": f'clamp_max(count(ALERTS{{alertname="{alert}",alertstate="firing"}}), 1)',
        "eval_time": f"{SIMULATED_MIN - 1}m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }
    told = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [asked]}],
    }
    return yaml.safe_dump(told, width=10_000)


async def until(is_so: Callable[[], Awaitable[None]]) -> None:
    """Wait until this no longer fails."""

    async def probe() -> bool:
        await is_so()
        return True

    await eventually(probe, within_s=PATIENCE_S)


async def all_settled(night: Night, services: Sequence[str]) -> None:
    """Wait until nothing waits for the outsides of these services."""

    async def is_so() -> None:
        for service in services:
            rows = (await night.stage(service))["rows"]
            assert not any(rows[which] for which in ("due", "calling", "waiting", "held")), (service, rows)

    await until(is_so)
