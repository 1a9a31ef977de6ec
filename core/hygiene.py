"""Looking through a whole gallery: what is wrong with it, by the rules of core/faults.py."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from core.errors import GalleryError, PhotoError
from core.faces.copies import print_of
from core.faces.photo import read_photo
from core.faults import (
    REASONS,
    CheckedPhoto,
    Fault,
    alike_actors,
    copies,
    left_out,
    mislabels,
    single_photos,
    without_credit,
)
from core.gallery.credits import readable_name
from core.gallery.photos import GalleryPhoto, scan_gallery
from core.index.embeddings_cache import EnrolledPhoto
from core.index.enrol import Progress, embed_gallery, enrolment_of
from core.settings import Settings

if TYPE_CHECKING:
    from core.faces.engine import FaceEngine

NOTES = ("single_photo", "no_credit")  # worth knowing, no faults of a photo
THUMBNAIL = (160, 160)  # pixels at most


@dataclass(frozen=True, eq=False)
class Report:
    """All photos by actor, and the faults, worst reason first."""

    photos: tuple[CheckedPhoto, ...]
    faults: tuple[Fault, ...]

    def worth_a_look(self) -> int:
        """How many faults are more than notes."""
        return sum(fault.reason not in NOTES for fault in self.faults)


def check_gallery(
    engine: FaceEngine, settings: Settings, progress: Progress = lambda items: items
) -> Report:
    """Look through a gallery; brings its embeddings cache up to date.

    Raises:
        GalleryError: no folder, or no photo in it.
    """
    files = scan_gallery(settings.dataset_dir)
    if not files:
        raise GalleryError(
            f"{settings.dataset_dir} has no photos; put some into <Actor name>/ below it"
        )
    cache, _ = embed_gallery(engine, files, settings, progress)
    found = {
        (portrait.file or ""): cache.packs[engine.pack.name].photos[portrait.sha256]
        for row in cache.actors.values()
        for portrait in row
    }
    removed = EnrolledPhoto(None, "removed")
    photos = [
        _checked(photo, found.get(photo.file, removed), settings) for photo in progress(files)
    ]
    try:
        index = enrolment_of(cache, files, set()).index
    except GalleryError:  # not one usable photo: each is a fault of its own
        index = None
    faults = [*left_out(photos), *without_credit(files, settings)]
    if index is not None:
        same_person = engine.pack.same_person
        wrong = mislabels(photos, index, same_person)
        faults += [
            *wrong,
            *copies(photos, {fault.file for fault in wrong}),
            *single_photos(photos),
            *alike_actors(index, same_person),
        ]
    order = list(REASONS)
    faults.sort(key=lambda fault: (order.index(fault.reason), fault.file))
    return Report(tuple(photos), tuple(faults))


def _checked(photo: GalleryPhoto, found: EnrolledPhoto, settings: Settings) -> CheckedPhoto:
    actor, file = photo.actor, readable_name(photo.file)
    try:
        pixels = read_photo(photo.path, settings).pixels
    except (PhotoError, OSError):
        return CheckedPhoto(actor, file, found)
    image = Image.fromarray(pixels)
    thumbnail, size = io.BytesIO(), image.size
    image.thumbnail(THUMBNAIL)
    image.save(thumbnail, "JPEG", quality=70)
    look = print_of(pixels, found.landmarks, found.embedding)
    return CheckedPhoto(actor, file, found, size, thumbnail.getvalue(), look)
