"""faiss's exact inner-product index over the same vectors."""

from __future__ import annotations

from pathlib import Path

import faiss
from vectors import DIMENSION, TOP, Search, serve_search, templates


class FaissSearch(Search):
    """See Search."""

    _file_name = "faiss-{}.index"

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

    def _write(self, count: int, file: Path) -> None:
        index = faiss.IndexFlatIP(DIMENSION)
        index.add(templates(count))
        faiss.write_index(index, str(file))


if __name__ == "__main__":
    serve_search(FaissSearch)
