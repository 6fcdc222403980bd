"""Gets RabbitMQ onto a Debian machine without ever starting the system's own broker."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.failures import LocalFailure

PACKAGE: Final = "rabbitmq-server"
POLICY: Final = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT: Final = "#!/bin/sh\n# Put here by hosho while it installs RabbitMQ: no service is started.\nexit 101\n"

Say = Callable[[str], None]


class NotInstalled(LocalFailure):
    """apt-get could not install RabbitMQ; its last lines stand behind this sentence."""


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
    with _no_service_starts():
        if _apt("install", "-y", "--no-install-recommends", PACKAGE).returncode != 0:
            say("RabbitMQ: fetching the package lists")
            _apt("update", "-q")
            outcome = _apt("install", "-y", "--no-install-recommends", PACKAGE)
            if outcome.returncode != 0:
                end = "\n".join("  " + line for line in (outcome.stdout + outcome.stderr).splitlines()[-8:])
                raise NotInstalled(f"apt-get could not install {PACKAGE}; it said:\n{end}")
    if Path("/run/systemd/system").is_dir():
        # The package asks systemd to start a broker at each boot; this machine's owner never wanted one.
        _as_root("systemctl", "disable", "--quiet", PACKAGE)


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
