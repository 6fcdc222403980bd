"""What tests need is installed where it is missing and may be installed, or taken out of whichever package has it."""

import os
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


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[str]]:
    """A release of Debian: the programs of each package, once its lists are fetched; a test fills it."""
    packages: dict[str, list[str]] = {}
    asked: list[str] = []

    def fetch(package: str, folder: str) -> subprocess.CompletedProcess[str]:
        asked.append(package)
        if package not in packages:
            return subprocess.CompletedProcess([], 100, "", f"E: Unable to locate package {package}")
        (Path(folder) / f"{package}.deb").touch()
        return subprocess.CompletedProcess([], 0, "", "")

    def take_apart(package: Path, folder: Path) -> None:
        for name in packages[package.stem]:
            program = folder / "usr" / "bin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.touch(0o755)

    def apt(*_: str) -> subprocess.CompletedProcess[str]:
        packages.update(
            {name: packages[new] for new in list(packages) if (name := new.removeprefix("unlisted ")) != new}
        )
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(install, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(install, "_fetch", fetch)
    monkeypatch.setattr(install, "_take_apart", take_apart)
    monkeypatch.setattr(install, "_apt", apt)
    # Debian's tools are asked for by the same function as the program that is looked for.
    monkeypatch.setattr("shutil.which", lambda name: None if name == "promtool" else f"/usr/bin/{name}")
    return packages


@pytest.mark.parametrize(
    "of_release",
    [
        pytest.param({"prometheus": ["prometheus", "promtool"]}, id="Debian 12"),
        pytest.param({"prometheus": ["prometheus"], "promtool": ["promtool"]}, id="Debian 13"),
        pytest.param({"unlisted promtool": ["promtool"]}, id="with old lists"),
    ],
)
def test_promtool_is_taken_out_of_whichever_package_has_it(
    release: dict[str, list[str]], of_release: dict[str, list[str]]
) -> None:
    release.update(of_release)
    found = install.promtool()

    assert found.name == "promtool"
    assert os.access(found, os.X_OK)
    assert install.promtool() == found


def test_a_release_without_it_says_what_was_looked_for(release: dict[str, list[str]]) -> None:
    release["prometheus"] = ["prometheus"]

    with pytest.raises(install.NotInstalled, match=r"(?s)Unable to locate package promtool.*does not hold it"):
        install.promtool()
