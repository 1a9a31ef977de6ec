"""From a source's actors and candidates to a gallery on disk, one after the other.

Stopped at any moment, the next run goes on from there: what was kept is on disk with its credit,
what was refused is in `refused.csv`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.download.portrait import Cutout, Known, cut_other, cut_portrait, known_of
from core.download.source import Candidate, Source, SourceActor
from core.download.store import Store
from core.errors import GalleryError, GoneError, PhotoError, SourceError, StorageError
from core.faces.engine import FaceEngine
from core.faces.photo import Photo, read_photo
from core.gallery.removals import Removals
from core.settings import PhotoLimits

TRIES = 6  # pictures fetched for each that is wanted: some categories show mostly others
FAULTS = 2  # pictures of one actor that cannot be fetched: the rest is left to the next run
UNREACHABLE = 5  # actors in a row that the source gave nothing for: then it is not the actors

Cut = Callable[[Photo], Cutout | str]  # the cutout, or why there is none


@dataclass(frozen=True)
class Outcome:
    """What became of one actor in this run."""

    actor: SourceActor
    photos: int = 0  # on disk now
    new: int = 0  # of them by this run
    reason: str = ""  # why there are none, or fewer than there might be
    refused: Counter[str] = field(default_factory=Counter)  # pictures refused now, by reason
    unreachable: bool = False  # the network's fault: the next run tries again


class Collector:
    """Fetches, checks, crops and keeps photos of actors."""

    def __init__(
        self,
        source: Source,
        engine: FaceEngine,
        store: Store,
        *,
        photos: int,
        removals: Removals,
        limits: PhotoLimits = PhotoLimits(),
    ) -> None:
        """Nothing is asked yet.

        Args:
            source: of actors and pictures.
            engine: finds and compares faces.
            store: the folder to fill.
            photos: wanted of each actor.
            removals: who is passed over.
            limits: of a photo.
        """
        self._source, self._engine, self._store = source, engine, store
        self._photos, self._removals, self._limits = photos, removals, limits

    def collect(self, limit: int) -> Iterator[Outcome]:
        """Outcomes, until `limit` actors have photos or there are no more actors.

        Raises:
            SourceError: nothing answers any more.
            StorageError: the dataset cannot be written.
        """
        actors = self._source.actors()
        found, silent = 0, 0
        while found < limit and (actor := next(actors, None)):
            outcome = self._outcome(actor)
            found += outcome.photos > 0
            silent = silent + 1 if outcome.unreachable else 0
            yield outcome
            if silent == UNREACHABLE:
                raise SourceError(f"{outcome.reason} ({silent} actors in a row)")

    def _outcome(self, actor: SourceActor) -> Outcome:
        """What became of an actor; only a disk that refuses stops the others."""
        before = self._count(actor)
        refused: Counter[str] = Counter()
        reason, unreachable = "", False
        try:
            reason = self._fill(actor, refused)
        except StorageError:
            raise
        except SourceError as error:
            reason, unreachable = str(error), True
        except GalleryError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - named in the summary, whatever it was
            reason = f"{type(error).__name__}: {error}; report it"
        photos = self._count(actor)
        return Outcome(actor, photos, photos - before, reason, refused, unreachable)

    def _count(self, actor: SourceActor) -> int:
        try:
            return len(self._store.photos_in(self._store.folder_of(actor)))
        except GalleryError:  # it can have no folder
            return 0

    def _fill(self, actor: SourceActor, refused: Counter[str]) -> str:
        """Bring an actor to the wanted number of photos; "" or why there are none."""
        if any(name in self._removals for name in (actor.name, *actor.names.values())):
            return "removed for good, by removals.json"
        folder = self._store.folder_of(actor)
        there = self._store.photos_in(folder)
        searched = self._store.refusals.is_searched(actor.id, self._photos)
        if len(there) >= self._photos or (there and searched):
            return ""
        known = self._known_of(there) if there else self._take_portrait(actor, folder, refused)
        if isinstance(known, str):
            return known
        missing = self._photos - max(1, len(there))
        if missing:
            self._take_others(actor, folder, known, missing, refused)
        return ""

    def _known_of(self, paths: Sequence[Path]) -> Known | str:
        photos = []
        for path in paths:
            with contextlib.suppress(PhotoError):
                photos.append(read_photo(path, self._limits))
        known = known_of(self._engine, photos)
        return known or "its photos on disk show no face to compare with"

    def _take_portrait(self, actor: SourceActor, folder: str, refused: Counter[str]) -> Known | str:
        """The main portrait, the first of the source's that will do; or why none does."""
        reason = "there is no picture"
        for candidate in self._source.portraits(actor):
            noted = self._store.refusals.reason_for(actor.id, candidate.page)
            if noted:
                reason = noted
                continue
            got = self._take(actor, folder, candidate, partial(cut_portrait, self._engine))
            if isinstance(got, Cutout):
                return Known(got.embedding, ()).and_of(got)
            reason = got
            refused[got] += 1
        return f"no main portrait: {reason}"

    def _take_others(
        self, actor: SourceActor, folder: str, known: Known, missing: int, refused: Counter[str]
    ) -> None:
        """Further photos of an actor, until there are enough or no more will do."""
        tries = missing * TRIES
        faults: list[SourceError] = []
        for candidate in self._new_others(actor, folder, missing):
            tries -= not candidate.refusal
            cut = partial(cut_other, self._engine, known=known)
            try:
                got = self._take(actor, folder, candidate, cut)
            except SourceError as error:  # tried again by the next run
                faults.append(error)
            else:
                if isinstance(got, Cutout):
                    known = known.and_of(got)
                    missing -= 1
                else:
                    refused[got] += 1
            if not missing or not tries or len(faults) == FAULTS:
                break
        if missing and faults:
            raise faults[-1]
        if missing:
            self._store.refusals.note_searched(actor.id, self._photos)

    def _new_others(self, actor: SourceActor, folder: str, wanted: int) -> Iterator[Candidate]:
        """Candidates that were neither kept nor refused before."""
        pages = self._store.pages_in(folder)
        for candidate in self._source.others(actor, wanted):
            noted = self._store.refusals.reason_for(actor.id, candidate.page)
            if candidate.page not in pages and not noted:
                pages.add(candidate.page)
                yield candidate

    def _take(
        self, actor: SourceActor, folder: str, candidate: Candidate, cut: Cut
    ) -> Cutout | str:
        """Fetch, check and keep one picture; the cutout, or why it was refused."""
        got = self._cutout(candidate, cut)
        if isinstance(got, Cutout):
            self._store.put(actor, folder, got.jpeg, candidate.credit)
        else:
            self._store.refusals.note(actor.id, candidate.page, got)
        return got

    def _cutout(self, candidate: Candidate, cut: Cut) -> Cutout | str:
        if candidate.refusal:
            return candidate.refusal
        try:
            data = self._source.fetch(candidate, int(self._limits.megabytes * 1e6))
            return cut(read_photo(data, self._limits))
        except GoneError as error:
            return f"it cannot be fetched: {error}"
        except PhotoError as error:
            return f"it cannot be read as a picture ({error.code})"
