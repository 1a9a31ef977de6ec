"""Each engine in a process of its own, asked in turn: two in one would wait for each other."""

from __future__ import annotations

import json
import os
import subprocess  # of this project's own programs # nosec B404
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

from core.errors import SettingsError
from core.settings import ROOT
from scripts.page.app import free_port

ENGINES = Path(__file__).parent / "engines"
START_SECONDS = 300
REST = 0.1  # seconds before a task: the last engine's threads may still wait busily


@dataclass(frozen=True)
class Answer:
    """What a task gave, and took in its process."""

    seconds: float
    cpu: float  # seconds of all cores
    result: Any


class Engine:
    """A program of engines/, which serves tasks."""

    def __init__(
        self,
        program: str,
        *arguments: str,
        python: Path | str = sys.executable,
        project: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and wait until it is ready.

        Args:
            program: file name in engines/, without its suffix.
            arguments: its command line.
            python: of which environment.
            project: the folder whose `core` it imports.
            env: settings.
        """
        self.name = program
        self._process = subprocess.Popen(  # noqa: S603 - this project's own # nosec B603
            [str(python), str(ENGINES / f"{program}.py"), *arguments],
            env=_environment(project) | dict(env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._line().strip() != "ready":
            raise self._ended()

    def ask(self, task: str, *arguments: Any) -> Answer:
        """Run one task.

        Raises:
            SettingsError: the process ended.
        """
        if self._process.stdin is None or self._process.poll() is not None:
            raise self._ended()
        self._process.stdin.write(json.dumps([task, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._line()
        if not line:
            raise self._ended()
        return Answer(**json.loads(line))

    @property
    def memory(self) -> float:
        """Megabytes now."""
        return resident(self._process.pid)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Engine:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def _line(self) -> str:
        return self._process.stdout.readline() if self._process.stdout else ""

    def _ended(self) -> SettingsError:
        return SettingsError(f"{ENGINES / self.name}.py ended; run it by hand to see why")


@dataclass
class Samples:
    """What one engine took for one thing, round by round."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, answer: Answer, times: int = 1) -> None:
        """One round, in which it was done so many times."""
        self.seconds.append(answer.seconds / times)
        self.cpu.append(answer.cpu / times)


Task = Callable[[], Answer]


def in_turn(tasks: Mapping[str, Task], rounds: int, *, warm: int = 2) -> dict[str, Samples]:
    """Every task once a round, after some rounds that do not count."""
    samples = {name: Samples() for name in tasks}
    for number in range(-warm, rounds):
        for name, task in tasks.items():
            time.sleep(REST)
            answer = task()
            if number >= 0:
                samples[name].add(answer)
    return samples


@dataclass(frozen=True)
class Page:
    """A page that answers."""

    url: str
    pid: int
    seconds: float  # from the start of its process to the first answer

    @property
    def memory(self) -> float:
        """Megabytes now."""
        return resident(self.pid)


@contextmanager
def page(program: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Page]:
    """A program that serves a page, until the block ends; its last argument becomes the port."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this project's own # nosec B603
        [sys.executable, str(program), *arguments, str(port)],
        cwd=ROOT,
        env=_environment(ROOT) | dict(env or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                raise SettingsError(f"{program} did not start; run it by hand to see why")
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        yield Page(f"http://127.0.0.1:{port}/", process.pid, seconds)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _environment(project: Path) -> dict[str, str]:
    """That of this process, without what would change the app; no Hub is asked."""
    dropped = ("LOOKALIKE_", "GRADIO_", "PYTHONPATH", "PORT", "HF_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"}


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6
