"""Many visitors at once over real HTTP, against what the engine alone can do; and a Live tab."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.faces.engine import usable_cpus
from scripts.benchmarks.figures import Chapter, Goal
from scripts.benchmarks.match import APP
from scripts.benchmarks.processes import ENGINES, Engine, Page, page
from scripts.benchmarks.scenes import Scenes
from scripts.benchmarks.start import APP_FILE

COUNTS = (1, 8, 50)
RATE, WAIT, HELD = "matches a second", "wait", "memory"
ENGINE, BESIDE = "the engine alone", "the engine beside a page that only answers"
HOW = (
    "Visitors who upload a 1280 × 720 photo and ask `/match`, again and again, {:.0f} seconds, each"
    " over a connection of their own. The engine's rate is measured in a process of its own, alone,"
    " and while as many visitors get as many answers a second from a page that takes the photo and"
    " only answers."
)
Visit = Callable[[str, int, float], dict[str, Any]]  # address, visitors, their pace → told
FLAT = 1.10  # memory at the end, of that after a third of the time


@dataclass
class Watched:
    """Memory of a page while visitors come."""

    early: float = 0.0  # MB
    late: float = 0.0


def measure(scenes: Scenes, seconds: float, counts: tuple[int, ...] = COUNTS) -> Chapter:
    """Each number of visitors for so many seconds."""
    chapter = Chapter("visitors", "Visitors at once", HOW.format(seconds))
    settings = scenes.settings_for(None)
    photo = str(scenes.photos.one)
    rates: dict[int, float] = {}
    most = max(counts)
    with Engine("visitors") as crowd, Engine("own", env=settings) as own:

        def visit(url: str, count: int, pace: float) -> dict[str, Any]:
            found: dict[str, Any] = crowd.ask("visit", url, photo, count, seconds, pace).result
            return found

        def rate() -> float:
            return float(own.ask("rate", photo, seconds, usable_cpus()).result)

        with page(APP_FILE, "--port", env=settings) as app:
            crowd.ask("once", app.url, photo)
            for count in counts:
                rates[count] = _crowd(chapter, app, count, seconds, visit)
        own.ask("get_ready")
        chapter.add(RATE, ENGINE, [rate()], "1/s")
        with page(ENGINES / "pages.py", "answering") as answering:
            beside = _beside(rate, lambda: visit(answering.url, most, rates[most]))
    chapter.add(RATE, BESIDE, [beside], "1/s")
    what = f"{most} visitors' matches a second / {BESIDE}"
    chapter.goals.insert(0, Goal(what, rates[most] / beside, 0.8, at_least=True))
    return chapter


def _crowd(chapter: Chapter, app: Page, count: int, seconds: float, visit: Visit) -> float:
    held = Watched()
    watching = threading.Thread(target=_watch, args=(app, held, seconds))
    watching.start()
    told = visit(app.url, count, 0.0)
    watching.join()
    rate = len(told["waited"]) / told["seconds"]
    name = f"{count} visitor{'s' * (count > 1)}"
    chapter.add(RATE, f"{APP}, {name}", [rate], "1/s")
    chapter.add(WAIT, name, told["waited"] or [0.0])
    chapter.add(HELD, f"{name}, after a third of the time", [held.early], "MB")
    chapter.add(HELD, f"{name}, at the end", [held.late], "MB")
    middle, slow = np.percentile(told["waited"] or [0.0], [50, 95])
    chapter.notes.append(
        f"{name}: {rate:.1f} a second, p50 {1000 * middle:.0f} ms, p95 {1000 * slow:.0f} ms,"
        f" {len(told['failed'])} errors"
    )
    if count == max(COUNTS):
        chapter.goals += [
            Goal(f"{name}: errors", len(told["failed"]), 0, unit=""),
            Goal(f"{name}: memory at the end / earlier", held.late / held.early, FLAT),
        ]
    return rate


def _watch(app: Page, held: Watched, seconds: float) -> None:
    time.sleep(seconds / 3)
    held.early = app.memory
    time.sleep(seconds * 2 / 3)
    held.late = app.memory


def _beside(rate: Callable[[], float], load: Callable[[], Any]) -> float:
    """The engine's rate while visitors are answered elsewhere."""
    running = threading.Thread(target=load)
    running.start()
    found = rate()
    running.join()
    return found


UPLOADS = 8
LIVE_HOW = (
    "A Live tab over real HTTP that sends the next frame (640 × 480) when the last is answered, so"
    " what the server can do: the page itself sends no more than it wants. Alone, and beside {}"
    " visitors with photos."
)


def measure_live(scenes: Scenes, seconds: float, rounds: int) -> Chapter:
    """Frames a second."""
    chapter = Chapter("live", "Live", LIVE_HOW.format(UPLOADS))
    settings, photos = scenes.settings_for(None), scenes.photos
    frame, photo = str(photos.frame), str(photos.one)
    alone, beside = [], []
    with Engine("visitors") as tab, page(APP_FILE, "--port", env=settings) as app:
        tab.ask("live", app.url, frame, 0.5)
        for _ in range(rounds):
            alone.append(tab.ask("live", app.url, frame, seconds).result["rate"])
            told = tab.ask("live", app.url, frame, seconds, photo, UPLOADS)
            beside.append(told.result["rate"])
    first = chapter.add("frames a second", "alone", alone, "1/s")
    chapter.add("frames a second", f"beside {UPLOADS} uploads", beside, "1/s")
    chapter.goals = [Goal("Live alone", first.median, 8.0, at_least=True, unit=" frames/s")]
    return chapter
