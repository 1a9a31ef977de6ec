"""The search, from a small gallery to a million templates, against faiss and one read of them."""

from __future__ import annotations

from contextlib import ExitStack

from scripts.benchmarks.figures import Chapter, Goal, Row, paired
from scripts.benchmarks.match import APP
from scripts.benchmarks.processes import Engine, Samples
from scripts.benchmarks.scenes import Scenes

SIZES = (302, 10_000, 100_000, 1_000_000)
FAISS, READ = "faiss IndexFlatIP", "one read of the matrix"
TOGETHER = 32
LARGE = 10_000  # templates, from which it is compared with faiss
LOADS = 3
MOST_TIMES = 500  # that a short search is repeated in a round
HOW = (
    "The five closest of so many templates of 256 numbers, exactly, with actor, score and portrait;"
    " faiss's `IndexFlatIP` gives rows and inner products. One read is the matrix's dot product"
    " with itself. Vectors are random."
)


def measure(scenes: Scenes, rounds: int, sizes: tuple[int, ...] = SIZES) -> Chapter:
    """Loading and searching at each size."""
    chapter = Chapter("search", "The search", HOW)
    folder = scenes.scratch / "search"
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        engines = {APP: stack.enter_context(Engine("own_search", str(folder)))}
        if python := scenes.rivals:
            engines[FAISS] = stack.enter_context(Engine("faiss_search", str(folder), python=python))
        for size in sizes:
            _measure_size(chapter, engines, size, rounds)
    for size in sizes:
        chapter.goals += _goals(chapter, size, FAISS in engines)
    large = [size for size in sizes if size >= LARGE]
    if len(large) > 1:
        first, last = (chapter.row(_single(size), APP).median for size in large[-2:])
        linear = (last / first) / (large[-1] / large[-2])
        what = f"{large[-1]:,} / {large[-2]:,} templates, of linear"
        chapter.goals.append(Goal(what, linear, 1.2))
    return chapter


def _measure_size(chapter: Chapter, engines: dict[str, Engine], size: int, rounds: int) -> None:
    loads = {name: Samples() for name in engines}
    for engine in engines.values():
        engine.ask("make", size)
    for _ in range(min(rounds, LOADS)):
        for name, engine in engines.items():
            loads[name].add(engine.ask("load", size))
    for name, taken in loads.items():
        chapter.add(f"{size:,} templates: load", name, taken.seconds)
    for thing, task, work in (
        (_single(size), "single", 1_000_000),
        (f"{size:,} templates, {TOGETHER} faces", "together", 100_000),
    ):
        samples = {name: Samples() for name in engines}
        reads = Samples()
        times = min(max(1, work // size), MOST_TIMES)
        for number in range(-1, rounds):
            for name, engine in engines.items():
                answer = engine.ask(task, times)
                if number >= 0:
                    samples[name].add(answer, times)
            if task == "single":
                reads.add(engines[APP].ask("read", times), times)
        for name, taken in samples.items():
            chapter.add(thing, name, taken.seconds, cpu=taken.cpu)
        if reads.seconds:
            chapter.add(thing, READ, reads.seconds[1:], cpu=reads.cpu[1:])


def _single(size: int) -> str:
    return f"{size:,} templates, one face"


def _goals(chapter: Chapter, size: int, against_faiss: bool) -> list[Goal]:
    if size < LARGE:
        own: Row = chapter.row(_single(size), APP)
        return [Goal(own.thing, own.median, 0.1, unit=" ms")]
    things = (_single(size), f"{size:,} templates, {TOGETHER} faces")
    return [
        Goal(f"{thing}: search / faiss", paired(chapter.row(thing, APP), other), 1.10)
        for thing in things
        if against_faiss and (other := chapter.row(thing, FAISS))
    ]
