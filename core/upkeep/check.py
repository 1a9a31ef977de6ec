"""Looking through a whole gallery: what is wrong with it, by the rules of core/upkeep/check.py.

The rules by which a photo or an actor of a gallery is worth a look.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import GalleryError, PhotoError
from core.faces.copies import Print, find_copies, print_of
from core.faces.photo import read_photo
from core.gallery.credits import CREDITS_FILE, readable_name
from core.gallery.photos import GalleryPhoto, read_gallery
from core.index.actor_index import ActorIndex
from core.index.embeddings_cache import EnrolledPhoto
from core.index.enrol import Progress, embed_gallery, enrolment_of
from core.settings import Settings

if TYPE_CHECKING:
    from core.faces.engine import FaceEngine

REASONS = {  # worst first
    "likely_mislabel": "likely mislabel",
    "duplicate": "duplicate",
    "several_faces": "several people, none dominant",
    "no_face": "no face found",
    "unreadable": "cannot be read as a picture",
    "too_large": "too large",
    "alike_actors": "two actors suspiciously alike",
    "removed": "taken out by removals.json, not matched",
    "single_photo": "the actor's only usable photo",
    "no_credit": "no credit in credits.csv",
}
HIDDEN = "it was downloaded, so it is matched and not shown"
# How far, in robust deviations, two actors' similarity may lie above the median of all pairs:
# a normal distribution passes 4.5 once in 300,000 pairs. Measured with SFace: the most alike of
# 80 actors (3,160 pairs) lie 3.5 above, of the starter gallery's 397 (78,606 pairs) 4.0.
ALIKE_DEVIATIONS = 4.5
IQR_TO_DEVIATION = 1.349  # the interquartile range of a normal distribution, in deviations


@dataclass(frozen=True)
class Fault:
    """One thing that a person should look at."""

    file: str  # "<Actor>/<name>" below the dataset
    actor: str
    reason: str  # a key of REASONS
    detail: str  # a sentence's end, "" where the reason says it all
    other: str | None = None  # the photo or the actor that it is a copy of, or is like

    def to_json(self) -> dict[str, str | None]:
        """One object of `check_gallery.py --json`."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class CheckedPhoto:
    """A photo of the gallery and what was read from it."""

    actor: str
    file: str  # "<Actor>/<name>", readable
    found: EnrolledPhoto
    size: tuple[int, int] | None = None  # width, height; None if it cannot be read
    thumbnail: bytes = b""  # JPEG
    look: Print | None = None


def left_out(photos: list[CheckedPhoto]) -> list[Fault]:
    """Photos in which enrolment found no one face to use."""
    return [
        Fault(photo.file, photo.actor, photo.found.left_out, "")
        for photo in photos
        if photo.found.left_out
    ]


def without_credit(files: list[GalleryPhoto], settings: Settings) -> list[Fault]:
    """One's own photos only where credits are kept; downloaded ones always."""
    kept = (settings.dataset_dir / CREDITS_FILE).is_file()
    return [
        Fault(readable_name(photo.file), photo.actor, "no_credit", HIDDEN if photo.credit else "")
        for photo in files
        if (kept if photo.credit is None else not photo.credit.is_given)
    ]


def _by_actor(photos: list[CheckedPhoto]) -> dict[str, list[CheckedPhoto]]:
    """Photos with a face to use, by actor."""
    rows = defaultdict(list)
    for photo in photos:
        if photo.found.embedding is not None:
            rows[photo.actor].append(photo)
    return rows


def mislabels(photos: list[CheckedPhoto], index: ActorIndex, same_person: float) -> list[Fault]:
    """Photos unlike their siblings, as the index leaves them out, or closer to another actor.

    The second rule takes a photo for another actor's if it is closer to that actor's template
    than to its siblings' mean, and above the pack's same-person threshold. Measured with SFace
    on the development gallery, 10 photos swapped, 400 times: both rules together found all of
    3,980, the first alone 94 % (docs/evaluation.md).
    """
    found = []
    for actor, row in _by_actor(photos).items():
        vectors = np.stack([p.found.embedding for p in row if p.found.embedding is not None])
        similarities = index.actor_similarities(vectors)
        if actor in index.actors:
            similarities[:, index.actors.index(actor)] = -1
        for position, photo in enumerate(row):
            closest = int(similarities[position].argmax())
            other, name = float(similarities[position, closest]), index.actors[closest]
            own = _to_siblings(vectors, position)
            elsewhere = own is not None and other > max(own, same_person)
            if elsewhere or index.info.left_out.get(photo.file) == "likely_mislabel":
                found.append(_mislabel(photo, own or 0.0, name if elsewhere else None, other))
    return found


def _mislabel(photo: CheckedPhoto, own: float, name: str | None, other: float) -> Fault:
    detail = f"similarity {own:.2f} to {photo.actor}'s other photos"
    if name is not None:
        detail += f", {other:.2f} to {name}'s"
    return Fault(photo.file, photo.actor, "likely_mislabel", detail, name)


def _to_siblings(vectors: NDArray[np.float32], position: int) -> float | None:
    """Cosine of one photo to the mean of its actor's others; None if there are none."""
    rest = np.delete(vectors, position, axis=0).mean(axis=0) if len(vectors) > 1 else None
    return None if rest is None else float(vectors[position] @ rest / np.linalg.norm(rest))


def copies(photos: list[CheckedPhoto], mislabelled: set[str]) -> list[Fault]:
    """Each copy once, with the photo it repeats: of two, the mislabelled one, else the later."""
    seen = [photo for photo in photos if photo.look is not None]
    seen.sort(key=lambda photo: (photo.file in mislabelled, *_natural(photo.file)))
    faults: dict[str, Fault] = {}
    for first, second in find_copies([photo.look for photo in seen if photo.look is not None]):
        copy, original = seen[second], seen[first]
        detail = f"shows the same as {original.file} ({_pixels(copy)} and {_pixels(original)})"
        fault = Fault(copy.file, copy.actor, "duplicate", detail, original.file)
        faults.setdefault(copy.file, fault)
    return list(faults.values())


def _natural(file: str) -> tuple[int, str, str]:
    """Order of file names in which 2.jpg comes before 10.jpg."""
    folder, _, name = file.rpartition("/")
    stem = name.rpartition(".")[0]
    return (int(stem) if stem.isdecimal() else 10**9, name, folder)


def _pixels(photo: CheckedPhoto) -> str:
    width, height = photo.size or (0, 0)
    return f"{width}×{height}"


def single_photos(photos: list[CheckedPhoto]) -> list[Fault]:
    """Actors of whom only one photo can be used."""
    rows = _by_actor(photos).items()
    return [Fault(row[0].file, actor, "single_photo", "") for actor, row in rows if len(row) == 1]


def alike_actors(index: ActorIndex, same_person: float) -> list[Fault]:
    """Pairs of actors far more alike than this gallery's others; each by a telling photo."""
    similarities = index.actor_similarities(index.templates)
    pairs = np.triu_indices(len(index.actors), 1)
    if not len(pairs[0]):
        return []
    low, middle, high = np.percentile(similarities[pairs], [25, 50, 75])
    fence = middle + ALIKE_DEVIATIONS * (high - low) / IQR_TO_DEVIATION
    limit = max(float(fence), same_person)
    return [
        _alike(index, int(first), int(second), float(similarities[first, second]))
        for first, second in zip(*pairs, strict=True)
        if similarities[first, second] > limit
    ]


def _alike(index: ActorIndex, first: int, second: int, similarity: float) -> Fault:
    rows = np.flatnonzero(index.portrait_actor == first)
    closest = rows[int((index.embeddings[rows] @ index.templates[second]).argmax())]
    file = readable_name(index.portraits[closest].file or "")
    detail = f"{index.actors[first]} and {index.actors[second]}, similarity {similarity:.2f}"
    return Fault(file, index.actors[first], "alike_actors", detail, index.actors[second])


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
    gallery = read_gallery(settings.dataset_dir, settings.removals_path)
    files = list(gallery.photos)
    if not files:
        raise GalleryError(
            f"{settings.dataset_dir} has no photos; put some into <Actor name>/ below it"
        )
    cache, _ = embed_gallery(
        engine, gallery, settings.cache_path, limits=settings.photo_limits, progress=progress
    )
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
        index = enrolment_of(cache, gallery, set()).index
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
        pixels = read_photo(photo.path, settings.photo_limits).pixels
    except (PhotoError, OSError):
        return CheckedPhoto(actor, file, found)
    image = Image.fromarray(pixels)
    thumbnail, size = io.BytesIO(), image.size
    image.thumbnail(THUMBNAIL)
    image.save(thumbnail, "JPEG", quality=70)
    look = print_of(pixels, found.landmarks, found.embedding)
    return CheckedPhoto(actor, file, found, size, thumbnail.getvalue(), look)
