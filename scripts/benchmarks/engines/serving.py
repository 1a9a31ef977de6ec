"""What each engine's process does: it runs one task a line, and times it where it runs.

Run by path, with the folder of the project that is measured on PYTHONPATH: an earlier version of
the project, or an environment without it, has no module of this name.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


def serve(tasks: Mapping[str, Callable[..., Any]]) -> None:
    """Answer lines of [task, arguments] with seconds, seconds of CPU, and the task's result."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    answers.write("ready\n")
    for line in sys.stdin:
        name, arguments = json.loads(line)
        cpu, started = time.process_time(), time.perf_counter()
        result = tasks[name](*arguments)
        seconds = time.perf_counter() - started
        answer = {"seconds": seconds, "cpu": time.process_time() - cpu, "result": result}
        answers.write(json.dumps(answer) + "\n")
