"""Files that are whole or not there: writing by rename, hashing."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageError


def sha256_of(source: Path | bytes) -> str:
    """SHA-256 of a file or of bytes, as 64 hex digits."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# What reading back what the app wrote raises where it is damaged.
DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)

# What helps against an operating system's refusal; a setting to be named comes after.
REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or raise the quota",
    errno.EACCES: "let the user who runs this write there",
    errno.EPERM: "let the user who runs this write there",
    errno.EROFS: "let it be mounted for writing",
    errno.EMFILE: "let this process open more files (ulimit -n)",
}


@contextmanager
def storage_errors(path: Path, setting: str = "") -> Iterator[None]:
    """Turn an operating-system refusal to write `path` into one clear sentence.

    Args:
        path: what is written.
        setting: the variable that says where it is, to be named.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        elsewhere = f"set {setting} to a place" if setting else "choose a folder"
        known = REMEDIES.get(error.errno or 0)
        remedy = f"{known}, or {elsewhere}" if known else elsewhere
        raise StorageError(
            f"cannot write {path}: {reason}; {remedy} that can be written"
        ) from error


@contextmanager
def new_file(path: Path, setting: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes `path`'s place if the block ends well.

    Readers see the old file or the whole new one, and a failure leaves nothing behind. For
    `setting` see `storage_errors`.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with storage_errors(path, setting):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            flush_to_disk(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's bytes would outlive a power cut."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
