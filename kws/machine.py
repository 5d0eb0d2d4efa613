"""What this machine has to give: cores and memory, within the limits of the container."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def cores(cgroup: Path = _CGROUP) -> int:
    """How many this process may keep busy: of those it may run on, what its container is given."""
    if hasattr(os, "sched_getaffinity"):
        found = len(os.sched_getaffinity(0))
    else:
        found = os.cpu_count() or 1
    # Control groups of version 2, then of version 1.
    quota, period = (_words(cgroup / "cpu.max") or ["max", "max"])[:2]
    if quota == "max":
        quota = (_words(cgroup / "cpu/cpu.cfs_quota_us") or ["-1"])[0]
        period = (_words(cgroup / "cpu/cpu.cfs_period_us") or ["100000"])[0]
    if int(quota) > 0:
        found = min(found, math.ceil(int(quota) / int(period)))
    return max(1, found)


def available_memory(cgroup: Path = _CGROUP, meminfo: Path = _MEMINFO) -> int | None:
    """Bytes that can be taken without swapping; None where that is not known."""
    free = []
    found = _after(meminfo, "MemAvailable:")
    if found is not None:
        free.append(found * 1024)
    for limit, usage, statistics, reclaimable in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        most, used = _words(cgroup / limit), _words(cgroup / usage)
        if most and used and most[0] != "max":
            cached = _after(cgroup / statistics, reclaimable) or 0
            free.append(max(0, int(most[0]) - int(used[0]) + cached))
    return min(free) if free else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _after(file: Path, name: str) -> int | None:
    """The number that follows a name in a file."""
    words = _words(file)
    return int(words[words.index(name) + 1]) if name in words else None
