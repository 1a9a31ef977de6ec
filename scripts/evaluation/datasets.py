"""The labelled photos on disk: who is on each, and the pairs of Labeled Faces in the Wild."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import GalleryError
from core.gallery.photos import scan_gallery

LFW = "lfw_dev"
# Folders of ../shared/data as `<set>/<Person>/*`; LFW's photos lie one folder deeper.
FURTHER_ACTORS = ("korean_actors", "indian_actors")
FURTHER_PROBES = ("korean_probes", "indian_probes")  # of their people
SETS = (
    "gallery", "probes", "probes_wild", "headshots", "kpop_portraits", "kpop_crops", LFW,
    "korean_actors", "korean_probes", "indian_actors", "indian_probes",
)  # fmt: skip
PROBES = ("probes", "probes_wild")  # of the people of `gallery`
LEARN, TEST = "pairsDevTrain.txt", "pairsDevTest.txt"
# People of LFW whose other photos are in `headshots` under another spelling.
OTHER_SPELLINGS = {
    "bridgette wilson sampras": "bridgette wilson",
    "courtney cox": "courteney cox",
    "elizabeth shue": "elisabeth shue",
    "natasha mcelhone": "natascha mcelhone",
    "robin mclaurin williams": "robin williams",
    "vivica fox": "vivica a fox",
}


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and the person it is of."""

    person: str
    path: Path


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of photos to be told "same person" or "two people"."""

    first: NDArray[np.intp]  # (N,) positions among a set's photos
    second: NDArray[np.intp]  # (N,)
    same: NDArray[np.bool_]  # (N,)

    def __post_init__(self) -> None:
        """Check that the columns belong together."""
        if not len(self.first) == len(self.second) == len(self.same):
            lengths = len(self.first), len(self.second), len(self.same)
            raise ValueError(f"expected columns of one length, got {lengths}")

    def every(self, nth: int) -> Pairs:
        """One pair in so many."""
        return Pairs(self.first[::nth], self.second[::nth], self.same[::nth])

    def and_of(self, other: Pairs) -> Pairs:
        """These pairs and others of the same photos."""
        columns = zip(vars(self).values(), vars(other).values(), strict=True)
        return Pairs(*(np.concatenate(both) for both in columns))

    def among(self, places: NDArray[np.intp]) -> Pairs:
        """The same pairs where only these photos, ascending, are left of the set."""
        first, second = (np.searchsorted(places, one) for one in (self.first, self.second))
        return Pairs(first, second, self.same)


def labelled_photos(data: Path, name: str) -> tuple[LabelledPhoto, ...]:
    """A set's photos by person and file name.

    Raises:
        GalleryError: the folder is missing or empty.
    """
    folder = data / name / "images" if name == LFW else data / name
    found = [LabelledPhoto(photo.actor, photo.path) for photo in scan_gallery(folder)]
    if not found:
        raise GalleryError(f"{folder} has no photos; it needs <Person>/*.jpg")
    return tuple(sorted(found, key=lambda photo: (photo.person, photo.path.name)))


def read_pairs(data: Path, pair_list: str, photos: tuple[LabelledPhoto, ...]) -> Pairs:
    """One of LFW's lists: "name 1 2" is the same person twice, "name 1 other 2" two people.

    Raises:
        GalleryError: the list is missing or names a photo that is not there.
    """
    places = {photo.path.stem: position for position, photo in enumerate(photos)}
    path = data / LFW / pair_list
    rows = []
    try:
        for line in path.read_text("utf-8").splitlines()[1:]:
            words = line.split()
            one, other = (
                (words[0], words[1]),
                (words[-2] if len(words) == 4 else words[0], words[-1]),
            )
            stems = (f"{person}_{int(number):04d}" for person, number in (one, other))
            rows.append((*(places[stem] for stem in stems), len(words) == 3))
    except (OSError, ValueError, LookupError) as error:
        raise GalleryError(f"{path} cannot be used ({type(error).__name__}: {error})") from error
    first, second, same = zip(*rows, strict=True)
    return Pairs(np.array(first, np.intp), np.array(second, np.intp), np.array(same, np.bool_))


def plain_name(person: str) -> str:
    """A name by which people of several sets are told to be one: "Zoë_Kravitz" as "zoe kravitz"."""
    letters = unicodedata.normalize("NFKD", person.replace("_", " ").replace("-", " "))
    name = "".join(c for c in letters if not unicodedata.combining(c)).casefold().strip()
    name = name.replace(".", "")
    return OTHER_SPELLINGS.get(name, name)
