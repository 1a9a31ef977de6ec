"""The app's own index of so many templates: made once, loaded, searched; one read beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from vectors import DIMENSION, TOP, Search, serve_search, templates

from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, IndexInfo, load_index, save_index
from core.index.scoring import Calibration


class OwnSearch(Search):
    """See Search."""

    _file_name = "index-{}.npz"

    def load(self, count: int) -> None:
        """From disk."""
        self._index = load_index(self._file(count))

    def single(self, times: int) -> None:
        """One face after the other."""
        for number in range(times):
            self._index.search(self._faces[number % len(self._faces)], TOP)

    def together(self, times: int) -> None:
        """All 32 faces at once."""
        for _ in range(times):
            self._index.search_all(self._faces, TOP)

    def read(self, times: int) -> float:
        """The matrix, once through memory."""
        flat = self._index.templates.reshape(-1)
        return float(sum(np.dot(flat, flat) for _ in range(times)))

    def _write(self, count: int, file: Path) -> None:
        save_index(_index(count), file)


def _index(count: int) -> ActorIndex:
    rows = templates(count)
    owners = np.arange(count, dtype=np.int32)
    names = tuple(f"{number:07}" for number in range(count))
    info = IndexInfo("sface", "", {}, {}, "gallery", "", 1, "")
    ranks = np.linspace(0, 1, 100)
    scale = Calibration(np.linspace(-0.5, 0.5, 100), ranks, 0.0, 0.1, count)
    portraits = tuple(Portrait(name.zfill(64), f"{name}/1.jpg", None) for name in names)
    return ActorIndex(info, names, portraits, rows, owners, rows, owners, scale)


if __name__ == "__main__":
    if DIMENSION != 256:
        raise SystemExit("the embedding has 256 dimensions")
    serve_search(OwnSearch)
