"""faiss's exact inner-product index over the same vectors."""

from __future__ import annotations

import sys
from pathlib import Path

import faiss
from serving import serve
from vectors import DIMENSION, TOP, faces, templates


class Search:
    """One index, in a file of the scratch folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is loaded yet."""
        self._folder = folder
        self._faces = faces()

    def make(self, count: int) -> int:
        """Write the index; its size in bytes."""
        file = self._file(count)
        if not file.exists():
            index = faiss.IndexFlatIP(DIMENSION)
            index.add(templates(count))
            faiss.write_index(index, str(file))
        return file.stat().st_size

    def load(self, count: int) -> None:
        """From disk."""
        self._index = faiss.read_index(str(self._file(count)))

    def single(self, times: int) -> None:
        """One face after the other."""
        for number in range(times):
            place = number % len(self._faces)
            self._index.search(self._faces[place : place + 1], TOP)

    def together(self, times: int) -> None:
        """All 32 faces at once."""
        for _ in range(times):
            self._index.search(self._faces, TOP)

    def _file(self, count: int) -> Path:
        return self._folder / f"faiss-{count}.index"


if __name__ == "__main__":
    search = Search(Path(sys.argv[1]))
    serve({name: getattr(search, name) for name in dir(search) if not name.startswith("_")})
