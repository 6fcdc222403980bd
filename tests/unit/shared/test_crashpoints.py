"""The one hook at which a fault run kills a process."""

import signal
from collections.abc import Iterator

import pytest

from shared import crashpoints


@pytest.fixture(autouse=True)
def _without_a_hook() -> Iterator[None]:
    yield
    crashpoints.install(None)


def test_without_a_hook_a_point_does_nothing() -> None:
    crashpoints.reached("-publish")


def test_a_hook_hears_every_point_until_it_is_taken_away() -> None:
    heard: list[str] = []
    crashpoints.install(heard.append)

    crashpoints.reached("-publish")
    crashpoints.reached("+publish")
    crashpoints.install(None)
    crashpoints.reached("+delete")

    assert heard == ["-publish", "+publish"]


@pytest.mark.parametrize(("where", "passings"), [("-publish", 1), ("-publish*1", 1), ("-publish*3", 3)])
def test_the_process_dies_at_the_named_passing_and_at_no_other(
    monkeypatch: pytest.MonkeyPatch, where: str, passings: int
) -> None:
    killed: list[int] = []
    monkeypatch.setattr("os.kill", lambda _pid, number: killed.append(number))
    hook = crashpoints.die_at(where)

    for _ in range(passings - 1):
        hook("-publish")
        hook("+publish")
    assert killed == []

    hook("-publish")
    assert killed == [signal.SIGKILL]
