"""Rebuild the actor index from cached embeddings: no photo is read and no model is loaded.

In: an embeddings cache (JSON). Out: the same index as the build from photos wrote, where
that is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder


from core.index.enrol import index_from_cache
from core.index.kept import keep, place_of
from core.log import say
from core.startup import open_gallery
from scripts.cli import Parser, path, positive, run, settings_with, tell


def main() -> int:
    """Exit status 0 with an index written."""
    parser = Parser(description="Rebuild the actor index from cached embeddings.")
    parser.add_argument("--dataset-dir", type=path, help="folder of actors; default: dataset")
    parser.add_argument("--cache", type=path, help="default: <dataset>/embeddings.json")
    parser.add_argument("--index", type=path, help="default: <dataset>/actor_index.npz")
    parser.add_argument(
        "--clusters", type=positive, default=1, help="templates an actor; default: 1"
    )
    parser.add_argument(
        "--pack", choices=("auraface", "sface"), help="default: the pack last built with"
    )
    args = parser.parse_args()
    settings = settings_with(
        dataset_dir=args.dataset_dir,
        index_file=args.index,
        index="" if args.index else None,
    )
    cache = args.cache or settings.cache_path
    enrolment = index_from_cache(
        cache,
        open_gallery(settings),
        starter=cache.resolve() == settings.starter_path.resolve(),
        pack=args.pack,
        clusters=args.clusters,
    )
    keep(enrolment.index, settings)
    say("index_done", settings.lang, count=len(enrolment.index.actors))
    tell(f"{len(enrolment.index.portraits)} portraits: {place_of(settings)}")
    return 0


if __name__ == "__main__":
    run(main)
