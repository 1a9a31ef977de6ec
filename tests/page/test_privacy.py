"""What the page says of a visitor's photo is true of the serving process, here this one."""

from __future__ import annotations

import ctypes
import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.queueing
import gradio.route_utils
import gradio.routes
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.faces.engine import FaceEngine
from core.log import log
from core.lookalike import LookalikeFinder
from core.page.handlers import Handlers
from core.page.layout import build_demo
from core.page.live import LiveMemory
from core.page.serving.server import serve
from core.page.sessions import ANSWER, LIVE_FORGOTTEN, TAB, Sessions
from tests.conftest import ASTRONAUT, ROOT
from tests.running_app import free_port

# Gradio leaves its server's sockets and loop to be collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PATIENCE = 30  # seconds; a busy machine
DEEDS = ("tab", "live", "match 4", "python", "failed", "cut", "unfetched")
# Bytes. 3,300 calls grew a process by 540 MB before. Now 5,000 take less than 3 MB, and 15.5 MB
# once for each thread more that a busy machine lets answer at the same time: up to three.
FLAT = 50_000_000
Told = dict[str, Any]


@dataclass
class Served:
    """The page, served by this process."""

    demo: gr.Blocks
    handlers: Handlers
    url: str
    photo: Path  # marked
    said: io.StringIO  # in the log

    @contextmanager
    def visitor(self) -> Iterator[Callable[[str], Told]]:
        """For each thing asked somebody comes and does it; all leave at the end of the block."""
        fns = {fn.name: fn._id for fn in self.demo.fns.values()}
        command = [sys.executable, "-m", "tests.page.visitor", self.url, str(self.photo)]
        with subprocess.Popen(
            [*command, json.dumps(fns)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:

            def do(line: str) -> Told:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{line}\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline())

            try:
                yield do
            finally:
                process.kill()

    def visit(self, *lines: str) -> list[Told]:
        """For each line somebody comes and does that; then all of them leave."""
        with self.visitor() as do:
            return [do(line) for line in lines]


@pytest.fixture(scope="module")
def server(
    gallery: LookalikeFinder, plain_engine: FaceEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("privacy")
    photo = folder / "marked.png"
    marked(photo)
    modules = (gradio.routes, gradio.queueing, gradio.route_utils)
    before = [(module, dict(vars(module))) for module in modules]
    said, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(said)
    log.addHandler(handler)
    settings = replaced(gallery.settings, photo_seconds=1)
    handlers = Handlers(replace(gallery, engine=plain_engine, settings=settings))
    port = free_port()
    with ExitStack() as after, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        demo = build_demo(handlers)
        after.callback(lambda: [vars(module).update(held) for module, held in before])
        after.callback(vars(gradio.routes).pop, "print", None)
        after.callback(log.removeHandler, handler)
        serve(demo, handlers, server_name="127.0.0.1", server_port=port)
        after.callback(demo.close, verbose=False)
        after.callback(gc.collect)
        yield Served(demo, handlers, f"http://127.0.0.1:{port}/", photo, said)


def replaced(settings: Any, **changes: Any) -> Any:
    return settings.model_copy(update=changes)


def marked(path: Path) -> None:
    """A face beside noise that no other picture has."""
    face = Image.open(ASTRONAUT).convert("RGB").crop((100, 0, 350, 260))
    noise = np.random.default_rng(7).integers(0, 256, (263, 317, 3), np.uint8)
    image = Image.fromarray(noise)
    image.paste(face, (0, 0))
    image.save(path)


LEAVES = (str, bytes, bytearray, memoryview, np.ndarray, Image.Image)


def everything() -> list[Any]:
    """Texts, bytes and arrays that this process holds: of tracked objects and other threads."""
    gc.collect()
    waiting = gc.get_objects() + frames_of_other_threads()
    seen: dict[int, Any] = {id(waiting): waiting}
    found = []
    while waiting:
        several, waiting = waiting, []
        for thing in gc.get_referents(*several):
            if id(thing) in seen:
                continue
            if isinstance(thing, LEAVES):
                seen[id(thing)] = thing
                found.append(thing)
            elif isinstance(thing, (dict, tuple)) and not gc.is_tracked(thing):
                seen[id(thing)] = thing
                waiting.append(thing)
    return found


def frames_of_other_threads() -> list[types.FrameType]:
    running = dict(sys._current_frames())
    del running[threading.get_ident()]
    return [frame for top in running.values() for frame, _ in traceback.walk_stack(top)]


def traces(*visits: Told) -> list[str]:
    """What this process holds of visitors; what is told of them is backwards."""
    texts = ["".join(reversed(text)) for told in visits for text in told["texts"]]
    rows = [bytes(reversed(told["pixels"])) for told in visits]
    vectors = [np.array(told["embedding"], np.float32) for told in visits if "embedding" in told]
    sizes = {tuple(told["size"]) for told in visits}
    own = set(map(id, [*texts, *rows, *vectors]))
    left = []
    for thing in everything():
        if id(thing) in own:
            continue
        if isinstance(thing, str):
            found = any(text in thing for text in texts)
        elif isinstance(thing, Image.Image):
            found = thing.size in sizes
        elif isinstance(thing, np.ndarray):
            found = shows(thing, rows) or any(holds(thing, vector) for vector in vectors)
        else:
            data = bytes(thing)
            found = any(mark in data for mark in [*rows, *(text.encode() for text in texts)])
        if found:
            left.append(f"{type(thing).__name__}: {str(thing)[:80]}")
    return left


def shows(array: NDArray[Any], rows: list[bytes]) -> bool:
    if array.dtype != np.uint8:
        return False
    data = array.tobytes()
    return any(row in data for row in rows)


def holds(array: NDArray[Any], embedding: NDArray[np.float32]) -> bool:
    if array.dtype != np.float32 or array.size % embedding.size or not array.size:
        return False
    rows = array.reshape(-1, embedding.size)
    return bool(np.isclose(rows, embedding, atol=1e-4).all(axis=1).any())


def eventually(holds: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if holds():
            return True
        time.sleep(0.05)
    return False


def nobody_is_here(server: Served) -> bool:
    queue = server.demo._queue
    left = [
        *queue.pending_messages_per_session,
        *queue.pending_event_ids_session,
        *queue.event_ids_to_events,
        *queue.event_analytics,
        *server.demo.app.iterators,
        *server.demo.state_holder.session_data,
        *gradio.routes.file_upload_statuses._statuses,
        *gradio.routes.file_upload_statuses._signals,
        *server.handlers.sessions._live,
        *server.handlers.sessions._here,
    ]
    return not left


def test_what_is_sought_is_found_while_somebody_holds_it() -> None:
    row = np.random.default_rng(3).integers(0, 256, (1, 80), np.uint8)
    vector = np.random.default_rng(4).normal(size=(2, 128)).astype(np.float32)
    kept = {"text": "".join(map(str, range(90))), "row": row, "vector": vector}
    somewhere = [kept]
    told = {
        "texts": [list(reversed(kept["text"][:60]))],
        "pixels": list(reversed(row.tobytes()[:60])),
        "embedding": vector[1].tolist(),
        "size": (1, 1),
    }
    kinds = [trace.split(":")[0] for trace in traces(told)]
    assert sorted(kinds) == ["ndarray", "ndarray", "str"]
    del somewhere


def test_nothing_of_visitors_is_left_once_they_have_gone(server: Served) -> None:
    told = server.visit(*DEEDS)
    assert eventually(lambda: nobody_is_here(server))
    assert eventually(lambda: not traces(*told), 5), traces(*told)


def test_nothing_of_an_answer_is_left_while_its_tab_stays_open(server: Served) -> None:
    with server.visitor() as do:
        told = do("tab")
        assert eventually(lambda: not server.demo._queue.event_ids_to_events)
        assert eventually(lambda: not gradio.routes.file_upload_statuses._statuses)
        assert traces(told) == []


def test_a_closed_tab_is_forgotten_at_once(server: Served) -> None:
    sessions = server.handlers.sessions
    with server.visitor() as do:
        session = do("live")["session"]
        memory = sessions.live(session)
        assert memory is not None
        assert memory.steady.face is not None
        assert server.demo._queue.event_ids_to_events
    assert eventually(lambda: sessions.live(session) is None, 2)
    assert eventually(lambda: nobody_is_here(server), 5)


def test_the_live_mode_forgets_within_the_minute_while_the_tab_stays_open() -> None:
    sessions = Sessions()
    assert LIVE_FORGOTTEN < 60
    with sessions.visit(TAB, "a"), sessions.visit(TAB, "b"):
        sessions.keep_live("a", LiveMemory())
        time.sleep(0.2)
        sessions.keep_live("b", LiveMemory())
        sessions.forget_old_live(0.1)
        assert sessions.live("a") is None
        assert sessions.live("b") is not None


def test_a_frame_answered_after_the_visitor_has_gone_is_not_remembered() -> None:
    sessions = Sessions()
    with sessions.visit(ANSWER, "a"):
        sessions.keep_live("a", LiveMemory())
        assert sessions.live("a") is not None
    assert sessions.live("a") is None
    sessions.keep_live("a", LiveMemory())
    sessions.keep_live(None, LiveMemory())
    assert sessions._live == {}


def test_no_part_of_the_page_has_a_memory_of_gradios(server: Served) -> None:
    assert [block for block in server.demo.blocks.values() if getattr(block, "stateful", 0)] == []


def test_there_is_no_page_about_the_visits(server: Served) -> None:
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        answer = httpx.get(f"{server.url}{path}")
        assert answer.status_code in (403, 404), path
        assert "functions" not in answer.text


def test_the_log_says_nothing_that_a_caller_sent(
    server: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    server.said.truncate(0)
    names = ["".join(reversed(told["texts"][0])) for told in server.visit("failed", "cut")]
    out = capfd.readouterr()
    said = f"{out.out}{out.err}{server.said.getvalue()}"
    assert len(names[0]) == len(names[1]) >= 16
    assert not [name for name in names if name in said]
    assert "Traceback" not in said
    assert "an event failed: " in said


@pytest.mark.slow
def test_five_thousand_calls_leave_nothing_and_take_no_memory(
    server: Served,
) -> None:
    with ThreadPoolExecutor(3) as visitors:  # until several threads have their memory
        list(visitors.map(server.visit, ["match 14"] * 3))
    server.visit("health 800")
    before = resident()
    told, *_ = server.visit("match 60", "health 3000", "direct 1100")
    assert eventually(lambda: nobody_is_here(server))
    grown = resident() - before  # before the search, which takes some itself
    print(f"5,000 calls: {grown / 1e6:+.1f} MB")
    assert traces(told) == []
    assert grown < FLAT


def resident() -> int:
    """Bytes of memory of this process, without what is free and only waits to be used again."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
