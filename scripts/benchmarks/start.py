"""From the start of the process to the page, and the first visitor against the tenth."""

from __future__ import annotations

from core.settings import ROOT
from scripts.benchmarks.figures import Chapter, Goal, paired
from scripts.benchmarks.match import APP
from scripts.benchmarks.processes import ENGINES, Engine, page
from scripts.benchmarks.scenes import Scenes

EMPTY = "an empty Gradio page"
START, MEMORY, MATCHES = "start", "memory", "matches over HTTP"
HOW = (
    "Seconds from the start of the process until `/` is answered, and memory then, against a page"
    " of Gradio with one line of text. The app has the starter gallery and its index. Then ten"
    " matches over HTTP, one after the other, of a 1280 × 720 photo."
)
APP_FILE = ROOT / "app.py"


def measure(scenes: Scenes, rounds: int) -> Chapter:
    """Both in turn."""
    chapter = Chapter("start", "The start", HOW)
    settings = scenes.settings_for(None)
    photo = str(scenes.photos.one)
    taken: dict[str, list[tuple[float, float]]] = {APP: [], EMPTY: []}
    waits: list[list[float]] = []
    with Engine("visitors") as visitors:
        for number in range(-1, rounds):  # the first start makes the index
            with page(APP_FILE, "--port", env=settings) as started:
                own = started.seconds, started.memory
                waited = [visitors.ask("once", started.url, photo).seconds for _ in range(10)]
            with page(ENGINES / "pages.py", "empty") as started:
                empty = started.seconds, started.memory
            if number >= 0:
                taken[APP].append(own)
                taken[EMPTY].append(empty)
                waits.append(waited)
    for name, pairs in taken.items():
        chapter.add(START, name, [seconds for seconds, _ in pairs], "s")
        chapter.add(MEMORY, name, [megabytes for _, megabytes in pairs], "MB")
    first = chapter.add(MATCHES, "the first", [waited[0] for waited in waits])
    tenth = chapter.add(MATCHES, "the tenth", [waited[-1] for waited in waits])
    ratio = paired(chapter.row(START, APP), chapter.row(START, EMPTY))
    chapter.goals = [
        Goal("start / empty Gradio page", ratio, 1.10),
        Goal("first match / tenth", first.median / tenth.median, 1.2),
    ]
    more = chapter.row(MEMORY, APP).median - chapter.row(MEMORY, EMPTY).median
    chapter.notes.append(f"the app holds {more:.0f} MB more than the empty page")
    return chapter
