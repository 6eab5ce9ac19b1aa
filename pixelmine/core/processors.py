"""How many processors this process may really use."""

import os
from math import floor
from pathlib import Path

__all__ = ["processors"]


def processors(root: Path = Path("/sys/fs/cgroup")) -> int:
    """At least 1: the smaller of the CPU affinity and the cgroup's quota.

    Runtimes size their thread pools by the host's cores; in a container that has two of sixty-four
    they then fight for them. `root`: where the cgroup file systems (version 2 or 1) are mounted.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(root)
    return max(1, min(allowed or 1, floor(quota) if quota else allowed or 1))


def _quota(root: Path) -> float | None:
    try:
        limit, period = (root / "cpu.max").read_text().split()
        return None if limit == "max" else max(1.0, int(limit) / int(period))
    except (OSError, ValueError):
        pass
    try:
        limit = (root / "cpu/cpu.cfs_quota_us").read_text()
        period = (root / "cpu/cpu.cfs_period_us").read_text()
        return None if int(limit) <= 0 else max(1.0, int(limit) / int(period))
    except (OSError, ValueError):
        return None
