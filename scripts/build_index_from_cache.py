"""Rebuild the actor index from cached embeddings: no photo is read and no model is loaded.

In: an embeddings cache (JSON). Out: the same index as the build from photos wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder


from core.index.actor_index import save_index
from core.index.enrol import index_from_cache
from core.log import say
from core.settings import load_settings
from core.startup import open_gallery
from scripts.cli import Parser, path, positive, run, tell


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
    settings = load_settings()
    settings = settings.replaced(dataset_dir=args.dataset_dir or settings.dataset_dir)
    cache = args.cache or settings.cache_path
    enrolment = index_from_cache(
        cache,
        open_gallery(settings),
        starter=cache.resolve() == settings.starter_path.resolve(),
        pack=args.pack,
        clusters=args.clusters,
    )
    target = args.index or settings.index_path
    save_index(enrolment.index, target)
    say("index_done", settings.lang, count=len(enrolment.index.actors))
    tell(f"{len(enrolment.index.portraits)} portraits: {target}")
    return 0


if __name__ == "__main__":
    run(main)
