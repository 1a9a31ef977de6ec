"""The order of the rooms: imports between them point one way, and vendors stay in theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

GROUND = {"errors", "languages", "log", "settings", "files"}
MATCHING = GROUND | {"models", "faces", "gallery", "index", "lookalike"}
MAY_IMPORT = {
    "errors": set(),
    "languages": set(),
    "log": {"errors", "languages"},
    "settings": {"errors", "languages", "log"},
    "files": {"errors", "log"},
    "models": GROUND,
    "faces": GROUND | {"models"},
    "gallery": GROUND | {"models", "faces"},
    "index": GROUND | {"models", "faces", "gallery"},
    "lookalike": MATCHING - {"lookalike"},
    "startup": MATCHING | {"download"},
    "answer": MATCHING,
    "download": GROUND | {"models", "faces", "gallery"},
    "upkeep": MATCHING | {"startup"},
    "card": {"errors"},
    "page": MATCHING | {"startup", "answer", "card"},
    "cluster": MATCHING | {"page"},
}
RIVALS = "scripts/benchmarks/"  # run what the app is compared with
VENDORS = {  # where alone they may be imported
    "gradio": ("app.py", "core/page/", RIVALS),
    "insightface": ("core/faces/engine.py", RIVALS),
    "onnxruntime": ("core/faces/engine.py", RIVALS),
    "onnx": ("core/models/convert.py", "core/models/dlib_resnet.py"),
    "pymilvus": ("core/index/milvus/server.py",),
    "ray": ("core/cluster/",),
    "huggingface_hub": ("core/models/hub.py", "core/download/from_hub.py", "core/upkeep/space.py"),
}
SOURCES = sorted([*ROOT.glob("core/**/*.py"), *ROOT.glob("scripts/**/*.py"), ROOT / "app.py"])


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    return module.split(".")[1]


def upward(path: Path) -> list[str]:
    """Imports of a file of core/ from rooms that it may not know."""
    name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    if not name.startswith("core."):
        return []
    room = room_of(name)
    rooms = MAY_IMPORT.get(room, set()) | {room}
    return [
        f"{name} imports {module}"
        for module in imported(path)
        if module.startswith("core.") and room_of(module) not in rooms
    ]


def misplaced(path: Path) -> list[str]:
    """Imports of vendors' packages in a file that must not know them."""
    place = path.relative_to(ROOT).as_posix()
    return [
        f"{place} imports {module}"
        for module in imported(path)
        if not place.startswith(VENDORS.get(module.partition(".")[0], ("",)))
    ]


def test_imports_point_one_way() -> None:
    assert [wrong for path in SOURCES for wrong in upward(path)] == []


def test_a_vendor_is_imported_in_its_own_room_only() -> None:
    assert [wrong for path in SOURCES for wrong in misplaced(path)] == []
