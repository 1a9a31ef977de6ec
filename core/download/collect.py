"""From actors and Commons files to a gallery on disk, two actors at a time.

A photo lands only after its actor's row and its credit are written, each by rename, and the
log says what became of each file: stopped at any moment, the next run goes on from there.

A few threads at work on a list of items, which never hold up an exit.

One actor of the gallery to be: the main portrait, then further photos from their category.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from core.download.commons import TITLES, CommonsFile, category_files, describe_files
from core.download.http import AT_ONCE, WebClient
from core.download.portrait import Known, PhotoPicker
from core.download.store import KEPT, DownloadLog, Shelf
from core.download.wikidata import WikidataActor
from core.errors import GalleryError, SourceError, StorageError
from core.faces.engine import FaceEngine
from core.gallery.removals import load_removals
from core.settings import Settings

LAST_WAIT = 5  # seconds for each thread at the end: they are daemons, and die with the process

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    stopping: threading.Event,
) -> Iterator[Result]:
    """Results as they come; the first error of any thread is raised.

    Left early (Ctrl-C, or a disk that refuses), the threads end with what they have in hand.

    Args:
        work: what is done with each item.
        items: begun in their order.
        threads: how many at once.
        stopping: once set, nothing new is begun; set where the results are not read to their end.
    """
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    count = waiting.qsize()

    def run() -> None:
        while not stopping.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(work(item))
            except BaseException as error:  # noqa: BLE001 - raised where the results are read
                done.put(error)

    workers = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    finished = False
    try:
        for _ in range(count):
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
        finished = True
    finally:
        if not finished:
            stopping.set()
        for worker in workers:
            worker.join(timeout=LAST_WAIT)


CATEGORY_FILES = 200  # listed of an actor's category, and spread over
TRIES = 6  # photos fetched for each that is wanted: some categories show mostly others
FAULTS = 2  # files of one actor that cannot be fetched: the rest is left to the next run

Files = Mapping[str, CommonsFile]  # by name


class ActorFiller:
    """Brings actors to the wanted number of photos, from where an earlier run left off."""

    def __init__(
        self, client: WebClient, engine: FaceEngine, settings: Settings, photos: int
    ) -> None:
        """Look at what is on disk; see `Collector`."""
        self._client, self._settings, self._photos = client, settings, photos
        self._shelf = Shelf(settings.dataset_dir)
        self._log = DownloadLog(settings.dataset_dir)
        self._picker = PhotoPicker(client, engine, settings, self._shelf, self._log)
        self._removals = load_removals(settings.removals_path)

    def portraits_to_see(self, actors: Sequence[WikidataActor]) -> list[str]:
        """Main portraits that this run may have to fetch."""
        return [
            name
            for actor in actors
            if not self._is_removed(actor) and not self.on_disk(actor)
            for name in actor.images
            if not self._log.reason_for(actor.wikidata, name)
        ]

    def on_disk(self, actor: WikidataActor) -> list[Path]:
        """An actor's photos."""
        try:
            return self._shelf.photos_in(self._shelf.folder_of(actor))
        except GalleryError:
            return []

    def fill(self, actor: WikidataActor, files: Files, refused: Counter[str]) -> str:
        """Bring an actor to the wanted number of photos; "" or why there are none.

        Args:
            actor: whose.
            files: what Commons knows of the main portraits.
            refused: counts the files refused, by reason.

        Raises:
            SourceError: photos are missing, and some could not be fetched.
            GalleryError: the actor can have no folder.
            StorageError: the dataset cannot be written.
        """
        if self._is_removed(actor):
            return "removed for good, by removals.json"
        folder = self._shelf.folder_of(actor)
        there = self._shelf.photos_in(folder)
        if len(there) >= self._photos:
            return ""
        if there and self._log.searched(actor.wikidata) >= self._photos:
            return ""
        if there:
            known = self._picker.known_of(there)
        else:
            known = self._take_portrait(actor, folder, files, refused)
        if isinstance(known, str):
            return known
        self._take_more(actor, folder, known, refused, afresh=not there)
        return ""

    def _is_removed(self, actor: WikidataActor) -> bool:
        return any(name in self._removals for name in (actor.name, actor.name_ko) if name)

    def _take_portrait(
        self, actor: WikidataActor, folder: str, files: Files, refused: Counter[str]
    ) -> Known | str:
        """The main portrait, the first of Wikidata's images that will do; or why none does."""
        reason = "Wikidata has no image"
        for name in actor.images:
            noted = self._log.reason_for(actor.wikidata, name)
            if noted:
                reason = noted
                continue
            got = self._picker.take_portrait(actor, folder, files.get(name), name)
            if isinstance(got, Known):
                return got
            reason = got
            refused[got] += 1
        return f"no main portrait: {reason}"

    def _take_more(
        self, actor: WikidataActor, folder: str, known: Known, refused: Counter[str], afresh: bool
    ) -> None:
        """Further photos from the actor's category on Commons, spread over it."""
        missing = self._photos - len(self._shelf.photos_in(folder))
        if missing <= 0:
            return
        tries = missing * TRIES
        faults: list[SourceError] = []
        for file in self._candidates(actor, folder, missing, afresh):
            if missing == 0 or tries == 0 or len(faults) == FAULTS:
                break
            tries -= file.usable
            try:
                got = self._picker.take_further(actor, folder, file, _name(file.title), known)
            except SourceError as error:  # tried again by the next run
                faults.append(error)
                continue
            refused.update([got] if got else [])
            missing -= not got
        if missing and faults:
            raise faults[-1]
        if missing:
            self._log.note_searched(actor.wikidata, self._photos)

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
            if self._log.reason_for(actor.wikidata, name) in ((None, KEPT) if afresh else (None,))
        ]
        sources = self._shelf.sources_in(folder)
        for start in range(0, len(names), TITLES):
            files = describe_files(self._client, self._settings, names[start : start + TITLES])
            for file in files.values():
                if file.credit.source not in sources:
                    yield file


def _name(title: str) -> str:
    return title.removeprefix("File:")


def _spread(titles: Sequence[str], wanted: int) -> list[str]:
    """The same titles, neighbours apart: a category's neighbours are often one event."""
    step = max(1, len(titles) // max(1, wanted))
    return [title for start in range(step) for title in titles[start::step]]


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
        self._client, self._settings = client, settings
        self._filler = ActorFiller(client, engine, settings, photos)

    def collect(self, actors: Iterator[WikidataActor], limit: int) -> Iterator[Outcome]:
        """Outcomes, until `limit` actors have photos or there are no more actors.

        Raises:
            SourceError: nothing answers any more.
            StorageError: the dataset cannot be written.
        """
        found, silent = 0, 0
        while found < limit and (some := list(islice(actors, min(limit - found, TITLES)))):
            portraits = self._filler.portraits_to_see(some)
            files = describe_files(self._client, self._settings, portraits)
            work = partial(self._outcome, files=files)
            for outcome in in_parallel(work, some, AT_ONCE, self._client.stopping):
                found += outcome.photos > 0
                silent = silent + 1 if outcome.unreachable else 0
                yield outcome
                if silent == UNREACHABLE:
                    raise SourceError(f"{outcome.reason} ({silent} actors in a row)")

    def _outcome(self, actor: WikidataActor, files: dict[str, CommonsFile]) -> Outcome:
        """What became of an actor; only a disk that refuses stops the others."""
        before = len(self._filler.on_disk(actor))
        refused: Counter[str] = Counter()
        reason, unreachable = "", False
        try:
            reason = self._filler.fill(actor, files, refused)
        except StorageError:
            raise
        except SourceError as error:
            reason, unreachable = str(error), True
        except GalleryError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - named in the summary, whatever it was
            reason = f"{type(error).__name__}: {error}; report it"
        photos = len(self._filler.on_disk(actor))
        return Outcome(actor, photos, photos - before, reason, refused, unreachable)
