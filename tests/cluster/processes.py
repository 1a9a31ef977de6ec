"""Ray's worker processes by what runs in them."""

from __future__ import annotations

import os
import signal

import psutil


def pids_of(name: str) -> list[int]:
    """Those of this test's cluster that run a class or function of this name."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            title = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if title.startswith("ray::") and name in title:
            found.append(process.pid)
    return found


def kill_one(name: str) -> int:
    """Kill one of them as an operating system short of memory does."""
    pid = pids_of(name)[0]
    os.kill(pid, signal.SIGKILL)
    return pid
