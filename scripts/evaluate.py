"""How good are the answers? Measures a pack on labelled photos and writes the report.

In: the labelled photos (by default ../shared/data beside the project).
Out: docs/evaluation.md, its plots and figures.json in docs/evaluation/, and the same text on
standard output. Photos measured before are not measured again while weights, settings and code
stay the same.
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

from core.errors import GalleryError, ModelError
from core.models.install import ensure_models
from core.models.packs import PACKS
from core.settings import ROOT, load_settings
from core.startup import load_engine
from scripts import cli
from scripts.cli import Parser, path, run
from scripts.evaluation.datasets import SETS, labelled_photos
from scripts.evaluation.material import Material
from scripts.evaluation.measure import Meter
from scripts.evaluation.report import SAMPLE, all_figures, known_figures, write_report

DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "docs"


def main() -> int:
    """Exit status 0."""
    args = arguments()
    if not args.data.is_dir():
        raise GalleryError(f"{args.data} is not there; name the labelled photos with --data")
    for name in SETS:  # what is missing is said now, not minutes later
        labelled_photos(args.data, name)
    # One thread a model, as many workers as there are cores: nearly twice as fast as the reverse.
    settings = load_settings().replaced(threads=1)
    installed = ensure_models(settings, args.pack)
    if installed.warning:  # figures of half a pack would stand under the whole one's name
        raise ModelError(installed.warning)
    cache = args.cache or Path(tempfile.gettempdir()) / "lookalike-evaluation"
    meter = Meter(load_engine(installed, settings), settings, cache, progress)
    started = time.monotonic()
    known = known_figures(args.out)
    known[args.pack] = all_figures(Material(args.data, meter), tell)
    tell("Once more, on the sample that the tests measure:")
    known[SAMPLE.format(args.pack)] = all_figures(Material(args.data, meter, sample=True), tell)
    report = write_report(args.pack, known, args.out)
    cli.tell(*report.read_text("utf-8").splitlines())
    tell(f"all in {time.monotonic() - started:.0f} s")
    return 0


def arguments() -> Any:
    """The command line."""
    parser = Parser(description="How good are the answers?")
    parser.add_argument("--data", type=path, default=DATA, help="folder of the labelled photos")
    parser.add_argument("--pack", default="sface", choices=sorted(PACKS))
    parser.add_argument("--out", type=path, default=OUT, help="folder of evaluation.md")
    parser.add_argument("--cache", type=path, help="folder that keeps embeddings between runs")
    return parser.parse_args()


def progress(work: Iterable[Any], name: str, length: int) -> Iterable[Any]:
    """A bar for each set that is measured, on a terminal."""
    return tqdm(work, desc=name, total=length, unit="chunk", disable=None)


def tell(what: str) -> None:
    """Timings go beside the report, never into it."""
    cli.complain(what)


if __name__ == "__main__":
    run(main)
