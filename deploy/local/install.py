"""Gets what is needed onto a Debian machine, RabbitMQ first, without ever starting a service of the system's own."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.failures import LocalFailure
from deploy.places import RUN

PACKAGE: Final = "rabbitmq-server"
POLICY: Final = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT: Final = "#!/bin/sh\n# Put here by hosho while it installs packages: no service is started.\nexit 101\n"

Say = Callable[[str], None]


class NotInstalled(LocalFailure):
    """apt-get could not install a package; its last lines stand behind this sentence."""


def can_install() -> bool:
    """Whether this machine has apt-get, and we may use it: as root, or by sudo."""
    if shutil.which("apt-get") is None:
        return False
    return os.geteuid() == 0 or _sudo_works()


def _sudo_works() -> bool:
    if shutil.which("sudo") is None:
        return False
    silent = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    return silent or sys.stdin.isatty()


def install(say: Say) -> None:
    """Install the package, with a policy that keeps every service from being started meanwhile.

    Raises:
        NotInstalled: with the end of what apt-get said.
    """
    _install_packages([PACKAGE], say)
    if Path("/run/systemd/system").is_dir():
        # The package asks systemd to start a broker at each boot; this machine's owner never wanted one.
        _as_root("systemctl", "disable", "--quiet", PACKAGE)


def _install_packages(packages: Sequence[str], say: Say) -> None:
    install_them = ("install", "-y", "--no-install-recommends", *packages)
    with _no_service_starts():
        if _apt(*install_them).returncode == 0:
            return
        say("apt-get: fetching the package lists")
        _apt("update", "-q")
        outcome = _apt(*install_them)
    if outcome.returncode != 0:
        end = "\n".join("  " + line for line in (outcome.stdout + outcome.stderr).splitlines()[-8:])
        raise NotInstalled(f"apt-get could not install {' '.join(packages)}; it said:\n{end}")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return _as_root("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", *arguments)


def _as_root(*command: str) -> subprocess.CompletedProcess[str]:
    prefix: Sequence[str] = () if os.geteuid() == 0 else ("sudo",)
    return subprocess.run([*prefix, *command], check=False, capture_output=True, text=True)


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Put a policy in place that forbids starting services; one that is there already is left as it is."""
    if POLICY.exists():
        yield
        return
    _as_root("sh", "-c", 'umask 022; printf "%s" "$1" >"$2"; chmod 755 "$2"', "sh", POLICY_TEXT, str(POLICY))
    try:
        yield
    finally:
        _as_root("rm", "-f", str(POLICY))


CHROMIUM: Final = Path("/usr/bin/chromium")
FOR_TESTS: Final = {
    "chromium": CHROMIUM,
    "fonts-ipaexfont-gothic": Path("/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf"),
    "libatomic1": Path(f"/usr/lib/{platform.machine()}-linux-gnu/libatomic.so.1"),
}
"""Debian packages that only tests need, and a file of each: a browser, a face with Japanese letters for it, and what
the program that drives the browser is linked with.
"""


def install_for_tests(say: Say) -> bool:
    """Install what browser tests need where it is missing; gives whether it is all there.

    Elsewhere than on Debian, or without rights, nothing is done: the tests then say loudly what they lack.

    Raises:
        NotInstalled: with the end of what apt-get said.
    """
    missing = [package for package, file in FOR_TESTS.items() if not file.exists()]
    if missing and can_install():
        say(f"for the tests: installing {' and '.join(missing)}")
        _install_packages(missing, say)
    return all(file.exists() for file in FOR_TESTS.values())


TOOLS: Final = RUN / "tools"
"""Programs that only tests need, taken out of their Debian packages and not installed."""


PROMTOOL_PACKAGES: Final = ("promtool", "prometheus")
"""Where promtool lies: in a package of its own since Debian 13, in Prometheus's before."""


def promtool() -> Path:
    """The program that checks and runs alert rules.

    Raises:
        NotInstalled: as `from_package` does.
    """
    return from_package("promtool", PROMTOOL_PACKAGES)


def from_package(program: str, packages: Sequence[str]) -> Path:
    """A program of the first of these Debian packages that this release has and that holds it.

    It is taken out of the package, not installed, so no service of it can be started.

    Raises:
        NotInstalled: if this machine has no apt-get, or with the end of what it said.
    """
    found = shutil.which(program)
    if found is not None:
        return Path(found)
    if (place := _unpacked(packages, program)) is not None:
        return place
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NotInstalled(f"There is no {program} here, and no apt-get to fetch {' or '.join(packages)} with.")
    said = _unpack_first(packages, program)
    if said:
        # Its lists may be old; fetching them needs root, as installing does.
        _apt("update", "-q")
        said = _unpack_first(packages, program)
    if (place := _unpacked(packages, program)) is not None:
        return place
    raise NotInstalled(f"There is no {program} to be had from {' or '.join(packages)}; apt-get said:\n{said[-500:]}")


def _unpack_first(packages: Sequence[str], program: str) -> str:
    """Unpack these in turn until one holds the program; gives what apt-get said if none did."""
    said = ""
    TOOLS.mkdir(parents=True, exist_ok=True)
    for package in packages:
        with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
            outcome = _fetch(package, folder)
            files = list(Path(folder).glob("*.deb"))
            if outcome.returncode != 0 or not files:
                said += outcome.stderr or outcome.stdout
                continue
            unpacked = Path(folder) / "unpacked"
            _take_apart(files[0], unpacked)
            # Whole or not at all: two test runs may do this at the same time, and the second one then has it already.
            with contextlib.suppress(OSError):
                unpacked.rename(TOOLS / package)
        if _unpacked([package], program) is not None:
            return ""
        said += f"The package {package} of this release does not hold it.\n"
    return said


def _take_apart(package: Path, folder: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True, capture_output=True)


def _unpacked(packages: Sequence[str], program: str) -> Path | None:
    found = (file for package in packages for file in (TOOLS / package).rglob(program))
    return next((file for file in found if file.is_file() and os.access(file, os.X_OK)), None)


def _fetch(package: str, folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "download", "-q", package], cwd=folder, check=False, capture_output=True, text=True
    )
