"""Several files and folders changed together, or not at all.

What is new is written beside its place under a hidden name; then everything takes its place by
renames. A failure puts back what was, and so does the next change after a power cut: a journal
says what was under way.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import StorageError
from core.files import new_file, storage_errors

JOURNAL = ".roster.json"
LOCK = ".roster.lock"


@dataclass(frozen=True)
class Step:
    """One place that changes."""

    place: str  # what is there afterwards comes from `source`; it may be taken now
    source: str | None  # None: nothing is there afterwards
    old: str  # where what was there waits
    moved: bool = False  # `source` is a place of its own, to be put back on failure

    def do(self) -> None:
        """Bring about the new state."""
        place = Path(self.place)
        if os.path.lexists(place):
            place.rename(self.old)
        if self.source is not None:
            Path(self.source).rename(place)

    def undo(self) -> None:
        """Bring back the old state, however far `do` came; `source` was there before it."""
        place, source, old = Path(self.place), self.source and Path(self.source), Path(self.old)
        if source and os.path.lexists(place) and not os.path.lexists(source):
            place.rename(source)
        if os.path.lexists(old):
            old.rename(place)
        if source and not self.moved:
            _delete(source)


class Swap:
    """The steps of one change; see `all_or_nothing`."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps the journal."""
        self._journal = folder / JOURNAL
        self._steps: list[Step] = []
        self._token = uuid.uuid4().hex[:8]

    def put(self, place: Path) -> Path:
        """Where to write the file or folder that is to take this place."""
        staged = self._beside(place, "new")
        self._steps.append(Step(str(place), str(staged), str(self._beside(place, "old"))))
        return staged

    def move(self, source: Path, place: Path) -> None:
        """Give a file or folder another place, which must be free."""
        self._steps.append(Step(str(place), str(source), str(self._beside(place, "old")), True))

    def drop(self, place: Path) -> None:
        """Delete a file or folder, if it is there."""
        self._steps.append(Step(str(place), None, str(self._beside(place, "old"))))

    def commit(self) -> None:
        """Change everything; what was there is deleted once all of it is done.

        Raises:
            StorageError: something could not be changed; `undo` puts the rest back.
        """
        for step in self._steps:
            if step.source is not None and not os.path.lexists(step.source):
                raise StorageError(f"what was to become {step.place} is gone; try again")
        self._write(done=False)
        for step in self._steps:
            with storage_errors(Path(step.place)):
                step.do()
        self._write(done=True)
        _finish(self._journal)

    def undo(self) -> None:
        """Put everything back, and delete what was staged."""
        if self._journal.exists():
            _finish(self._journal)
        for step in self._steps:
            if step.source is not None and not step.moved:
                _delete(Path(step.source))

    def _beside(self, place: Path, kind: str) -> Path:
        return place.with_name(f".roster-{self._token}-{len(self._steps)}.{kind}")

    def _write(self, *, done: bool) -> None:
        content = {"done": done, "steps": [asdict(step) for step in self._steps]}
        with new_file(self._journal) as temporary:
            temporary.write_text(json.dumps(content), encoding="ascii")


@contextmanager
def all_or_nothing(folder: Path) -> Iterator[Swap]:
    """A `Swap` that is carried out if the block ends well, and leaves no trace if it does not.

    Raises:
        StorageError: something cannot be written, or another change is under way.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
    try:
        with lock:
            _finish(folder / JOURNAL)
            swap = Swap(folder)
            try:
                yield swap
                swap.commit()
            except BaseException:
                if not _is_done(folder / JOURNAL):
                    swap.undo()
                raise
    except Timeout:
        raise StorageError(f"{folder} is being changed by another run; wait for it") from None


def _finish(journal: Path) -> None:
    """Bring what a journal tells of to its end: forward if all was in place, else back."""
    if not journal.exists():
        return
    content = json.loads(journal.read_text("ascii"))
    with storage_errors(journal):
        for step in reversed([Step(**entry) for entry in content["steps"]]):
            if content["done"]:
                _delete(Path(step.old))
            else:
                step.undo()
        journal.unlink()


def _is_done(journal: Path) -> bool:
    return journal.exists() and bool(json.loads(journal.read_text("ascii"))["done"])


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
