"""What browser tests need is installed where it is missing and may be installed, and nowhere else."""

import subprocess
from pathlib import Path

import pytest

from deploy.local import install


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """What apt-get was asked for; one package is there, one is not."""
    (tmp_path / "there").touch()
    monkeypatch.setattr(install, "FOR_TESTS", {"face": tmp_path / "there", "browser": tmp_path / "missing"})
    monkeypatch.setattr(install, "POLICY", tmp_path / "there")
    commands: list[tuple[str, ...]] = []

    def apt(*arguments: str) -> subprocess.CompletedProcess[str]:
        commands.append(arguments)
        (tmp_path / "missing").touch()
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(install, "_apt", apt)
    return commands


def test_only_what_is_missing_is_installed(asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "can_install", lambda: True)
    said: list[str] = []

    assert install.install_for_tests(said.append)
    assert asked == [("install", "-y", "--no-install-recommends", "browser")]
    assert said == ["for the tests: installing browser"]


def test_nothing_is_done_without_the_right_to(asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "can_install", lambda: False)

    assert not install.install_for_tests(print)
    assert asked == []


def test_a_failure_tells_what_apt_said(asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are fetched and the package tried once more before that."""
    monkeypatch.setattr(install, "can_install", lambda: True)

    def refusing(*arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments)
        return subprocess.CompletedProcess(arguments, 100, "", "E: Unable to locate package browser")

    monkeypatch.setattr(install, "_apt", refusing)

    with pytest.raises(install.NotInstalled, match="Unable to locate package browser"):
        install.install_for_tests(lambda _: None)
    assert [arguments[0] for arguments in asked] == ["install", "update", "install"]
