"""The tables beside a gallery's photos, as people and their programs write CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core.errors import GalleryError

Row = dict[str | None, str | None]  # None: cells beyond the columns, or that are not there
T = TypeVar("T")
SEPARATORS = ",;\t"  # as spreadsheets of different countries write them


def read_rows(path: Path, columns: Sequence[str], make: Callable[[Row], T]) -> list[T]:
    """A table's rows, its columns' names in small letters; empty rows are passed over.

    Args:
        path: of the table.
        columns: that it must have.
        make: a row's meaning; raises ValueError where it has none.

    Raises:
        GalleryError: it cannot be read, is no UTF-8, breaks off, lacks a column, or has a row
            without meaning.
    """
    try:
        return [make(row) for row in _rows(path.read_bytes(), columns)]
    except UnicodeDecodeError:
        reason = "it is not in UTF-8: save it as CSV in UTF-8"
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error)
    needed = ", ".join(columns)
    raise GalleryError(f"{path} cannot be read ({reason}); it needs the columns {needed}")


def _rows(content: bytes, columns: Sequence[str]) -> list[Row]:
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("it holds zero bytes: save it as CSV in UTF-8")
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    rows: list[Row] = [row for row in reader if any(row.values())]
    missing = [column for column in columns if column not in reader.fieldnames]
    if rows and missing:
        raise ValueError(f"it has no column {missing[0]}")
    return rows
