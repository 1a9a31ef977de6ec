"""How good are the answers? Measures a pack on labelled photos and writes the report.

In: the labelled photos (by default ../shared/data beside the project).
Out: docs/evaluation.md, its plots and figures.json in docs/evaluation/, and the same text on
standard output. With --check nothing is written: a new report is compared with the committed
one; exit status 1 and the differing lines if they differ by more than one photo in a count or
0.2 in a rate.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from typing import Any

from tqdm import tqdm

from core.errors import GalleryError
from core.models.install import ensure_models
from core.models.packs import PACKS
from core.settings import ROOT, load_settings
from core.startup import load_engine
from scripts.cli import Parser, path, run
from scripts.evaluation.material import gather
from scripts.evaluation.measure import Meter
from scripts.evaluation.report import differing_lines, known_figures, write_report

DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "docs"


def main() -> int:
    """Exit status 0, or 1 where --check finds another report."""
    args = arguments()
    if not args.data.is_dir():
        raise GalleryError(f"{args.data} is not there; name the labelled photos with --data")
    # One thread a model, as many workers as there are cores: nearly twice as fast as the reverse.
    settings = load_settings().replaced(threads=1)
    installed = ensure_models(settings, args.pack)
    cache = args.cache or Path(tempfile.gettempdir()) / "lookalike-evaluation"
    started = time.monotonic()
    meter = Meter(load_engine(installed, settings), settings, cache, progress)
    material = gather(args.data, installed, meter)
    tell(f"sets measured ({time.monotonic() - started:.0f} s)")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) if args.check else args.out
        report = write_report(material, out, known_figures(args.out), tell)
        print(report.read_text("utf-8"))
        tell(f"all in {time.monotonic() - started:.0f} s")
        return compare(args.out / report.name, report) if args.check else 0


def arguments() -> Any:
    """The command line."""
    parser = Parser(description="How good are the answers?")
    parser.add_argument("--data", type=path, default=DATA, help="folder of the labelled photos")
    parser.add_argument("--pack", default="sface", choices=sorted(PACKS))
    parser.add_argument("--out", type=path, default=OUT, help="folder of evaluation.md")
    parser.add_argument("--cache", type=path, help="folder that keeps embeddings between runs")
    parser.add_argument("--check", action="store_true", help="compare with the report in --out")
    return parser.parse_args()


def compare(committed: Path, new: Path) -> int:
    """Print the lines that differ; the exit status."""
    if not committed.is_file():
        raise GalleryError(f"{committed} is not there; write it by a run without --check")
    differing = differing_lines(committed.read_text("utf-8"), new.read_text("utf-8"))
    for line in differing:
        print(line)
    print(f"{committed.name}: {'differs' if differing else 'as committed'}")
    return 1 if differing else 0


def progress(work: Iterable[Any], name: str, length: int) -> Iterable[Any]:
    """A bar for each set that is measured, on a terminal."""
    return tqdm(work, desc=name, total=length, unit="chunk", disable=None)


def tell(what: str) -> None:
    """Timings go beside the report, never into it."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
