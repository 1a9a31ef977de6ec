"""Build the actor index from photos, and bring the embeddings cache up to date.

In: <dataset>/<Actor name>/*.jpg; without any photo, the committed starter gallery.
Out: the index (<dataset>/actor_index.npz, or in Milvus: LOOKALIKE_INDEX) and the cache
(<dataset>/embeddings.json).
Run again after adding, changing or removing photos: only what is new meets the models.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder


from core.cluster.connect import LOCAL, cluster
from core.gallery.photos import Gallery
from core.index.embeddings_cache import LEFT_OUT
from core.index.enrol import Enrolment, enrol_by
from core.index.kept import keep, load_kept
from core.log import log, say
from core.models.install import InstalledPack, ensure_models
from core.settings import PACK_CHOICES, Settings
from core.startup import (
    enrol,
    load_engine,
    open_gallery,
    pack_for_photos,
    progress_bar,
    starter_enrolment,
)
from scripts.cli import Parser, need_folder, passed_over, path, positive, run, settings_with, tell


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description="Build the actor index from photos.")
    parser.add_argument("--dataset-dir", type=path, help="folder of actors; default: dataset")
    parser.add_argument(
        "--clusters", type=positive, default=1, help="templates an actor; default: 1"
    )
    parser.add_argument(
        "--pack", choices=PACK_CHOICES, help="default: AuraFace if at hand, else SFace"
    )
    parser.add_argument("--index", type=path, help="default: <dataset>/actor_index.npz")
    parser.add_argument("--cache", type=path, help="default: <dataset>/embeddings.json")
    parser.add_argument(
        "--ray",
        nargs="?",
        const=LOCAL,
        metavar="ADDRESS",
        help="embed by an engine a core: of this machine, or of a Ray cluster (auto, host:port)",
    )
    return parser.parse_args()


def main() -> int:
    """Exit status 0 with an index written."""
    args = parse_args()
    settings = settings_with(
        dataset_dir=args.dataset_dir,
        model_pack=args.pack,
        index_file=args.index,
        index="" if args.index else None,
        cache_file=args.cache,
    )
    started = time.perf_counter()
    need_folder(settings.dataset_dir)
    gallery, engine_seconds = open_gallery(settings), None
    if gallery.photos and args.ray:
        installed = ensure_models(settings, pack_for_photos(settings))
        enrolment = enrol_on_cluster(args.ray, installed, settings, gallery, args.clusters)
    elif gallery.photos:
        installed = ensure_models(settings, pack_for_photos(settings))
        loading = time.perf_counter()
        engine = load_engine(installed, settings)
        engine_seconds = time.perf_counter() - loading
        enrolment = enrol(engine, settings, gallery, clusters=args.clusters)
    else:
        enrolment = starter_enrolment(settings, gallery, clusters=args.clusters)
        log.info("%s has no photos: the starter gallery is used", settings.dataset_dir)
    say("index_done", settings.lang, count=len(enrolment.index.actors))
    keep(enrolment.index, settings)
    tell(*summary(enrolment, time.perf_counter() - started), *passed_over(gallery))
    tell(footprint(settings, engine_seconds))
    return 0


def enrol_on_cluster(
    address: str, installed: InstalledPack, settings: Settings, gallery: Gallery, clusters: int
) -> Enrolment:
    """The same enrolment by a Ray cluster's engines; prints how many photos a second they did."""
    with cluster(address):
        from core.cluster.enrol import embedder_on_cluster, engines_of_cluster  # noqa: PLC0415

        engines, started = engines_of_cluster(), time.perf_counter()
        embedder = embedder_on_cluster(installed, settings, progress_bar)
        limits, cache = settings.photo_limits, settings.cache_path
        enrolment = enrol_by(embedder, gallery, cache, limits=limits, clusters=clusters)
        rate = enrolment.embedded / (time.perf_counter() - started)
    tell(f"Ray, {engines} engines: {rate:.1f} photos a second")
    return enrolment


def footprint(settings: Settings, engine_seconds: float | None) -> str:
    """What a start will read: sizes on disk, and how long it takes to load."""
    started = time.perf_counter()
    load_kept(settings)
    parts = [f"index {time.perf_counter() - started:.2f} s"]
    if engine_seconds is not None:
        parts.append(f"models {engine_seconds:.2f} s")
    files = [("cache", settings.cache_path)]
    if not settings.index:
        files.insert(0, ("index", settings.index_path))
    sizes = [f"{name} {file.stat().st_size / 1e6:.1f} MB" for name, file in files if file.exists()]
    return f"on disk: {', '.join(sizes)}; to load at start: {', '.join(parts)}"


def summary(enrolment: Enrolment, seconds: float) -> list[str]:
    """What went in and what was left out, and why."""
    index = enrolment.index
    lines = [
        f"{len(index.actors)} actors, {len(index.portraits)} of {enrolment.photos} photos used"
        f" ({enrolment.embedded} new), {seconds:.1f} s"
    ]
    for reason, count in sorted(enrolment.reasons.items()):
        lines.append(f"left out, {LEFT_OUT[reason]}: {count}")
        named = [label for label, why in index.info.left_out.items() if why == reason]
        lines += [f"  {label}" for label in named]
    if enrolment.without_photo:
        lines.append("actors left with no usable photo: " + ", ".join(enrolment.without_photo))
    return lines


if __name__ == "__main__":
    run(main)
