"""Who the servers run as, and where their data lies.

PostgreSQL refuses to run as root, and a checkout of root's is usually closed to everybody else. So when root runs us,
the servers run as an account of their own and keep their data in `/var/lib/hosho`; otherwise they are simply ours.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.places import ROOT_STATE

ACCOUNT: Final = "hosho"
FALLBACK: Final = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of the machine."""

    name: str
    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Hand a file or folder to this account."""
        os.chown(path, self.uid, self.gid)


def unprivileged() -> Account | None:
    """The account for the servers when we are root, made at first need; None when we are not root."""
    if os.geteuid() != 0:
        return None
    found = _account(ACCOUNT)
    if found is None and shutil.which("useradd"):
        # Another checkout may make it at the same moment, so only the outcome counts.
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(ROOT_STATE)]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", ACCOUNT], check=False, capture_output=True)
        found = _account(ACCOUNT)
    return found or _account(FALLBACK)


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def private_folder(path: Path, account: Account | None) -> Path:
    """Make a folder that only its account can enter."""
    path.mkdir(parents=True, exist_ok=True)
    if account is not None:
        account.owns(path)
    path.chmod(0o700)
    return path


def private_file(path: Path, content: str, account: Account | None = None) -> Path:
    """Write a file that only its account can read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    if account is not None:
        account.owns(fresh)
    fresh.replace(path)
    return path
