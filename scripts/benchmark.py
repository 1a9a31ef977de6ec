"""How fast is it? Measures the app against others' engines, each in a process of its own, in turn.

In: the labelled photos (by default ../shared/data beside the project).
Out: docs/benchmarks.md, its plots and figures.json in docs/benchmarks/, and the ratios on standard
output. Parts that are not asked for stay as an earlier run left them. What is made on the way
(galleries, the environment of requirements-benchmark.txt, indexes) stays in --scratch.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from typing import Any

from core.models.install import ensure_models
from core.settings import ROOT, load_settings
from scripts import cli
from scripts.benchmarks import build, match, search, start, visitors
from scripts.benchmarks.figures import Chapter
from scripts.benchmarks.report import ORDER, machine, merged, ratios, write_report
from scripts.benchmarks.scenes import REBUILD, Scenes
from scripts.cli import Parser, path, positive, run

DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "docs"
FEW = 3  # rounds at most of what takes long: builds, starts, Live


def main() -> int:
    """Exit status 0; a missed goal is told, not punished."""
    args = arguments()
    scenes = Scenes(args.data, args.scratch, rivals=not args.no_rivals)
    ensure_models(load_settings(), "sface")
    few = min(args.rounds, FEW)
    parts: dict[str, Callable[[], Chapter]] = {
        "match": lambda: match.measure(scenes, args.rounds),
        "build": lambda: build.measure(scenes, few, args.rebuild),
        "search": lambda: search.measure(scenes, min(args.rounds, 9), args.templates),
        "start": lambda: start.measure(scenes, few),
        "visitors": lambda: visitors.measure(scenes, args.seconds),
        "live": lambda: visitors.measure_live(scenes, min(args.seconds, 10.0), few),
    }
    measured = []
    for name in args.only:
        started = time.monotonic()
        measured.append(parts[name]())
        cli.complain(f"{name}: {time.monotonic() - started:.0f} s")
    report = write_report(merged(measured, args.out), args.out)
    cli.tell(*ratios(measured).splitlines(), "", machine().strip(), f"written to {report}")
    return 0


def arguments() -> Any:
    """The command line."""
    parser = Parser(description="How fast is it?")
    parser.add_argument("--only", type=names, default=ORDER, help=f"parts of {', '.join(ORDER)}")
    parser.add_argument("--rounds", type=positive, default=20, help="of a match; of builds 3")
    parser.add_argument("--seconds", type=seconds, default=60.0, help="of each crowd of visitors")
    parser.add_argument(
        "--templates", type=sizes, default=search.SIZES, help="sizes of the search, with commas"
    )
    parser.add_argument("--rebuild", type=positive, default=REBUILD[0], help="actors of 5 photos")
    parser.add_argument(
        "--no-rivals",
        action="store_true",
        help="no environment for face_recognition and faiss is made",
    )
    parser.add_argument("--data", type=path, default=DATA, help="folder of the labelled photos")
    parser.add_argument("--out", type=path, default=OUT, help="folder of benchmarks.md")
    parser.add_argument(
        "--scratch",
        type=path,
        default=Path(tempfile.gettempdir()) / "lookalike-benchmark",
        help="folder for what is made on the way",
    )
    return parser.parse_args()


def names(text: str) -> tuple[str, ...]:
    """Parts, in the order of the report."""
    asked = {name.strip() for name in text.split(",")}
    if asked - set(ORDER):
        raise cli.argparse.ArgumentTypeError(f"{text!r} is not of {', '.join(ORDER)}")
    return tuple(name for name in ORDER if name in asked)


def sizes(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between, ascending."""
    return tuple(sorted(positive(part) for part in text.split(",")))


def seconds(text: str) -> float:
    """More than 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise cli.argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


if __name__ == "__main__":
    run(main)
