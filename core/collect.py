"""From actors and Commons files to a gallery on disk, one photo at a time.

A photo lands only after its actor's row and its credit are written, each by rename, and the
log says what became of each file: stopped at any moment, the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.commons import TITLES, CommonsFile, category_files, describe_files
from core.crop import (
    Cutout,
    PhotoPrint,
    cut_out,
    dominant_face,
    is_large_enough,
    matching_face,
    print_of,
)
from core.download_log import KEPT, DownloadLog
from core.errors import GalleryError, GoneError, PhotoError, SourceError, StorageError
from core.faces import Face, FaceEngine
from core.photo import Photo, read_photo
from core.removals import load_removals
from core.settings import Settings
from core.shelf import Shelf
from core.web import AT_ONCE, WebClient
from core.wikidata import WikidataActor

INCOMING = ".incoming"  # below the dataset: fetched files that were not looked at yet
CATEGORY_FILES = 200  # listed of an actor's category, and spread over
TRIES = 6  # photos fetched for each that is wanted: some categories show mostly others
FAULTS = 2  # files of one actor that cannot be fetched: the rest is left to the next run
UNREACHABLE = 5  # actors in a row that Commons gave nothing for: then it is not the actors


@dataclass(frozen=True)
class Outcome:
    """What became of one actor in this run."""

    actor: WikidataActor
    photos: int = 0  # on disk now
    new: int = 0  # of them by this run
    reason: str = ""  # why there are none, or fewer than there might be
    refused: Counter[str] = field(default_factory=Counter)  # files refused by this run, by reason
    unreachable: bool = False  # the network's fault: the next run tries again


@dataclass(frozen=True, eq=False)
class _Known:
    """What an actor's photos on disk say: whom to look for, and what is there already."""

    embedding: NDArray[np.float32]  # (D,) unit length, of the main portrait
    prints: list[PhotoPrint]


class Collector:
    """Fetches, checks, crops and keeps photos of actors, two actors at a time."""

    def __init__(
        self, client: WebClient, engine: FaceEngine, settings: Settings, photos: int
    ) -> None:
        """Look at what is on disk.

        Args:
            client: asks Commons.
            engine: finds and compares faces.
            settings: where to ask, where to write.
            photos: wanted of each actor.
        """
        self.shelf = Shelf(settings.dataset_dir)
        self.log = DownloadLog(settings.dataset_dir)
        self._client, self._engine, self._settings = client, engine, settings
        self._photos = photos
        self._removals = load_removals(settings.removals_path)
        self._incoming = settings.dataset_dir / INCOMING
        for leftover in self._incoming.glob(".*.tmp"):
            leftover.unlink()

    def collect(self, actors: Iterator[WikidataActor], limit: int) -> Iterator[Outcome]:
        """Outcomes, until `limit` actors have photos or there are no more actors.

        Raises:
            SourceError: nothing answers any more.
            StorageError: the dataset cannot be written.
        """
        found, silent = 0, 0
        while found < limit and (some := list(islice(actors, min(limit - found, TITLES)))):
            files = describe_files(self._client, self._settings, self._portraits_to_see(some))
            work = _in_parallel(partial(self._outcome, files=files), some, self)
            for outcome in work:
                found += outcome.photos > 0
                silent = silent + 1 if outcome.unreachable else 0
                yield outcome
                if silent == UNREACHABLE:
                    raise SourceError(f"{outcome.reason} ({silent} actors in a row)")

    def stop(self) -> None:
        """Begin nothing new."""
        self._client.stop()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._client.stopping.is_set()

    def _portraits_to_see(self, actors: Sequence[WikidataActor]) -> list[str]:
        """Main portraits that this run may have to fetch."""
        return [
            name
            for actor in actors
            if not self._is_removed(actor) and not self._on_disk(actor)
            for name in actor.images
            if not self.log.reason_for(actor.wikidata, name)
        ]

    def _is_removed(self, actor: WikidataActor) -> bool:
        return any(name in self._removals for name in (actor.name, actor.name_ko) if name)

    def _on_disk(self, actor: WikidataActor) -> list[Path]:
        try:
            return self.shelf.photos_in(self.shelf.folder_of(actor))
        except GalleryError:
            return []

    def _outcome(self, actor: WikidataActor, files: dict[str, CommonsFile]) -> Outcome:
        """What became of an actor; only a disk that refuses stops the others."""
        before = len(self._on_disk(actor))
        refused: Counter[str] = Counter()
        reason, unreachable = "", False
        try:
            reason = self._fill(actor, files, refused)
        except StorageError:
            raise
        except SourceError as error:
            reason, unreachable = str(error), True
        except GalleryError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - named in the summary, whatever it was
            reason = f"{type(error).__name__}: {error}; report it"
        photos = len(self._on_disk(actor))
        return Outcome(actor, photos, photos - before, reason, refused, unreachable)

    def _fill(
        self, actor: WikidataActor, files: dict[str, CommonsFile], refused: Counter[str]
    ) -> str:
        """Bring an actor to the wanted number of photos; "" or why there are none."""
        if self._is_removed(actor):
            return "removed for good, by removals.json"
        folder = self.shelf.folder_of(actor)
        there = self.shelf.photos_in(folder)
        if len(there) >= self._photos:
            return ""
        if there and self.log.searched(actor.wikidata) >= self._photos:
            return ""
        known = (
            self._known_of(there) if there else self._take_portrait(actor, folder, files, refused)
        )
        if isinstance(known, str):
            return known
        self._take_more(actor, folder, known, refused, afresh=not there)
        return ""

    def _known_of(self, photos: Sequence[Path]) -> _Known | str:
        """From the photos on disk, the first of which is the main portrait."""
        seen = [
            (photo, dominant_face(self._engine.find_faces(photo))) for photo in self._read(photos)
        ]
        faces = [(photo, face) for photo, face in seen if face is not None]
        if not faces:
            return "its photos on disk show no face to compare with"
        return _Known(faces[0][1].embedding, [print_of(*pair) for pair in faces])

    def _read(self, photos: Sequence[Path]) -> Iterator[Photo]:
        for path in photos:
            with contextlib.suppress(PhotoError):
                yield read_photo(path, self._settings)

    def _take_portrait(
        self,
        actor: WikidataActor,
        folder: str,
        files: dict[str, CommonsFile],
        refused: Counter[str],
    ) -> _Known | str:
        """The main portrait, the first of Wikidata's images that will do; or why none does."""
        reason = "Wikidata has no image"
        for name in actor.images:
            noted = self.log.reason_for(actor.wikidata, name)
            if noted:
                reason = noted
                continue
            got = self._take(actor, folder, files.get(name), name, self._cut_portrait)
            if isinstance(got, Cutout):
                return _Known(got.embedding, [got.print])
            reason = got
            refused[got] += 1
        return f"no main portrait: {reason}"

    def _take_more(
        self,
        actor: WikidataActor,
        folder: str,
        known: _Known,
        refused: Counter[str],
        afresh: bool,
    ) -> None:
        """Further photos from the actor's category on Commons, spread over it.

        Raises:
            SourceError: photos are missing, and some could not be fetched.
        """
        missing = self._photos - len(self.shelf.photos_in(folder))
        if missing <= 0:
            return
        tries = missing * TRIES
        faults: list[SourceError] = []
        for file in self._candidates(actor, folder, missing, afresh):
            if missing == 0 or tries == 0 or len(faults) == FAULTS:
                break
            tries -= file.usable
            try:
                got = self._take(
                    actor,
                    folder,
                    file,
                    _name(file.title),
                    lambda photo: self._cut_more(photo, known),
                )
            except SourceError as error:  # tried again by the next run
                faults.append(error)
                continue
            if isinstance(got, Cutout):
                known.prints.append(got.print)
                missing -= 1
            else:
                refused[got] += 1
        if missing and faults:
            raise faults[-1]
        if missing:
            self.log.note_searched(actor.wikidata, self._photos)

    def _candidates(
        self, actor: WikidataActor, folder: str, missing: int, afresh: bool
    ) -> Iterator[CommonsFile]:
        """Files of the category that were neither kept nor refused before.

        One that was kept and is gone was removed by the owner, unless the whole folder is gone.
        """
        if not actor.category:
            return
        titles = category_files(self._client, self._settings, actor.category, CATEGORY_FILES)
        names = [
            name
            for name in map(_name, _spread(titles, missing))
            if self.log.reason_for(actor.wikidata, name) in ((None, KEPT) if afresh else (None,))
        ]
        sources = self.shelf.sources_in(folder)
        for start in range(0, len(names), TITLES):
            files = describe_files(self._client, self._settings, names[start : start + TITLES])
            for file in files.values():
                if file.credit.source not in sources:
                    yield file

    def _take(
        self,
        actor: WikidataActor,
        folder: str,
        file: CommonsFile | None,
        name: str,
        cut: Callable[[Photo], Cutout | str],
    ) -> Cutout | str:
        """Fetch, check and keep one file; the cutout, or why it was refused. Both are noted."""
        key = hashlib.sha256(f"{actor.wikidata}/{name}".encode()).hexdigest()
        fetched = self._incoming / key[:32]
        got = self._cut_file(file, fetched, cut)
        if isinstance(got, Cutout) and file is not None:
            self.shelf.put(actor, folder, got.jpeg, file.credit)
        self.log.note_file(actor.wikidata, name, KEPT if isinstance(got, Cutout) else got)
        fetched.unlink(missing_ok=True)
        return got

    def _cut_file(
        self, file: CommonsFile | None, fetched: Path, cut: Callable[[Photo], Cutout | str]
    ) -> Cutout | str:
        if file is None:
            return "it is not on Commons"
        if not file.usable:
            return file.refusal
        try:
            if not fetched.exists():  # a killed run may have fetched it
                most = int(self._settings.max_megabytes * 1e6)
                self._client.download(file.url, fetched, most)
            return cut(read_photo(fetched, self._settings))
        except GoneError as error:
            return f"it cannot be fetched: {error}"
        except PhotoError as error:
            return f"it cannot be read as a picture ({error.code})"

    def _cut_portrait(self, photo: Photo) -> Cutout | str:
        faces = self._engine.find_faces(photo)
        face = dominant_face(faces)
        if face is None:
            return "it shows several faces, none dominant" if faces else "it shows no face"
        return self._cut(photo, face, faces)

    def _cut_more(self, photo: Photo, known: _Known) -> Cutout | str:
        faces = self._engine.find_faces(photo)
        face = matching_face(faces, known.embedding, self._engine.pack.same_person)
        if face is None:
            return "it shows somebody else" if faces else "it shows no face"
        got = self._cut(photo, face, faces)
        if isinstance(got, Cutout) and any(got.print.is_copy_of(one) for one in known.prints):
            return "it is a copy of a photo already kept"
        return got

    def _cut(self, photo: Photo, face: Face, faces: Sequence[Face]) -> Cutout | str:
        if not is_large_enough(face):
            return "its face is too small"
        return cut_out(self._engine, photo, face, faces) or "others are too close to the face"


def _name(title: str) -> str:
    return title.removeprefix("File:")


def _spread(titles: Sequence[str], wanted: int) -> list[str]:
    """The same titles, neighbours apart: a category's neighbours are often one event."""
    step = max(1, len(titles) // max(1, wanted))
    return [title for start in range(step) for title in titles[start::step]]


def _in_parallel(
    work: Callable[[WikidataActor], Outcome],
    actors: Iterable[WikidataActor],
    collector: Collector,
) -> Iterator[Outcome]:
    """Outcomes as they come, of `AT_ONCE` threads that never hold up an exit.

    Left early (Ctrl-C, or a disk that refuses), the threads end with what they have in hand.
    """
    waiting: queue.SimpleQueue[WikidataActor | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()

    def run() -> None:
        while not collector.stopping and (actor := waiting.get()) is not None:
            try:
                done.put(work(actor))
            except BaseException as error:  # noqa: BLE001 - raised where the outcomes are read
                done.put(error)

    count = 0
    for count, actor in enumerate(actors, start=1):  # noqa: B007
        waiting.put(actor)
    threads = [threading.Thread(target=run, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        waiting.put(None)
        thread.start()
    finished = False
    try:
        for _ in range(count):
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
        finished = True
    finally:
        if not finished:
            collector.stop()
        for thread in threads:
            thread.join(timeout=5)
