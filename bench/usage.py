"""What processes use: processor time and resident memory, read from the kernel (Linux)."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _WAITED_FOR_SYSTEM = 1, 11, 14
"""Places in /proc/<pid>/stat behind the name: user, system, and both of the children that were waited for."""


def resident_mb(pid: int) -> float:
    """A process's resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line for line in lines if line.startswith("VmRSS:")).split()[1]
    return round(int(kilobytes) / 1024, 1)


def processor_s(roots: Mapping[str, int]) -> dict[str, float]:
    """Processor time used so far by each of these processes with everything that descends from it."""
    stats = {int(path.name): stat for path in Path("/proc").iterdir() if path.name.isdigit() and (stat := _stat(path))}
    children: dict[int, list[int]] = {}
    for pid, stat in stats.items():
        children.setdefault(int(stat[_PARENT]), []).append(pid)

    def used(pid: int) -> float:
        ticks = sum(int(value) for value in stats[pid][_USER : _WAITED_FOR_SYSTEM + 1])
        return ticks / _TICKS_PER_S + sum(map(used, children.get(pid, ())))

    return {name: used(pid) for name, pid in roots.items() if pid in stats}


def _stat(folder: Path) -> list[str] | None:
    try:
        # The name, in parentheses, may hold spaces.
        return (folder / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
