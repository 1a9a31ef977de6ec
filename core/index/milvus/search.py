"""An index in Milvus, for galleries past one process's memory: searched there, exactly.

In memory are names, portrait counts, the calibration and some templates (SAMPLE).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexRefusedError, IndexServerError
from core.files import DAMAGE
from core.gallery.photos import Portrait
from core.index.actor_index import ROUGHLY, IndexInfo, Match, best_per_actor, info_from
from core.index.milvus.server import Address, Database, in_batches, one_of
from core.index.milvus.stored import KINDS, Served, read_about, served_build
from core.index.scoring import Calibration

MOST_HITS = 16_384  # that Milvus gives for one search
SPARE = 32  # templates fetched beyond those wanted, for ties
NAMED = 1000  # names in one condition
LIVE_ACTORS = 100  # closest ones, whose similarity `actor_similarities` gives
SAMPLE = 2000  # templates that stand for the gallery in `around`
PORTRAIT_KEY = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, eq=False)
class Templates:
    """Some actors with their templates."""

    actors: tuple[str, ...]  # ascending
    templates: NDArray[np.float32]  # (T, D) unit
    template_actor: NDArray[np.int32]  # (T,) ascending

    @staticmethod
    def of(rows: Iterable[dict[str, Any]]) -> Templates:
        """Of rows with actor and vector."""
        rows = sorted(rows, key=lambda row: row["actor"])
        actors, owners = np.unique([row["actor"] for row in rows], return_inverse=True)
        vectors = np.array([row["vector"] for row in rows], dtype=np.float32)
        return Templates(tuple(actors.tolist()), vectors, owners.astype(np.int32))


@dataclass(frozen=True, eq=False)
class MilvusIndex:
    """One build in Milvus; answers as `ActorIndex` does, but for `actor_similarities`."""

    info: IndexInfo
    actors: tuple[str, ...]  # A names, ascending
    portrait_counts: NDArray[np.intp]  # (A,)
    calibration: Calibration | None
    dimension: int
    served: Served
    sample: tuple[dict[str, Any], ...]  # rows of templates, by chance
    database: Database

    def search(
        self, embedding: NDArray[np.float32], top_k: int, among: Collection[str] | None = None
    ) -> tuple[Match, ...]:
        """The `top_k` closest actors, best first, ties by name; see `ActorIndex.search`.

        Exact, for as many as 16,384 templates have.
        """
        found = self._closest(embedding, top_k, among)
        portraits = self._closest_portraits([actor for actor, _ in found], embedding)
        score = self.calibration.score if self.calibration else lambda _: None
        return tuple(
            Match(actor, similarity, score(similarity), portraits[actor])
            for actor, similarity in found
            if actor in portraits  # not deleted by a newer build just now
        )

    def actor_similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, D) unit embeddings → (M, A) best cosine of the 100 closest actors to each.

        All others have that of the hundredth: more than their own.
        """
        similarities = np.empty((len(embeddings), len(self.actors)))
        for row, embedding in zip(similarities, embeddings, strict=True):
            found = self._closest(embedding, LIVE_ACTORS, None)
            row.fill(found[-1][1] if found else -1)
            for actor, similarity in found:
                row[bisect_left(self.actors, actor)] = similarity
        return similarities

    def closest_portrait(self, actor: int, embedding: NDArray[np.float32]) -> Portrait:
        """Of an actor's portraits the one closest to a face's (D,) unit embedding."""
        name = self.actors[actor]
        found = self._closest_portraits([name], embedding)
        if not found:
            raise self._is_gone(name)
        return found[name]

    def around(self, actor: str) -> Templates:
        """An actor's templates, and the sample of those of others."""
        own = self._rows("templates", one_of("actor", [actor]), ["actor", "vector"])
        if not own:
            raise self._is_gone(actor)
        return Templates.of([*own, *(row for row in self.sample if row["actor"] != actor)])

    def portraits_of(self, keys: Iterable[str]) -> list[tuple[str, Portrait]]:
        """Portraits by `Portrait.key`, each with the actor; unknown keys are passed over."""
        known = [key for key in keys if PORTRAIT_KEY.fullmatch(key)]
        return [
            (row["actor"], _portrait(row))
            for some in in_batches(known, NAMED)
            for row in self._rows("portraits", one_of("key", some), ["actor", "about"])
        ]

    def all_portraits(self) -> Iterator[tuple[str, Portrait]]:
        """Every portrait with its actor, by actor; all of them are fetched first."""
        collection, fields = self.served.collection("portraits"), ["actor", "about"]
        rows = self.database.every_row(collection, self.served.rows, fields)
        found = [(row["actor"], _portrait(row)) for row in rows]
        yield from sorted(found, key=lambda one: (one[0], _order(one[1])))

    def _closest(
        self, embedding: NDArray[np.float32], top_k: int, among: Collection[str] | None
    ) -> list[tuple[str, float]]:
        """The closest actors with their similarity, best first."""
        if among is None or len(among) > NAMED:
            found, is_sure = self._nearest(embedding, top_k, "", among)
            if is_sure or among is None:
                return found
        found = []  # few of the gallery's are asked for: they are named
        for names in in_batches(sorted(among), NAMED):
            found += self._nearest(embedding, top_k, one_of("actor", names), None)[0]
        return sorted(found, key=lambda one: (-one[1], one[0]))[:top_k]

    def _nearest(
        self,
        embedding: NDArray[np.float32],
        top_k: int,
        condition: str,
        among: Collection[str] | None,
    ) -> tuple[list[tuple[str, float]], bool]:
        """The closest actors of those that fulfil a condition, and whether none is missing.

        Hits are fetched until one lies so far below the last actor wanted that rounding cannot
        have put it there; all above it are compared again as float64.
        """
        limit = min(top_k * self.info.clusters + SPARE, MOST_HITS)
        while True:
            hits = self._hits(embedding, limit, condition)
            near = [hit for hit in hits if among is None or hit["actor"] in among]
            first: dict[str, float] = {}
            for hit in near:
                first.setdefault(hit["actor"], hit["similarity"])
            cut = [*first.values()][top_k - 1] - ROUGHLY if len(first) >= top_k else -np.inf
            is_sure = len(hits) < limit or hits[-1]["similarity"] < cut
            if is_sure or limit == MOST_HITS:
                ids = [hit["id"] for hit in near if hit["similarity"] >= cut]
                return self._ranked(embedding, ids)[:top_k], is_sure
            limit = min(4 * limit, MOST_HITS)

    def _hits(
        self, embedding: NDArray[np.float32], limit: int, condition: str
    ) -> list[dict[str, Any]]:
        """Of the closest templates id, actor and rough similarity, best first."""
        found = self.database.search(
            self.served.collection("templates"),
            embedding,
            limit,
            self._condition(condition),
            ["actor"],
        )
        return [
            {"id": hit["id"], "similarity": hit["distance"], "actor": hit["entity"]["actor"]}
            for hit in found
        ]

    def _ranked(self, embedding: NDArray[np.float32], ids: list[str]) -> list[tuple[str, float]]:
        """Actors of some templates with their exact similarity, best first, ties by name."""
        if not ids:
            return []
        rows = [
            row
            for some in in_batches(ids, NAMED)
            for row in self._rows("templates", one_of("id", some), ["actor", "vector"])
        ]
        found = Templates.of(rows)
        similarities = best_per_actor(embedding[None], found.templates, found.template_actor)[0]
        order = np.argsort(-similarities, kind="stable")
        return [(found.actors[place], float(similarities[place])) for place in order]

    def _closest_portraits(
        self, actors: list[str], embedding: NDArray[np.float32]
    ) -> dict[str, Portrait]:
        """Of each actor's portraits the one closest to a face's."""
        best: dict[str, tuple[float, tuple[str, str], Portrait]] = {}
        for some in in_batches(actors, LIVE_ACTORS):
            fields = ["actor", "about", "vector"]
            for row in self._rows("portraits", one_of("actor", some), fields):
                similarity = float(np.asarray(row["vector"], dtype=np.float32) @ embedding)
                portrait = _portrait(row)
                this = (-similarity, _order(portrait), portrait)
                if row["actor"] not in best or this[:2] < best[row["actor"]][:2]:
                    best[row["actor"]] = this
        return {actor: portrait for actor, (_, _, portrait) in best.items()}

    def _rows(self, kind: str, condition: str, fields: list[str]) -> list[dict[str, Any]]:
        collection = self.served.collection(kind)
        return self.database.rows(collection, self._condition(condition), fields)

    def _condition(self, condition: str) -> str:
        return f"{self.served.rows} and {condition}" if condition else self.served.rows

    def _is_gone(self, actor: str) -> IndexServerError:
        return IndexServerError(
            f"{actor} is not in the index any more, which was built anew; start the app anew"
        )


def open_milvus(address: Address) -> MilvusIndex:
    """The build that is served at an address.

    Raises:
        IndexRefusedError: there is none, or not all of it is there.
        IndexServerError: Milvus does not answer.
    """
    if address.is_missing:
        raise IndexRefusedError("there is none")
    database = Database(address)
    served = served_build(database)
    if served is None:
        raise IndexRefusedError("there is none")
    for kind in KINDS:
        database.load(served.collection(kind))
        count = database.count(served.collection(kind), served.rows)
        if count != getattr(served, kind):
            raise IndexRefusedError(f"it has {count} {kind} of {getattr(served, kind)}")
    about = read_about(database, served)
    try:
        return MilvusIndex(
            info=info_from(about["info"]),
            actors=tuple(map(str, about["actors"])),
            portrait_counts=np.array(about["portrait_counts"], dtype=np.intp),
            calibration=_calibration(about["calibration"], len(about["actors"])),
            dimension=served.dimension,
            served=served,
            sample=tuple(_sampled(database, served)),
            database=database,
        )
    except DAMAGE as error:
        raise IndexRefusedError(f"it is damaged ({error})") from error


def _portrait(row: dict[str, Any]) -> Portrait:
    return Portrait.from_json(json.loads(row["about"]))


def _order(portrait: Portrait) -> tuple[str, str]:
    """Of an actor's portraits: an index's, where they are files."""
    return portrait.file or "", portrait.sha256


def _calibration(stored: list[Any] | None, actors: int) -> Calibration | None:
    """As a build wrote it: mean, deviation, similarities, ranks."""
    if stored is None:
        return None
    mean, deviation, similarities, ranks = stored
    return Calibration(np.array(similarities), np.array(ranks), mean, deviation, actors)


def _sampled(database: Database, served: Served) -> list[dict[str, Any]]:
    """Some SAMPLE templates, by chance and the same at every start: ids are hashes."""
    share = min(1.0, SAMPLE / max(1, served.templates))
    condition = f'{served.rows} and id < "{int(share * 16**8):08x}"' if share < 1 else served.rows
    rows = database.rows(served.collection("templates"), condition, ["id", "actor", "vector"])
    return [
        {"actor": row["actor"], "vector": np.array(row["vector"], dtype=np.float32)} for row in rows
    ]
