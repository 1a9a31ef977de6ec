"""Builds of an index in Milvus: only what changed is written, and nothing half done is served."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from core.files import sha256_of
from core.index.actor_index import ActorIndex
from core.index.milvus.server import Address, Database, in_batches, one_of
from core.index.milvus.stored import (
    FOREVER,
    KINDS,
    PART,
    STATE,
    WRITER,
    Served,
    collection_of,
    serve,
    served_build,
    state_row,
    write_about,
)
from core.index.scoring import Calibration

KNOTS = 50_001  # of a calibration; more are thinned to these, which changes a score by 0.002
OWN = re.compile(rf"{STATE}(_({'|'.join(KINDS)})_\d+)?")  # collections


def is_in_milvus(address: Address) -> bool:
    """Whether a build is served at an address, fit or not."""
    return not address.is_missing and served_build(Database(address)) is not None


def drop_from_milvus(address: Address) -> None:
    """Delete all builds at an address."""
    if address.is_missing:
        return
    database = Database(address)
    for name in sorted(database.collections()):  # first of all the one that says what is served
        if OWN.fullmatch(name):
            database.drop(name)


def keep_in_milvus(index: ActorIndex, address: Address) -> None:
    """Write a build and have it served; what a broken-off one left is cleared away.

    Raises:
        StorageError: another build was writing too.
        IndexServerError: Milvus does not answer.
    """
    database = Database(address)
    database.make(STATE, 2, {"text": 65_535})
    before = served_build(database)
    build = before.build + 1 if before else 1
    writer = Writer(database)
    counts, ended = {}, {}
    for kind in KINDS:
        collection = collection_of(kind, index.dimension)
        database.make(collection, index.dimension, {"actor": 1024, "key": 16, "about": 65_535})
        counts[kind], ended[collection] = _write(writer, collection, _rows_of(index, kind), build)
    text = json.dumps(_about_of(index))
    parts = -(-len(text) // PART)
    served = Served(build, index.dimension, parts, sha256_of(text.encode()), **counts)
    write_about(database, served, text)
    for kind in KINDS:
        if database.count(served.collection(kind), served.rows) != counts[kind]:
            raise writer.is_disturbed()
    writer.check()
    serve(database, served)
    _clear(database, served, ended)


class Writer:
    """Who is writing a build: the last one to say so; the others stop."""

    def __init__(self, database: Database) -> None:
        """Say so."""
        self.database = database
        self._name = uuid.uuid4().hex
        database.upsert(STATE, [state_row(WRITER, FOREVER, self._name)])

    def check(self) -> None:
        """Refuse to go on where another build has begun.

        Raises:
            StorageError: it has.
        """
        rows = self.database.rows(STATE, one_of("id", [WRITER]), ["text"])
        if [row["text"] for row in rows] != [self._name]:
            raise self.is_disturbed()

    def is_disturbed(self) -> StorageError:
        """By another build."""
        return StorageError(
            f"another build is writing to {self.database.address} too; wait for it, then build"
            " again"
        )


def _write(
    writer: Writer, collection: str, rows: Iterable[dict[str, Any]], build: int
) -> tuple[int, list[str]]:
    """Bring a collection's rows up to date for a build that is not served yet.

    How many it has, and the ids of the former build's rows that it has not.
    """
    database, fields = writer.database, ["id", "since", "until"]
    there = {row["id"]: row for row in database.every_row(collection, "", fields)}
    served = {key for key, row in there.items() if row["since"] < build <= row["until"]}
    wanted: set[str] = set()

    def changed() -> Iterator[dict[str, Any]]:
        for row in rows:
            key = row["id"]
            wanted.add(key)
            if key not in there or there[key]["until"] != FOREVER:
                since = there[key]["since"] if key in served else build
                yield row | {"since": since, "until": FOREVER}

    database.upsert(collection, changed())
    ended = sorted(served - wanted)
    for some in in_batches(key for key in ended if there[key]["until"] != build):
        found = database.rows(collection, one_of("id", some), ["*"])
        database.upsert(collection, (row | {"until": build} for row in found))
    writer.check()
    database.delete(collection, there.keys() - wanted - served)
    database.flush(collection)
    return len(wanted), ended


def _rows_of(index: ActorIndex, kind: str) -> Iterator[dict[str, Any]]:
    """An index's templates or portraits, as rows without builds."""
    if kind == "templates":
        names = (index.actors[actor] for actor in index.template_actor)
        for name, vector in zip(names, index.templates, strict=True):
            yield _row(name, vector)
    else:
        for (name, portrait), vector in zip(index.all_portraits(), index.embeddings, strict=True):
            yield _row(name, vector, portrait.key, json.dumps(portrait.to_json()))


def _row(actor: str, vector: NDArray[np.float32], key: str = "", about: str = "") -> dict[str, Any]:
    content = "\n".join((actor, about)).encode() + vector.tobytes()
    identity = sha256_of(content)[:32]
    return {"id": identity, "vector": vector, "actor": actor, "key": key, "about": about}


def _about_of(index: ActorIndex) -> dict[str, Any]:
    """What is known of an index, for its readers' memory."""
    scale = index.calibration
    return {
        "info": vars(index.info),
        "actors": index.actors,
        "portrait_counts": index.portrait_counts.tolist(),
        "calibration": scale and _thinned(scale),
    }


def _thinned(scale: Calibration) -> list[Any]:
    """Mean, deviation, similarities, ranks: at most KNOTS of them, at even ranks."""
    similarities, ranks = scale.similarities, scale.ranks
    if len(ranks) > KNOTS:
        even = np.linspace(ranks[0], ranks[-1], KNOTS)
        similarities, ranks = np.interp(even, ranks, similarities), even
    return [scale.mean, scale.deviation, similarities.tolist(), ranks.tolist()]


def _clear(database: Database, served: Served, ended: dict[str, list[str]]) -> None:
    """Delete what the build that is served now has no part in."""
    for collection, ids in ended.items():
        database.delete(collection, ids)
        database.flush(collection)
    others = database.rows(STATE, f"since < {served.build}", ["id"])
    database.delete(STATE, [row["id"] for row in others])
    database.flush(STATE)
    for name in database.collections():
        if OWN.fullmatch(name) and name not in (STATE, *ended):
            database.drop(name)
