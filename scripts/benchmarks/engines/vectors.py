"""The same unit vectors for every engine that searches."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from serving import serve

DIMENSION, TOP, FACES = 256, 5, 32


def templates(count: int) -> NDArray[np.float32]:
    """(count, 256) unit."""
    return _unit(np.random.default_rng(7).standard_normal((count, DIMENSION), np.float32))


def faces() -> NDArray[np.float32]:
    """(32, 256) unit."""
    return _unit(np.random.default_rng(8).standard_normal((FACES, DIMENSION), np.float32))


class Search(ABC):
    """Tasks of an engine that searches: one index, in a file of the scratch folder."""

    _file_name: str  # with the number of templates to be put in

    def __init__(self, folder: Path) -> None:
        """Nothing is loaded yet."""
        self._folder = folder
        self._faces = faces()

    def make(self, count: int) -> int:
        """Write the index; its size in bytes."""
        file = self._file(count)
        if not file.exists():
            self._write(count, file)
        return file.stat().st_size

    @abstractmethod
    def _write(self, count: int, file: Path) -> None:
        """Make the index of so many templates, as a file."""

    def _file(self, count: int) -> Path:
        return self._folder / self._file_name.format(count)


def serve_search(engine: type[Search]) -> None:
    """Serve an engine's tasks; the command line names its folder."""
    tasks = engine(Path(sys.argv[1]))
    serve({name: getattr(tasks, name) for name in dir(tasks) if not name.startswith("_")})


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
