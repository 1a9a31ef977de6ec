"""An index: built, built again with nothing changed, and made from its cache."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from scripts.benchmarks.figures import Chapter, Goal, paired
from scripts.benchmarks.match import ANALYSIS, APP, DLIB
from scripts.benchmarks.processes import Answer, Engine, Task
from scripts.benchmarks.scenes import REBUILD, Scenes

BEFORE = "Lookalike before the second network"
BUILD, UNCHANGED, CACHE = "build", "nothing changed", "from the cache"
UNIT = "photos/s"
HOW = (
    "Photos a second of an index built anew, three rounds: real photos, five an actor. insightface"
    " and face_recognition find and embed the same files in a loop. `before` is this project's own"
    " engine as it was, from its history. Then {} × {} photos: built again with nothing changed,"
    " and from the cache alone."
)


def measure(scenes: Scenes, rounds: int, actors: int) -> Chapter:
    """Photos a second, and seconds of a rebuild.

    Args:
        scenes: the galleries.
        rounds: of each build.
        actors: how many of the large gallery are built again.
    """
    chapter = Chapter("build", "An index", HOW.format(actors, REBUILD[1]))
    with ExitStack() as stack:
        own = stack.enter_context(Engine("own", env=scenes.settings_for(scenes.portraits)))
        builds = _builds(own, scenes, stack)
        rates: dict[str, list[float]] = {name: [] for name in builds}
        for _ in range(rounds):
            for name, (photos, build) in builds.items():
                rates[name].append(photos / build().seconds)
        for name, values in rates.items():
            chapter.add(BUILD, name, values, UNIT)
        _again(chapter, own, _part_of(scenes, actors), scenes, rounds)
    if scenes.before:
        gain = paired(chapter.row(BUILD, APP), chapter.row(BUILD, BEFORE))
        chapter.goals.append(Goal(f"build / {BEFORE}", gain, 1.3, at_least=True))
    unchanged = chapter.row(UNCHANGED, APP).median
    what = f"{actors} × {REBUILD[1]} photos, {UNCHANGED}"
    chapter.goals.append(Goal(what, unchanged, 2.0, unit=" s"))
    return chapter


def _builds(own: Engine, scenes: Scenes, stack: ExitStack) -> dict[str, tuple[int, Task]]:
    """How many photos each engine embeds, and how; face_recognition some two dozen of them."""
    dataset = scenes.portraits
    photos = [str(photo) for photo in sorted(dataset.glob("*/*.*"))]
    builds = {APP: (len(photos), _built_anew(own, dataset, scenes.scratch / "build.json"))}
    if scenes.before:
        models = str(scenes.scratch / "models-before")
        env = {**scenes.settings_for(dataset), "LOOKALIKE_MODELS_DIR": models}
        before = stack.enter_context(Engine("own", project=scenes.before, env=env))
        task = _built_anew(before, dataset, scenes.scratch / "before.json")
        builds[BEFORE] = (len(photos), task)
    analysis = stack.enter_context(Engine("face_analysis", str(scenes.plain_pack)))
    builds[ANALYSIS] = (len(photos), lambda: analysis.ask("build", photos))
    if python := scenes.rivals:
        few = photos[:: max(1, len(photos) // 24)]
        dlib = stack.enter_context(Engine("dlib_faces", python=python))
        builds[DLIB] = (len(few), lambda: dlib.ask("build", few))
    return builds


def _built_anew(engine: Engine, dataset: Path, cache: Path) -> Task:
    engine.ask("load")

    def build() -> Answer:
        cache.unlink(missing_ok=True)
        return engine.ask("build", str(dataset), str(cache))

    return build


def _part_of(scenes: Scenes, actors: int) -> Path:
    """The large gallery, or for a short run its first actors."""
    if actors == REBUILD[0]:
        return scenes.large
    folder = scenes.scratch / f"large-{actors}"
    for actor in sorted(scenes.large.iterdir())[:actors]:
        for photo in sorted(actor.iterdir()):
            target = folder / actor.name / photo.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(photo.read_bytes())
    return folder


def _again(chapter: Chapter, own: Engine, dataset: Path, scenes: Scenes, rounds: int) -> None:
    cache = scenes.scratch / f"{dataset.name}.json"
    own.ask("build", str(dataset), str(cache))
    for thing, task in ((UNCHANGED, "build"), (CACHE, "from_cache")):
        seconds = [own.ask(task, str(dataset), str(cache)).seconds for _ in range(rounds)]
        chapter.add(thing, APP, seconds, "s")
