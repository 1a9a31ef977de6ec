"""What is wrong with a gallery: photos and actors that a person should see to."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import GalleryError, PhotoError
from core.faces.align import aligned_crop
from core.faces.copies import find_copies
from core.faces.photo import read_photo
from core.gallery.credits import CREDITS_FILE, readable_name
from core.gallery.folders import HARMLESS, PASSED_OVER
from core.gallery.photos import Gallery, GalleryPhoto
from core.index.actor_index import ActorIndex
from core.index.embeddings_cache import LEFT_OUT, EmbeddingsCache, EnrolledPhoto
from core.index.enrol import Progress, embed_gallery, enrolment_of
from core.settings import PhotoLimits, Settings
from core.startup import open_gallery

if TYPE_CHECKING:
    from core.faces.engine import FaceEngine

REASONS = {  # worst first
    **LEFT_OUT,
    **{reason: words for reason, words in PASSED_OVER.items() if reason not in HARMLESS},
    "alike_actors": "two actors suspiciously alike",
    "single_photo": "the actor's only usable photo",
    "no_credit": "no credit in credits.csv",
    **{reason: PASSED_OVER[reason] for reason in HARMLESS},
}
NOTES = ("single_photo", "no_credit", *HARMLESS)  # worth knowing, no faults of a photo
THUMBNAIL = (160, 160)  # pixels at most
NOT_SHOWN = "it was downloaded, so it is matched and not shown"
# How far, in robust deviations, two actors' similarity may lie above the median of all pairs:
# a normal distribution passes 4.5 once in 300,000 pairs. Of SFace with the second network: the most
# alike of 80 actors (3,160 pairs) lie 3.2 above, of the starter gallery's 712 (253,116 pairs) 4.5.
ALIKE_DEVIATIONS = 4.5
IQR_TO_DEVIATION = 1.349  # the interquartile range of a normal distribution, in deviations


@dataclass(frozen=True)
class Fault:
    """One thing that a person should see to."""

    file: str  # "<Actor>/<name>" below the dataset, or what was passed over
    actor: str  # "" for what lies beside the actors' folders
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
    path: Path
    found: EnrolledPhoto
    size: tuple[int, int] | None = None  # width, height; None if it cannot be read
    thumbnail: bytes = b""  # JPEG


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
    """Every fault of a gallery; brings its embeddings cache up to date.

    Raises:
        GalleryError: no folder, or no photo in it.
    """
    gallery = open_gallery(settings)
    gallery.refuse_unseen()
    if not gallery.photos:
        raise GalleryError(
            f"{settings.dataset_dir} has no photos; put some into <Actor name>/ below it"
        )
    limits = settings.photo_limits
    cache, _ = embed_gallery(engine, gallery, settings.cache_path, limits=limits, progress=progress)
    found = _found(cache, engine.pack.name)
    photos = [_checked(photo, found[photo.file], limits) for photo in progress(gallery.photos)]
    try:
        index = enrolment_of(cache, gallery, set()).index
    except GalleryError:  # not one usable photo: each is a fault of its own
        index = None
    faults = [*_left_out(photos), *_without_credit(gallery), *_passed_over(gallery)]
    if index is not None:
        faults += _compared(photos, index, engine.pack.same_person, limits)
    order = list(REASONS)
    faults.sort(key=lambda fault: (order.index(fault.reason), fault.file))
    return Report(tuple(photos), tuple(faults))


def _found(cache: EmbeddingsCache, pack: str) -> dict[str, EnrolledPhoto]:
    """What a pack found in each file; of files that the cache has not, their people are removed."""
    found = defaultdict(lambda: EnrolledPhoto(None, "removed"))
    for row in cache.actors.values():
        for portrait in row:
            found[portrait.file or ""] = cache.packs[pack].photos[portrait.sha256]
    return found


def _compared(
    photos: list[CheckedPhoto], index: ActorIndex, same_person: float, limits: PhotoLimits
) -> list[Fault]:
    """What shows only beside the gallery's other photos."""
    wrong = _mislabels(photos, index, same_person)
    return [
        *wrong,
        *_copies(photos, {fault.file for fault in wrong}, limits),
        *_single_photos(photos),
        *_alike_actors(index, same_person),
    ]


def _checked(photo: GalleryPhoto, found: EnrolledPhoto, limits: PhotoLimits) -> CheckedPhoto:
    actor, file = photo.actor, readable_name(photo.file)
    try:
        pixels = read_photo(photo.path, limits).pixels
    except (PhotoError, OSError):
        return CheckedPhoto(actor, file, photo.path, found)
    image = Image.fromarray(pixels)
    thumbnail, size = io.BytesIO(), image.size
    image.thumbnail(THUMBNAIL)
    image.save(thumbnail, "JPEG", quality=70)
    return CheckedPhoto(actor, file, photo.path, found, size, thumbnail.getvalue())


def _left_out(photos: list[CheckedPhoto]) -> list[Fault]:
    """Photos in which enrolment found no one face to use."""
    return [
        Fault(photo.file, photo.actor, photo.found.left_out, "")
        for photo in photos
        if photo.found.left_out
    ]


def _passed_over(gallery: Gallery) -> list[Fault]:
    """What lies in the folder and is matched with nobody."""
    files = [(readable_name(entry.file), entry.reason) for entry in gallery.passed_over]
    actors = {photo.actor for photo in gallery.photos}
    return [
        Fault(file, actor if (actor := file.partition("/")[0]) in actors else "", reason, "")
        for file, reason in files
    ]


def _without_credit(gallery: Gallery) -> list[Fault]:
    """One's own photos only where credits are kept; downloaded ones always."""
    kept = (gallery.folder / CREDITS_FILE).is_file()
    photos = [
        photo
        for photo in gallery.photos
        if (kept if photo.credit is None else not photo.credit.is_given)
    ]
    return [
        Fault(readable_name(p.file), p.actor, "no_credit", NOT_SHOWN if p.credit else "")
        for p in photos
    ]


def _by_actor(photos: list[CheckedPhoto]) -> dict[str, list[CheckedPhoto]]:
    """Photos with a face to use, by actor."""
    rows = defaultdict(list)
    for photo in photos:
        if photo.found.embedding is not None:
            rows[photo.actor].append(photo)
    return rows


def _mislabels(photos: list[CheckedPhoto], index: ActorIndex, same_person: float) -> list[Fault]:
    """Photos unlike their siblings, as the index leaves them out, or closer to another actor.

    The second rule takes a photo for another actor's if it is closer to that actor's template
    than to its siblings' mean, and above the pack's same-person threshold. Measured on the
    development gallery, 10 photos exchanged, 400 times: both rules together found all of 4,000,
    the first alone 97 %, and accused 2 of 155,200 true ones. The same with any threshold from
    0.36 to 0.42.
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


def _copies(photos: list[CheckedPhoto], mislabelled: set[str], limits: PhotoLimits) -> list[Fault]:
    """Each copy once, with the photo it repeats: of two, the mislabelled one, else the later."""
    faces = [photo for photo in photos if photo.found.embedding is not None]
    faces.sort(key=lambda photo: (photo.file in mislabelled, *_natural(photo.file)))
    embeddings = np.stack([p.found.embedding for p in faces if p.found.embedding is not None])
    hashes = [photo.found.crop_hash for photo in faces]

    def crop_of(position: int) -> NDArray[np.uint8]:
        photo = faces[position]
        return aligned_crop(read_photo(photo.path, limits).pixels, photo.found.landmarks)

    faults: dict[str, Fault] = {}
    for first, second in find_copies(embeddings, hashes, crop_of):
        copy, original = faces[second], faces[first]
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


def _single_photos(photos: list[CheckedPhoto]) -> list[Fault]:
    """Actors of whom only one photo can be used."""
    rows = _by_actor(photos).items()
    return [Fault(row[0].file, actor, "single_photo", "") for actor, row in rows if len(row) == 1]


def _alike_actors(index: ActorIndex, same_person: float) -> list[Fault]:
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
