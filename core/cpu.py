"""How many threads this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(root: Path = CGROUP, own_cgroup: Path = Path("/proc/self/cgroup")) -> int:
    """Cores this process may run on, lowered to the CPU quota of its container.

    onnxruntime counts the host's cores; with a smaller quota that many threads wait for
    each other. Reads cgroup v2 (`cpu.max`: quota and period in microseconds, from the
    process's own group up to the root) and v1 (`cpu.cfs_quota_us`).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = [*_quotas_v2(root, own_cgroup), *_quota_v1(root)]
    return max(1, min([cores or 1, *(math.ceil(quota) for quota in quotas)]))


def _quotas_v2(root: Path, own_cgroup: Path) -> list[float]:
    lines = _read(own_cgroup).splitlines()
    group = next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")
    folder = root / group
    folders = [folder, *folder.parents] if folder.is_relative_to(root) else [root]
    quotas = []
    for entry in folders:
        words = _read(entry / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            quotas.append(int(words[0]) / int(words[1]))
        if entry == root:
            break
    return quotas


def _quota_v1(root: Path) -> list[float]:
    quota = _read(root / "cpu" / "cpu.cfs_quota_us").strip()
    period = _read(root / "cpu" / "cpu.cfs_period_us").strip()
    return [int(quota) / int(period)] if quota and period and int(quota) > 0 else []


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
