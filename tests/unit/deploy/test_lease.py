"""The test servers are never ended under the hands of somebody who has just leased them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from deploy.local import lease
from deploy.local.lease import _free
from deploy.local.stack import Stack


class _Servers:
    """A supervisor whose servers take their time to end; meanwhile it tells whether somebody could come in."""

    could_come_in: bool | None = None
    folder: Path

    def __init__(self, *_: Any) -> None:
        pass

    async def start(self, *_: Any, **__: Any) -> None:
        """There is nothing to start."""

    async def stop(self, **_: Any) -> None:
        """The moment at which the servers end and the stack is still held."""
        # Locks of two openings of one file exclude each other, also within one process.
        with (self.folder / "start.lock").open("a") as starting:
            type(self).could_come_in = _free(starting)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack of its own below a folder of this test, whose keeper is idle at once and runs no server."""
    monkeypatch.setattr("deploy.local.stack.RUN", tmp_path)
    monkeypatch.setattr("deploy.local.stack.unprivileged", lambda: None)
    monkeypatch.setattr(lease, "Supervisor", _Servers)
    monkeypatch.setattr(lease, "servers_of", lambda *_: {})
    monkeypatch.setattr(lease, "IDLE_S_MAX", -1.0)
    _Servers.folder, _Servers.could_come_in = tmp_path / lease.TEST_STACK, None
    return Stack(lease.TEST_STACK)


def test_nobody_can_lease_servers_that_are_being_ended(stack: Stack) -> None:
    asyncio.run(lease.keep())

    assert _Servers.could_come_in is False


def test_once_they_are_ended_somebody_can_start_others(stack: Stack) -> None:
    asyncio.run(lease.keep())

    assert stack.runner_pid() is None
    with (stack.folder / "start.lock").open("a") as starting:
        assert _free(starting)
