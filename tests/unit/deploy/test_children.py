"""Child processes end with us, in time, and with everything they started."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import children, leftovers
from deploy.local.children import ChildFailed, Program, run, start
from tests.eventually import eventually

Make = Callable[..., Program]

# Takes SIGTERM as no reason to end, and says when it has begun to do so.
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
WITH_GRANDCHILD = (
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(p.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a program that runs a piece of Python."""

    def program(code: str) -> Program:
        return Program("child", [sys.executable, "-c", code], {}, tmp_path / "child.log", tmp_path)

    return program


def _gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_failure_shows_the_end_of_the_log(make: Make) -> None:
    with pytest.raises(ChildFailed, match="no such luck"):
        await run(make("raise SystemExit('no such luck')"))


async def test_a_child_finds_only_the_environment_it_is_given(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSHO_POSTGRES_URL", "a secret")

    await run(make("import os; raise SystemExit('HOSHO_POSTGRES_URL' in os.environ)"))


async def test_one_that_will_not_end_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "STOP_S_MAX", 0.2)
    child = await start(make(STUBBORN))
    await eventually(lambda: "ready" in child.program.log.read_text())

    await child.stop()

    assert await child.ended() == -signal.SIGKILL


async def test_what_a_child_started_ends_with_it(make: Make) -> None:
    child = await start(make(WITH_GRANDCHILD))
    grandchild = int(await eventually(lambda: child.program.log.read_text().strip()))

    await child.stop()

    await eventually(lambda: _gone(grandchild))


async def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """On Linux the kernel does it; elsewhere the next runner ends what it finds recorded."""
    if not sys.platform.startswith("linux"):
        return
    code = f"""
import asyncio, sys
from pathlib import Path
from deploy.local.children import Program, start
async def main():
    child = await start(Program("child", [sys.executable, "-c", "import time; time.sleep(60)"], {{}},
                                Path({str(tmp_path / "child.log")!r}), Path("/")))
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())

    parent.kill()
    await parent.wait()

    await eventually(lambda: _gone(pid))


async def test_what_an_earlier_runner_left_is_ended(make: Make, tmp_path: Path) -> None:
    child = await start(make("import time; time.sleep(60)"))
    record = tmp_path / "children"
    leftovers.record(record, [child.pid])

    assert leftovers.end(record) == 1

    assert await child.ended() == -signal.SIGTERM
    assert not record.exists()


async def test_a_reused_process_id_is_left_alone(make: Make, tmp_path: Path) -> None:
    child = await start(make("import time; time.sleep(60)"))
    record = tmp_path / "children"
    record.write_text(f"{child.pid} Thu Jan  1 00:00:00 1970")

    assert leftovers.end(record) == 0

    assert child.running
    await child.stop()
