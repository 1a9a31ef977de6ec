"""A photo, from bytes to scored answer, against four ways to do less."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np

from scripts.benchmarks.figures import Chapter, Goal, paired
from scripts.benchmarks.processes import Engine, Task, in_turn
from scripts.benchmarks.scenes import Scenes

APP, SESSIONS, ANALYSIS = "Lookalike", "its networks and JPEG", "insightface"
DLIB = "face_recognition"
STRANGER = "Lookalike without that actor"
THINGS = {
    "one": "one face, 1280 × 720",
    "known": "the same, somebody of the gallery",
    "six": "six faces, 1280 × 720",
    "phone": "one face, 12 megapixels",
    "frame": "a Live frame, 640 × 480",
}
HOW = (
    "From the bytes of a JPEG to the scored answer, in a gallery of 337 actors. Beside it: the bare"
    " onnxruntime sessions on the inputs that this very photo gives them, with the JPEG's"
    " decoding; insightface's `FaceAnalysis.get` at a detection size of 640 on the pack before any"
    " rewriting (SFace and YuNet; each face once, no search); face_recognition (dlib) as its README"
    " has it (no search). Somebody of the gallery is also asked of a gallery without them: what is"
    " longer is the search for the very same photo."
)


def measure(scenes: Scenes, rounds: int) -> Chapter:
    """All engines in turn on each photo."""
    chapter = Chapter("match", "A match", HOW)
    photos = scenes.photos
    settings = scenes.settings_for(scenes.headshots)
    with ExitStack() as stack:
        own = stack.enter_context(Engine("own", env=settings))
        others = scenes.settings_for(scenes.others)
        without = stack.enter_context(Engine("own", env=others))
        for engine in (own, without):
            engine.ask("get_ready")
        bare = stack.enter_context(Engine("bare_sessions", env=settings))
        analysis = stack.enter_context(Engine("face_analysis", str(scenes.plain_pack)))
        python = scenes.rivals
        dlib = stack.enter_context(Engine("dlib_faces", python=python)) if python else None
        for key, thing in THINGS.items():
            photo = str(getattr(photos, key))
            found = bare.ask("record", photo, key == "frame").result
            tasks = _tasks(own, bare, analysis, photo, "frame" if key == "frame" else "match")
            if key == "known":
                tasks[STRANGER] = _asking(without, photo)
            samples = in_turn(tasks, rounds)
            if dlib and key != "known":
                samples |= in_turn({DLIB: _asking(dlib, photo)}, max(1, rounds // 4), warm=1)
            decoding = samples.pop("decoding").seconds
            bare_samples = samples[SESSIONS]
            bare_samples.seconds = [
                sum(pair) for pair in zip(bare_samples.seconds, decoding, strict=True)
            ]
            for engine, taken in samples.items():
                chapter.add(thing, engine, taken.seconds, cpu=taken.cpu)
            chapter.notes.append(
                f"{thing}: {found} face(s), JPEG decoding {1000 * median(decoding):.1f} ms"
            )
    chapter.goals = _goals(chapter)
    chapter.notes.append(
        "deepface is left out: its SFace and YuNet are fetched from the network when they are first"
        " used, as files that it names, and it brings TensorFlow."
    )
    return chapter


def _tasks(own: Engine, bare: Engine, analysis: Engine, photo: str, name: str) -> dict[str, Task]:
    return {
        APP: lambda: own.ask(name, photo),
        SESSIONS: lambda: bare.ask("match", photo),
        "decoding": lambda: bare.ask("decode", photo),
        ANALYSIS: lambda: analysis.ask("match", photo),
    }


def _asking(engine: Engine, photo: str | Path) -> Task:
    return lambda: engine.ask("match", str(photo))


def _goals(chapter: Chapter) -> list[Goal]:
    goals = []
    for key, thing in THINGS.items():
        own, bare = chapter.row(thing, APP), chapter.row(thing, SESSIONS)
        if key != "known":
            goals.append(Goal(f"{thing}: match / {SESSIONS}", paired(own, bare), 1.10))
        if key in ("one", "six"):
            against = paired(own, chapter.row(thing, ANALYSIS))
            goals.append(Goal(f"{thing}: match / insightface", against, {"one": 0.85}.get(key, 1)))
    known, unknown = (chapter.row(THINGS["known"], engine) for engine in (APP, STRANGER))
    longer = float(np.median(np.subtract(known.values, unknown.values)))
    goals.append(Goal("somebody of the gallery: longer by", longer, 5.0, unit=" ms"))
    rivals = [row for row in chapter.rows if (row.thing, row.engine) == (THINGS["one"], DLIB)]
    goals += [
        Goal(
            f"{row.thing}: match / face_recognition",
            chapter.row(row.thing, APP).median / row.median,
            0.12,
        )
        for row in rivals
    ]
    return goals
