"""The same unit vectors for every engine that searches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIMENSION, TOP, FACES = 256, 5, 32


def templates(count: int) -> NDArray[np.float32]:
    """(count, 256) unit."""
    return _unit(np.random.default_rng(7).standard_normal((count, DIMENSION), np.float32))


def faces() -> NDArray[np.float32]:
    """(32, 256) unit."""
    return _unit(np.random.default_rng(8).standard_normal((FACES, DIMENSION), np.float32))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
