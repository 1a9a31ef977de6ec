"""The stamp that makes checking a model pack cheap: `pack.json` beside its two ONNX files.

It is written last and records size, modification time and SHA-256 of each file. While size and
time match, a pack is trusted without being read.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from core.errors import LookalikeError
from core.packs import ModelPack
from core.phrases import log
from core.storage import new_file, sha256_of

DETECTOR = "detector.onnx"
STAMP = "pack.json"


def is_verified(pack: ModelPack, folder: Path, *, rehash: bool) -> bool:
    """Whether the folder holds this pack and no other model, by its stamp.

    The files are hashed again if the stamp is stale (copied, touched) or `rehash` asks for it.
    """
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
        if stamp["identity"] != pack.identity:
            return False
        entries = stamp["files"].items()
        names = {DETECTOR, pack.recogniser.name}
        present = {path.name for path in folder.glob("*.onnx")}  # insightface loads all of them
        if stamp["files"].keys() != names or present != names:
            return False
        stale = [
            name for name, entry in entries if _fingerprint(folder / name) != entry["fingerprint"]
        ]
        if not stale and not rehash:
            return True
        good = all(sha256_of(folder / name) == entry["sha256"] for name, entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    if not good:
        _discard_stamp(folder)
    elif stale:  # copied or touched, byte for byte the same
        _restamp(pack, folder)
    return good


def _fingerprint(path: Path) -> list[int]:
    """Bytes, and whole seconds: an image's layers keep no fractions."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns // 10**9]


def write_stamp(pack: ModelPack, folder: Path) -> None:
    """Record what the folder's files are now. Call it last, on a folder known to be good."""
    files = {
        name: {"fingerprint": _fingerprint(folder / name), "sha256": sha256_of(folder / name)}
        for name in (DETECTOR, pack.recogniser.name)
    }
    text = json.dumps({"identity": pack.identity, "files": files}, indent=1)
    with new_file(folder / STAMP) as path:
        path.write_text(text, "utf-8")


def _restamp(pack: ModelPack, folder: Path) -> None:
    try:
        write_stamp(pack, folder)
    except LookalikeError as error:
        log.warning("%s is good, but its stamp is out of date: %s", pack.title, error)


def _discard_stamp(folder: Path) -> None:
    """Should the pack not be made anew, no later run trusts it by size and time alone."""
    with contextlib.suppress(OSError):  # a read-only folder: the next run may trust it
        (folder / STAMP).unlink()
