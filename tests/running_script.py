"""Runs a script in the test's own process, as its path on a command line would."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.running_app import ROOT

Done = subprocess.CompletedProcess[str]


def run_here(script: str, *args: object, cwd: Path, env: Mapping[str, str]) -> Done:
    """What a process would print and its exit status, without the seconds of its start.

    A test of what only a process shows (a clean stderr of the libraries, output that comes while
    it runs, signals) needs a process. `env` is added to this one's.
    """
    file = ROOT / "scripts" / f"{script}.py"
    out, err = _stream(), _stream()
    argv = [str(file), *map(str, args)]
    with (
        _as_before(argv, env),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            runpy.run_path(argv[0], run_name="__main__")
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return Done(argv, status, _text(out), _text(err))


@contextlib.contextmanager
def _as_before(argv: list[str], env: Mapping[str, str]) -> Iterator[None]:
    """The process's arguments and environment; at the end all that a script changes is put back."""
    kept = sys.argv, sys.path, dict(os.environ)
    log = logging.getLogger("lookalike")
    logged = log.handlers[:], log.level, log.propagate
    sys.argv, sys.path = argv, [*sys.path]
    os.environ.update(env)
    try:
        yield
    finally:
        sys.argv, sys.path, environ = kept
        os.environ.clear()
        os.environ.update(environ)
        log.handlers[:], log.level, log.propagate = logged


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    """All that was written; the stream is closed."""
    stream.flush()
    binary = stream.detach()
    assert isinstance(binary, io.BytesIO)
    return binary.getvalue().decode()
