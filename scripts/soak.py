"""Does the app hold out? Simulated visitors for an hour, and what is left of them afterwards.

Starts the app, lets it warm up, and plays 20 visitors (scripts/page/simulated_visitors.py): one
upload in five is bad, some tabs are closed before the answer, one line is slow. Afterwards memory
may be 5 % above that after the warm-up; files, threads and the temporary folder are as they were;
no request had an unexpected answer, and the log no traceback.
"""

from __future__ import annotations

import csv
import os
import subprocess  # of this project's own programs # nosec B404
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

import httpx
import psutil

from core.errors import GalleryError, LookalikeError
from core.settings import ROOT
from scripts.cli import Parser, path, positive, run, tell
from scripts.page.app import started_app

VISITORS = ROOT / "scripts" / "page" / "simulated_visitors.py"
PHOTOS = ROOT.parent / "shared" / "data" / "probes"
WARM_UP = 3  # minutes, until the threads that answer are there
PHOTO_SECONDS = 20  # that photos are kept here, in place of a minute
GROWTH = 5  # % of memory, after the warm-up
SETTLED = 45  # seconds after the last visitor: photos live 20, and are swept every ten


@dataclass(frozen=True)
class Holdings:
    """What the app's process holds."""

    megabytes: float
    threads: int
    files: int  # open ones, sockets included
    photos: int  # files in its temporary folder

    def __str__(self) -> str:
        """For people."""
        return (
            f"{self.megabytes:.0f} MB, {self.threads} threads, {self.files} open files,"
            f" {self.photos} temporary files"
        )


def main() -> int:
    """Exit status 0 if it held out, 2 if not."""
    args = arguments()
    if not any(args.photos.rglob("*.jpg")):
        raise GalleryError(f"{args.photos} has no photos; name a folder of faces with --photos")
    os.environ["LOOKALIKE_PHOTO_SECONDS"] = str(PHOTO_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        with started_app(None, scratch) as url:
            process = app_process()
            play(url.rstrip("/"), args, args.warm_up, scratch / "warm-up")
            settle(url)
            before = holdings(process, scratch)
            tell(f"after the warm-up:  {before}")
            faults = play(url.rstrip("/"), args, args.minutes, scratch / "run")
            settle(url)
            after = holdings(process, scratch)
            tell(f"after {args.minutes:g} minutes: {after}")
        faults += [*outgrown(before, after, args.growth), *tracebacks(scratch / "app.log")]
    for fault in faults:
        tell(f"fault: {fault}")
    if faults:
        raise LookalikeError(f"it did not hold out: {len(faults)} faults, told above")
    tell("it held out")
    return 0


def arguments() -> Any:
    """The command line."""
    parser = Parser(description="Simulated visitors, and what is left of them.")
    parser.add_argument("--minutes", type=positive, default=60, help="after the warm-up")
    parser.add_argument("--warm-up", type=positive, default=WARM_UP, help="minutes before")
    parser.add_argument(
        "--growth", type=positive, default=GROWTH, help=f"%% of memory allowed; default: {GROWTH}"
    )
    parser.add_argument("--visitors", type=positive, default=20)
    parser.add_argument("--photos", type=path, default=PHOTOS, help="folder of photos of faces")
    return parser.parse_args()


def app_process() -> psutil.Process:
    """The app that this process started."""
    return next(
        child for child in psutil.Process().children() if "app.py" in " ".join(child.cmdline())
    )


def settle(url: str) -> None:
    """Wait until photos are swept; then ask once, at which threads that are idle are ended."""
    time.sleep(SETTLED)
    httpx.get(f"{url}health").raise_for_status()
    time.sleep(1)


def play(url: str, args: Any, minutes: float, report: Path) -> list[str]:
    """Visitors for so long; a line for each kind of request, and the unexpected answers."""
    command = [
        sys.executable, "-m", "locust", "-f", str(VISITORS),
        "--host", url, "--headless", "--only-summary", "--loglevel", "WARNING",
        "--users", str(args.visitors), "--spawn-rate", str(args.visitors),
        "--run-time", f"{round(60 * minutes)}s", "--stop-timeout", "60", "--csv", str(report),
        "--exit-code-on-error", "0",
    ]  # fmt: skip
    environment = os.environ | {"SOAK_PHOTOS": str(args.photos)}
    with report.with_suffix(".log").open("wb") as log:
        subprocess.run(  # noqa: S603 - this project's own program # nosec B603
            command, env=environment, stdout=log, stderr=log, check=True
        )
    for row in rows(report.with_name(f"{report.name}_stats.csv")):
        tell(
            f"  {row['Name']}: {row['Request Count']} requests, median"
            f" {row['Median Response Time']} ms, 95 % {row['95%']} ms,"
            f" {row['Failure Count']} failed"
        )
    return [
        f"{row['Name']}: {row['Error']} ({row['Occurrences']} times)"
        for row in rows(report.with_name(f"{report.name}_failures.csv"))
    ]


def rows(file: Path) -> list[dict[str, str]]:
    """Of a CSV file of locust's."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def holdings(process: psutil.Process, scratch: Path) -> Holdings:
    """Now."""
    with process.oneshot():
        return Holdings(
            megabytes=process.memory_info().rss / 1e6,
            threads=process.num_threads(),
            files=process.num_fds(),
            photos=sum(entry.is_file() for entry in (scratch / "photos").rglob("*")),
        )


def outgrown(before: Holdings, after: Holdings, percent: int = GROWTH) -> list[str]:
    """What is more than it was; of memory, by more than so many percent."""
    faults = []
    if after.megabytes > before.megabytes * (1 + percent / 100):
        faults.append(f"memory grew from {before.megabytes:.0f} to {after.megabytes:.0f} MB")
    if after.threads > before.threads:
        faults.append(f"threads grew from {before.threads} to {after.threads}")
    if after.files > before.files:
        faults.append(f"open files grew from {before.files} to {after.files}")
    if after.photos > before.photos:
        faults.append(f"temporary files grew from {before.photos} to {after.photos}")
    return faults


def tracebacks(log: Path) -> list[str]:
    """Lines of the app's log that tell of an error nobody caught."""
    lines = log.read_text("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith(("Traceback", "ERROR"))]


if __name__ == "__main__":
    run(main)
