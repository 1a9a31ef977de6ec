"""Which actor does each photo look like? The match function on the command line.

In: photos. Out: a few lines for people, or with --json one object a photo (see the README).
Exit status: 0 if every photo had a face, 1 if some had not, 2 for a usage or set-up fault.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder


from core.answer import answer_json
from core.errors import IndexRefusedError
from core.gallery.photos import Gallery
from core.gallery.removals import load_removals
from core.index.actor_index import load_index
from core.lookalike import LookalikeFinder
from core.models.install import ensure_models
from core.settings import PACK_CHOICES, Settings
from core.startup import Plan, check_index, finder_of, start
from scripts.cli import Parser, path, positive, run, settings_with, tell


def main() -> int:
    """Print an answer for every photo."""
    parser = Parser(description="Which actor does each photo look like?")
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    parser.add_argument(
        "--top-k", type=positive, help="actors per face; default: LOOKALIKE_TOP_K, or 5"
    )
    parser.add_argument(
        "--parts", action="store_true", help="tell which parts of a face carry each likeness"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--index",
        type=path,
        help="search this index, with its photos beside it or in LOOKALIKE_DATASET_DIR;"
        " default: the app's own",
    )
    parser.add_argument("--pack", choices=PACK_CHOICES, help="refuse an index of another pack")
    args = parser.parse_args()
    settings = settings_with(model_pack=args.pack)
    finder = finder_for(args.index, settings) if args.index else start(settings)
    failed = False
    for photo in args.photos:
        answer = answer_json(finder, photo, args.top_k, parts=args.parts)
        failed |= "error" in answer
        lines = [json.dumps(answer, ensure_ascii=False)] if args.json else as_lines(answer)
        tell(*lines)
    return 1 if failed else 0


def finder_for(index_file: Path, settings: Settings) -> LookalikeFinder:
    """A finder for exactly this index: refused, not rebuilt, if it does not fit."""
    settings = settings.replaced(index_file=index_file)
    if not os.environ.get("LOOKALIKE_DATASET_DIR"):
        settings = settings.replaced(dataset_dir=index_file.parent)
    # An index may stand without its photos.
    gallery = Gallery(settings.dataset_dir, (), load_removals(settings.removals_path))
    index = load_index(index_file)
    try:
        check_index(index, settings, gallery)
    except IndexRefusedError as error:
        raise IndexRefusedError(f"{index_file} is refused: {error}") from error
    plan = Plan(index.info.pack, index, new=False)
    return finder_of(plan, ensure_models(settings, index.info.pack), settings, gallery)


def as_lines(answer: dict[str, Any]) -> list[str]:
    """An answer for people."""
    if "error" in answer:
        return [f"{answer['photo']}: {answer['error']['message']}"]
    lines = []
    for number, face in enumerate(answer["faces"], start=1):
        lines.append(f"{answer['photo']}, face {number}")
        for rank, match in enumerate(face["matches"], start=1):
            score = "" if match["score"] is None else f"  score {match['score']:.1f}"
            parts = f"  especially {' and '.join(told)}" if (told := _told(match)) else ""
            similarity = f"  similarity {match['similarity']:.3f}"
            lines.append(f"  {rank}. {match['actor']}{score}{similarity}{parts}")
    return lines


def _told(match: dict[str, Any]) -> list[str]:
    """The parts that stand out, if it was asked for."""
    return match["parts"]["told"] if match["parts"] else []


if __name__ == "__main__":
    run(main, log_to=sys.stderr)
