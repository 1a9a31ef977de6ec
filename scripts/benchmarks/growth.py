"""How memory and search time of an index in memory grow with its actors; for docs/scaling.md.

In: how many actors. Out: a line for each number, and the plot docs/scaling/growth.png. Each number
is measured in a process of its own, on random vectors: one portrait and one template an actor.
"""

from __future__ import annotations

import json
import os
import subprocess  # of this very script # nosec B404
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))  # run by path

import numpy as np
import psutil

from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, IndexInfo, load_index, save_index
from core.index.scoring import Calibration
from core.settings import ROOT
from scripts.cli import Parser, path, positive, run, tell

ACTORS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
DIMENSION, TOP, SEARCHES = 256, 5, 40
OUT = ROOT / "docs" / "scaling" / "growth.png"


def main() -> int:
    """Print the table, and draw it."""
    parser = Parser(description="Memory and search time by the number of actors.")
    parser.add_argument("actors", type=positive, nargs="*", metavar="ACTORS")
    parser.add_argument("--out", type=path, default=OUT)
    parser.add_argument("--one", type=path, help="measure this index alone; of this script")
    args = parser.parse_args()
    if args.one:
        tell(json.dumps(measured(args.one)))
        return 0
    tell("| actors | file | to load | memory | while loading | a search on one core |")
    tell("| ---: | ---: | ---: | ---: | ---: | ---: |")
    found = {}
    for count in args.actors or ACTORS:
        found[count] = in_a_process(count)
        tell(row(count, found[count]))
    plot(found, args.out)
    return 0


def in_a_process(count: int) -> dict[str, float]:
    """The figures of an index of so many actors."""
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # threads would wait for a busy machine
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index.npz"
        made = [sys.executable, __file__, "--one", str(file)]
        save_index(random_index(count), file)
        done = subprocess.run(made, capture_output=True, text=True, check=True, env=alone)  # noqa: S603 # nosec B603
        return {"file": file.stat().st_size / 1e6, **json.loads(done.stdout)}


def random_index(count: int) -> ActorIndex:
    """So many actors, with portraits as a gallery of files has them."""
    random = np.random.default_rng(7)
    rows = random.standard_normal((count, DIMENSION), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = tuple(f"Actor {number:07}" for number in range(count))
    points = tuple(float(number) for number in random.integers(0, 4000, 10))
    portraits = tuple(
        Portrait(f"{number:064x}", f"{name}/1.jpg", None, points, f"{number:031x}")
        for number, name in enumerate(names)
    )
    owners = np.arange(count, dtype=np.int32)
    knots = np.sort(random.normal(0.2, 0.05, min(5 * count, 100_000)))
    scale = Calibration(knots, np.linspace(0, 1, len(knots)), 0.0, 0.1, count)
    info = IndexInfo("sface", "", {}, {}, "gallery", "", 1, "2026-01-01")
    return ActorIndex(info, names, portraits, rows, owners, rows, owners, scale)


def measured(file: Path) -> dict[str, float]:
    """Seconds and megabytes of one index, in this process."""
    process, face = psutil.Process(), np.eye(1, DIMENSION, dtype=np.float32)[0]
    before = process.memory_info().rss
    started = time.perf_counter()
    index = load_index(file)
    load = time.perf_counter() - started
    times = []
    for _ in range(SEARCHES + 1):
        started = time.perf_counter()
        index.search(face, TOP)
        times.append(time.perf_counter() - started)
    memory = process.memory_info()
    return {
        "load": load,
        "memory": (memory.rss - before) / 1e6,
        "peak": (peak_bytes() - before) / 1e6,
        "search": 1000 * min(times[1:]),  # the rest is others'
    }


def peak_bytes() -> int:
    """The most memory this process ever had (Linux)."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def row(count: int, found: dict[str, float]) -> str:
    """A line of the table."""
    megabytes = [f"{found[name]:,.0f} MB" for name in ("memory", "peak")]
    cells = [f"{count:,}", f"{found['file']:,.1f} MB", f"{found['load']:.2f} s", *megabytes]
    return f"| {' | '.join(cells)} | {found['search']:.2f} ms |"


def plot(found: dict[int, dict[str, float]], file: Path) -> None:
    """Both, by actors."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    things = ((("memory", "peak"), "MB"), (("search",), "ms a search"))
    labels = {
        "memory": "in use",
        "peak": "at most, while loading",
        "search": "five closest, one core",
    }
    for panel, (names, unit) in zip(panels, things, strict=True):
        for name in names:
            values = [entry[name] for entry in found.values()]
            panel.loglog(list(found), values, "o-", label=labels[name])
        panel.set_xlabel("actors")
        panel.set_ylabel(unit)
        panel.grid(alpha=0.3)
        panel.legend()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    run(main)
