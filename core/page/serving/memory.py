"""How much memory the C library keeps for itself."""

from __future__ import annotations

import ctypes
import os

M_ARENA_MAX = -8  # of glibc's malloc.h
ARENAS = 2


def keep_few_arenas() -> None:
    """Let threads share what is freed; does nothing where the C library is not glibc.

    glibc gives each new thread a store of its own, and a match leaves 15 MB in it for that thread's
    next one. With two for all, simulated visitors' memory grows by 2 % after the warm-up, and else
    by 12. An owner's MALLOC_ARENA_MAX is heeded.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt:
        mallopt(M_ARENA_MAX, ARENAS)
