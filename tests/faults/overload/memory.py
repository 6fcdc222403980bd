"""How much the services hold resident, at most, since the kernel was last asked to forget the peak."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.topology import SERVICES
from tests.faults.overload.findings import Findings
from tests.faults.world import World

FLAT_RATIO_MAX: Final = 1.2
"""Memory is flat when the peak under the greatest load is at most so many times the peak under a small one."""

RESIDENT_MB_MAX: Final = 256.0
"""The absolute line: no service may ever hold more, whatever waits outside."""

FORGET_PEAK: Final = "5"
"""Written to `clear_refs`, it sets `VmHWM` back to what is resident now (proc(5))."""

Megabytes = Mapping[str, float]


def forget_peaks(world: World) -> None:
    """Let the peaks begin anew."""
    for service in SERVICES:
        Path(f"/proc/{world.system.pid(service)}/clear_refs").write_text(FORGET_PEAK, encoding="ascii")


def peaks(world: World) -> Megabytes:
    """The peak of each living service since it started or since `forget_peaks`."""
    return {service: _peak_mb(world.system.pid(service)) for service in SERVICES}


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise LookupError(f"process {pid} tells no peak")


def judge(findings: Findings, small: Megabytes, great: Megabytes, *, small_is: str, great_is: str) -> None:
    """Memory must be flat from the small load to the great one, and below the absolute line."""
    findings.figures[f"peak MB, {small_is}"] = dict(small)
    findings.figures[f"peak MB, {great_is}"] = dict(great)
    for service, peak_mb in great.items():
        ratio = peak_mb / small[service]
        findings.rule(f"{service}: {peak_mb} MB is {ratio:.2f} × {small[service]} MB", holds=ratio <= FLAT_RATIO_MAX)
        findings.rule(f"{service}: {peak_mb} MB over {RESIDENT_MB_MAX} MB", holds=peak_mb <= RESIDENT_MB_MAX)
