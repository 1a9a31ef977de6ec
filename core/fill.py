"""One actor of the gallery to be: the main portrait, then further photos from their category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.commons import TITLES, CommonsFile, category_files, describe_files
from core.download_log import KEPT, DownloadLog
from core.errors import GalleryError, SourceError
from core.faces.engine import FaceEngine
from core.gallery.removals import load_removals
from core.pick import Known, PhotoPicker
from core.settings import Settings
from core.shelf import Shelf
from core.web import WebClient
from core.wikidata import WikidataActor

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
