"""What ends by itself comes back; what cannot start is told and tried again."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import supervisor as supervising
from deploy.local.children import Child, ChildFailed, Program, start
from deploy.local.supervisor import Supervisor
from tests.eventually import eventually


@dataclass
class Sleeper:
    """A unit that sleeps; its starts number `fails_from` to `fails_until` fail."""

    folder: Path
    starts: int = 0
    fails_from: int = 0
    fails_until: int = 0

    async def start(self) -> list[Child]:
        self.starts += 1
        if self.fails_from <= self.starts <= self.fails_until:
            raise ChildFailed("not today")
        code = [sys.executable, "-c", "import time; time.sleep(60)"]
        return [await start(Program("sleeper", code, {}, self.folder / "sleeper.log", self.folder))]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "RESTART_S_MIN", 0.01)


async def test_a_crashed_unit_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, tmp_path / "children")
    await supervisor.start({"sleeper": Sleeper(tmp_path)}, heal=True)
    first = supervisor.child("sleeper").pid

    supervisor.kill("sleeper")

    await eventually(lambda: "sleeper is back" in said)
    assert supervisor.child("sleeper").pid != first
    assert supervisor.child("sleeper").running
    await supervisor.stop()


async def test_a_unit_that_cannot_come_back_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, tmp_path / "children")
    await supervisor.start({"sleeper": Sleeper(tmp_path, fails_from=2, fails_until=3)}, heal=True)

    supervisor.kill("sleeper")

    await eventually(lambda: "sleeper is back" in said)
    assert said.count("sleeper: not today") == 2
    await supervisor.stop()


async def test_without_healing_a_killed_unit_stays_away_until_it_is_restarted(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, tmp_path / "children")
    unit = Sleeper(tmp_path)
    await supervisor.start({"sleeper": unit}, heal=False)

    supervisor.kill("sleeper")
    await supervisor.child("sleeper").ended()
    await supervisor.restart("sleeper")

    assert unit.starts == 2
    assert supervisor.child("sleeper").running
    await supervisor.stop()


async def test_a_unit_that_does_not_start_ends_those_that_did(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, tmp_path / "children")
    good = Sleeper(tmp_path)
    await supervisor.start({"good": good}, heal=True)
    child = supervisor.child("good")

    with pytest.raises(ExceptionGroup) as failures:
        await supervisor.start({"bad": Sleeper(tmp_path, fails_from=1, fails_until=1)}, heal=True)
    await supervisor.stop()

    assert failures.group_contains(ChildFailed)
    assert not child.running
