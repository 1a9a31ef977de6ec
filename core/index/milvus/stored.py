"""What stands in Milvus: which build of an index is served, and what its readers must know of it.

Three collections, in the database of the address:

    lookalike                 which build is served, and what is known of it, as JSON in parts
    lookalike_templates_D     a row per template of D numbers
    lookalike_portraits_D     a row per portrait

A row's id is the hash of what is in it, so that a build upserts only what changed. A row belongs to
the builds since <= build < until: a new build adds its rows and ends those that it has not, and is
served as soon as the first collection names it, which is one upsert. Until then readers have the
former build, whole. Then the ended rows are deleted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import IndexRefusedError
from core.files import DAMAGE, sha256_of
from core.index.milvus.server import Database, in_batches, one_of

SCHEMA = 1
STATE = "lookalike"  # the collection of what is served
SERVED, WRITER = "served", "writer"  # rows of it; the others are the parts
KINDS = ("templates", "portraits")
FOREVER = 2**62  # until, of a row that has not ended
PART, PARTS = 60_000, 100  # signs of JSON in a row (Milvus takes 65,535 bytes); rows in a message


@dataclass(frozen=True)
class Served:
    """Which build is served, and how to know that all of it is there."""

    build: int
    dimension: int
    parts: int  # rows that what is known of it takes
    sha256: str  # of that
    templates: int
    portraits: int

    @property
    def rows(self) -> str:
        """The condition that its rows fulfil."""
        return f"since <= {self.build} and until > {self.build}"

    def collection(self, kind: str) -> str:
        """Where its templates or portraits are."""
        return collection_of(kind, self.dimension)


def collection_of(kind: str, dimension: int) -> str:
    """The collection of templates or portraits."""
    return f"{STATE}_{kind}_{dimension}"


def served_build(database: Database) -> Served | None:
    """Which build is served; None where none was ever finished.

    Raises:
        IndexRefusedError: another version of the app wrote it.
    """
    if not database.has(STATE):
        return None
    database.load(STATE)
    rows = database.rows(STATE, one_of("id", [SERVED]), ["text"])
    if not rows:
        return None
    try:
        about = dict(json.loads(rows[0]["text"]))
        served = Served(**about) if about.pop("schema", None) == SCHEMA else None
    except DAMAGE as error:
        raise IndexRefusedError(f"it is damaged ({error})") from error
    if served is None:
        raise IndexRefusedError(
            f"the collections {STATE}… of {database.address} are of another version of this app;"
            " delete them, or name another database"
        )
    return served


def serve(database: Database, served: Served) -> None:
    """Have readers find a build, from now on."""
    about = {"schema": SCHEMA, **asdict(served)}
    database.upsert(STATE, [state_row(SERVED, served.build, json.dumps(about))])


def write_about(database: Database, served: Served, text: str) -> None:
    """Put down what readers must know of a build, as JSON of the length and hash it tells."""
    starts = range(0, len(text), PART)
    rows = (
        state_row(key, served.build, text[start : start + PART])
        for key, start in zip(_part_ids(served), starts, strict=True)
    )
    database.upsert(STATE, rows, PARTS)
    database.flush(STATE)


def read_about(database: Database, served: Served) -> Any:
    """What `write_about` wrote.

    Raises:
        IndexRefusedError: not all of it is there.
    """
    found = {
        row["id"]: row["text"]
        for some in in_batches(_part_ids(served), PARTS)
        for row in database.rows(STATE, one_of("id", some), ["id", "text"])
    }
    text = "".join(found.get(key, "") for key in _part_ids(served))
    if sha256_of(text.encode()) != served.sha256:
        raise IndexRefusedError("it is damaged, or was built anew while it was read")
    return json.loads(text)


def state_row(key: str, build: int, text: str) -> dict[str, Any]:
    """A row of the first collection; `build`: which it belongs to."""
    none = np.zeros(2, dtype=np.float32)  # every collection has vectors
    return {"id": key, "vector": none, "text": text, "since": build, "until": FOREVER}


def _part_ids(served: Served) -> list[str]:
    return [f"{served.build}-{number}" for number in range(served.parts)]
