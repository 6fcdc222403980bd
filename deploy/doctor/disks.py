"""Room on disks: what this machine can see, and what each node of the broker tells of its own."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy import database
from deploy.broker.management import Management

FREE_BYTES_MIN: Final = 2 * 1024**3
FILES_FREE_SHARE_MIN: Final = 0.02
LIMITS_AHEAD: Final = 3
"""A node whose free disk is less than so many times its limit is told of before it stops taking messages."""

_GIB: Final = 1024**3


def here(folders: Iterable[Path]) -> list[str]:
    """Findings about the disks of these folders, as far as they are on this machine; each disk once."""
    findings: dict[int, list[str]] = {}
    for folder in folders:
        if folder.exists():
            disk = folder.stat().st_dev
            findings.setdefault(disk, _of(folder))
    return [finding for found in findings.values() for finding in found]


def _of(folder: Path) -> list[str]:
    files = os.statvfs(folder)
    return short(str(folder), shutil.disk_usage(folder).free, files.f_favail, files.f_files)


def short(name: str, free_bytes: int, files_free: int, files: int) -> list[str]:
    """Whether a disk is short of bytes or of files; some file systems count no files and say 0."""
    findings = []
    if free_bytes < FREE_BYTES_MIN:
        room = f"{free_bytes / _GIB:.1f} GiB free, {FREE_BYTES_MIN / _GIB:g} GiB wanted"
        findings.append(f"{name}: its disk is nearly full ({room}) — delete or move what nobody needs there")
    if files and files_free < files * FILES_FREE_SHARE_MIN:
        findings.append(f"{name}: its disk can hold only {files_free} more files — delete what nobody needs there")
    return findings


async def of_database(superuser_url: str) -> list[str]:
    """Findings about the disk of the database's data, where the server runs on this machine; only a superuser is told.

    Raises:
        OSError, asyncpg.PostgresError: if it does not answer.
    """
    async with database.connected(superuser_url) as connection:
        try:
            folder = Path(await connection.fetchval("select current_setting('data_directory')"))
        except asyncpg.InsufficientPrivilegeError:
            return []
    try:
        return here([folder])
    except PermissionError:
        # The server's own account hides its folder; the disk below it is seen one step further up.
        return here([parent for parent in folder.parents if os.access(parent, os.X_OK)][:1])


async def of_broker(management: Management) -> list[str]:
    """Findings about every node of the broker.

    Raises:
        Unreachable, Refused: if the management API does not tell.
    """
    nodes = await management.get("/api/nodes") or []
    return [finding for node in nodes for finding in of_node(node)]


def of_node(node: Mapping[str, Any]) -> list[str]:
    """Findings about one node, as the management API describes it."""
    name = node.get("name", "a node")
    if not node.get("running", True):
        return [f"{name} does not run — start it; with most nodes away quorum queues stand still"]
    findings = []
    free_bytes, limit_bytes = _size(node.get("disk_free")), _size(node.get("disk_free_limit"))
    room = f"{free_bytes / _GIB:.1f} GiB free, its limit is {limit_bytes / _GIB:.1f} GiB"
    if node.get("disk_free_alarm"):
        findings.append(f"{name}: the disk alarm is on ({room}): nobody can publish — free room on its disk")
    elif free_bytes < LIMITS_AHEAD * limit_bytes:
        findings.append(f"{name}: the disk alarm is near ({room}) — free room on its disk")
    if node.get("mem_alarm"):
        findings.append(
            f"{name}: the memory alarm is on: nobody can publish — see which queue grows in `hosho ops status`"
        )
    return findings


def _size(told: object) -> int:
    # A node that does not watch its disk tells words instead of numbers.
    return told if isinstance(told, int) else 0
