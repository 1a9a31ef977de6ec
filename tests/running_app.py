"""Starts the app as a user does, in a process of its own, and reads its log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.page.serving.uploads import own_folder
from scripts.page.app import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120  # a cold machine with a gallery to enrol
LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")
PLATFORM = ("PORT", "SPACE_ID", "GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME", "HF_ENDPOINT")


def clean_env(tmp_path: Path, **extra: str) -> dict[str, str]:
    """This process's environment without what changes the app, its Hub cache in `tmp_path`."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LOOKALIKE_") and name not in PLATFORM
    }
    return env | {"HF_HOME": str(tmp_path / "hf"), "PYTHONIOENCODING": "utf-8"} | extra


def gallery_env(models: Path, dataset: Path, **extra: str) -> dict[str, str]:
    """Where an app finds its models and its gallery: the starter gallery if there are no photos."""
    dataset.mkdir(exist_ok=True)
    return {"LOOKALIKE_MODELS_DIR": str(models), "LOOKALIKE_DATASET_DIR": str(dataset)} | extra


def without_mcp(folder: Path) -> str:
    """A PYTHONPATH on which the package mcp cannot be imported."""
    folder.mkdir()
    (folder / "mcp.py").write_text('raise ImportError("not installed")\n')
    return os.pathsep.join([str(folder), str(ROOT / "tests" / "audit")])


@dataclass
class RunningApp:
    """A started app."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str]
    audit_log: Path
    photos: Path  # where visitors' photos lie
    temporary: Path  # the system's temporary folder, as this process has it
    _seen: int = field(default=0)

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def outside_connections(self) -> list[str]:
        """Addresses other than loopback that the process asked for since the last call."""
        noted = self.audit_log.read_text("utf-8").splitlines() if self.audit_log.exists() else []
        new, self._seen = noted[self._seen :], len(noted)
        return [line for line in new if not any(host in line for host in LOOPBACK)]


@contextmanager
def running_app(
    tmp_path: Path,
    arguments: Sequence[str] = (),
    *,
    root: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> Iterator[RunningApp]:
    """`python app.py` until the block ends, on a free port unless `env` has a PORT."""
    audit_log = tmp_path / "connections.log"
    photos = own_folder(tmp_path / "photos")
    (tmp_path / "tmp").mkdir(exist_ok=True)
    environment = clean_env(tmp_path) | {
        "PYTHONPATH": str(ROOT / "tests" / "audit"),
        "AUDIT_LOG": str(audit_log),
        "LOOKALIKE_TEMP_DIR": str(tmp_path / "photos"),
        "TMPDIR": str(tmp_path / "tmp"),
        "GRADIO_SERVER_PORT": str(free_port()),
        "LOOKALIKE_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "app.py", *arguments],
        cwd=root,
        env=environment | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield RunningApp(
            _wait_for_url(process, lines), process, lines, audit_log, photos, tmp_path / "tmp"
        )
    finally:
        process.terminate()
        process.wait(10)
        reader.join(10)
        if process.stdout:
            process.stdout.close()


def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))


def _wait_for_url(process: subprocess.Popen[str], lines: list[str]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = re.search(r"running: (http://[^\s\"]+)", "\n".join(lines))
        if found:
            return found[1].replace("0.0.0.0", "127.0.0.1")
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError("the app did not start:\n" + "\n".join(lines))
