"""What is said where the operating system refuses to write."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.errors import StorageError
from core.files import storage_errors


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space, or "),
        (errno.EDQUOT, "free some space, or raise the quota, or "),
        (errno.EACCES, "let the user who runs this write there, or "),
        (errno.EPERM, "let the user who runs this write there, or "),
        (errno.EROFS, "let it be mounted for writing, or "),
        (errno.ENOTDIR, ""),
    ],
)
def test_the_remedy_fits_the_fault(number: int, remedy: str) -> None:
    for setting, place in (("", "choose a folder"), ("LOOKALIKE_X", "set LOOKALIKE_X to a place")):
        with pytest.raises(StorageError) as told, storage_errors(Path("/a/b"), setting):
            raise OSError(number, os.strerror(number))
        reason = os.strerror(number)
        sentence = f"cannot write /a/b: {reason}; {remedy}{place} that can be written"
        assert str(told.value) == sentence
