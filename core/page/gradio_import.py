"""Importing Gradio without the work that it does at every import; seen with Gradio 6.31.

This module imports nothing of Gradio, so that it can be imported before.
tests/page/test_gradio_import.py fails for the first Gradio that does without it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def import_gradio(*, mcp: bool = False) -> None:
    """Import it, in half of the time.

    Args:
        mcp: whether language models are to be served; Gradio imports the package for it, where it
            is installed, whether it is needed or not.
    """
    # Gradio readies it for each event where it is installed: a second at the first.
    sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]
    if not mcp:
        sys.modules.setdefault("mcp", None)  # type: ignore[arg-type]
    with without_stubs():
        import gradio  # noqa: F401


@contextmanager
def without_stubs() -> Iterator[None]:
    """Let Gradio write no .pyi file beside each of its components.

    It would parse the source of each one anew: half of the time of its import. It does without
    for a class that has no file.
    """
    real = inspect.getfile

    def getfile(thing: Any) -> str:
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError("no file, as far as Gradio is to know")
        return real(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = real
