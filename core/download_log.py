"""What became of each file that was met on the way to a gallery; nothing is fetched twice."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

from core.files import storage_errors

LOG_FILE = "download_log.jsonl"
KEPT = ""  # what the log has in the place of a reason


class DownloadLog:
    """What became of each file and actor: JSON lines, only ever added to."""

    def __init__(self, dataset: Path) -> None:
        """Read it; a last line that a kill cut short is passed over."""
        self.path = dataset / LOG_FILE
        self._lock = threading.Lock()
        self._files: dict[tuple[str, str], str] = {}
        self._searched: dict[str, int] = {}
        if self.path.is_file():
            for line in self.path.read_text("utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self._take(json.loads(line))

    def reason_for(self, actor: str, name: str) -> str | None:
        """Why a file was refused, `KEPT`, or None if it was not met yet."""
        return self._files.get((actor, name))

    def searched(self, actor: str) -> int:
        """For how many photos an actor's category was searched to its end."""
        return self._searched.get(actor, 0)

    def note_file(self, actor: str, name: str, reason: str) -> None:
        """Note that a file was kept or refused."""
        self._add({"actor": actor, "file": name, "reason": reason})

    def note_searched(self, actor: str, photos: int) -> None:
        """Note that there is no more to find, for that many photos."""
        self._add({"actor": actor, "searched": photos})

    def _take(self, entry: dict[str, Any]) -> None:
        actor = str(entry["actor"])
        if "file" in entry:
            self._files[actor, str(entry["file"])] = str(entry["reason"])
        else:
            self._searched[actor] = int(entry["searched"])

    def _add(self, entry: dict[str, Any]) -> None:
        with self._lock, storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as stream:
                text = json.dumps(entry, ensure_ascii=False) + "\n"
                if stream.seek(0, 2) and _last_byte(self.path) != b"\n":
                    text = "\n" + text  # after a line that was cut short
                stream.write(text.encode())
            self._take(entry)


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1)
