"""The page on Ray Serve: the same page, sticky by address, its engines replaceable under load."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import expect

from core.errors import SettingsError
from core.models.install import InstalledPack
from core.settings import Settings
from core.startup import start
from scripts.page.app import free_port
from scripts.page.chromium import chromium, chromium_program
from scripts.page.states import PATIENCE
from tests.browser.visits import shown, shown_names
from tests.cluster.processes import kill_one, pids_of
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.visitor import told

pytestmark = pytest.mark.slow
PAGES, ENGINES = 2, 2
CROWD = 4  # visitors at once
ENGINE = "ServeReplica:lookalike:Engines"
AFTER_A_KILL = 5.0  # seconds in which visitors go on asking
PATIENT_SECONDS = 120.0  # a busy machine begins an engine slowly
PHOTO = "zebra-crossing.png"  # its name is looked for where it must not be


@dataclass
class Served:
    """A page that is served."""

    url: str
    settings: Settings
    reference: dict[str, Any]  # what one process answers of the astronaut

    @property
    def folders(self) -> list[Path]:
        """Where visitors' photos lie: a folder a page."""
        assert self.settings.temp_dir
        return [path for path in self.settings.temp_dir.glob("*/*") if path.is_dir()]


@pytest.fixture(scope="module")
def served(
    ray_cluster: None, tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack
) -> Iterator[Served]:
    from core.answer import answer_json
    from core.cluster import page

    folder = tmp_path_factory.mktemp("served")
    (folder / "dataset").mkdir()
    settings = Settings(
        models_dir=sface.folder.parent, dataset_dir=folder / "dataset", temp_dir=folder / "photos"
    )
    finder, port = start(settings), free_port()
    replicas = page.Replicas(PAGES, ENGINES - 1, ENGINES)
    with page.served(finder, replicas, "127.0.0.1", port):
        yield Served(f"http://127.0.0.1:{port}/", settings, answer_json(finder, ASTRONAUT, 3))
    assert list((folder / "photos").glob("*/*")) == []  # nothing of any visitor is left


@dataclass
class Visitor:
    """Somebody at an address of their own."""

    url: str
    address: str
    answers: list[Any] = field(default_factory=list)

    def match(self, content: bytes) -> Any:
        headers = {"x-forwarded-for": self.address}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as http:
            return told(http, content, PHOTO, 3)

    def keep_asking(self, content: bytes, until: Callable[[], bool]) -> None:
        while not until():
            try:
                self.answers.append(self.match(content))
            except httpx.HTTPError as error:
                self.answers.append(error)


def is_right(answer: Any, reference: dict[str, Any]) -> bool:
    if not isinstance(answer, dict) or "error" in answer:
        return False
    ours, theirs = answer["faces"][0]["matches"], reference["faces"][0]["matches"]
    return [match["actor"] for match in ours] == [match["actor"] for match in theirs] and all(
        abs(one["similarity"] - other["similarity"]) < 1e-4
        for one, other in zip(ours, theirs, strict=True)
    )


def test_it_is_the_page_that_app_py_serves(served: Served) -> None:
    english = httpx.get(served.url, headers={"accept-language": "en"})
    korean = httpx.get(served.url, params={"lang": "ko"})
    assert 'lang="ko"' in korean.text
    assert korean.headers["content-language"] == "ko"
    assert "frame-ancestors" not in english.headers["content-security-policy"]
    assert english.headers["x-content-type-options"] == "nosniff"
    health = httpx.get(served.url + "health").json()
    assert (health["status"], health["actors"]) == ("ok", 712)
    assert httpx.get(served.url + "icon-192.png").headers["content-type"] == "image/png"
    assert httpx.get(served.url + "credits").status_code == 200
    unknown = httpx.post(served.url + "gradio_api/call/nothing", json={"data": []})
    assert unknown.status_code == 404


def test_visitors_of_two_pages_keep_their_sessions(served: Served) -> None:
    content, used = ASTRONAUT.read_bytes(), set()
    for number in range(32):  # each address has a page by lot: all have the same once in 2 ** 31
        visitor = Visitor(served.url, f"198.51.100.{number}")
        assert is_right(visitor.match(content), served.reference)
        client = Client(
            served.url,
            verbose=False,
            headers={"x-forwarded-for": visitor.address},
            download_files=served.settings.temp_dir,
        )
        answer = client.predict(handle_file(SIX_PEOPLE), 1, api_name="/match")
        assert len(answer["faces"]) == 6
        used |= {folder for folder in served.folders if list(folder.rglob(PHOTO))}
        if len(used) == PAGES and number >= 3:
            break
    assert len(used) == PAGES


def test_browsers_at_two_addresses_upload_ask_what_is_alike_and_go_live(
    served: Served, tmp_path: Path
) -> None:
    if chromium_program() is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    seen = tmp_path / "seen.jpg"
    with Image.open(ASTRONAUT) as photo:
        photo.convert("RGB").save(seen)
    with chromium(seen, tmp_path) as browser:
        for number in range(2):
            context = browser.new_context(
                locale="en-US",
                permissions=["camera"],
                extra_http_headers={"x-forwarded-for": f"198.51.100.{number}"},
            )
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.goto(served.url)
            page.wait_for_selector(".result.waiting")
            page.set_input_files("#photo input[type=file]", seen)
            assert len(shown_names(page)) == 5
            shown(page).locator(".alike button").click()
            expect(shown(page).locator(".alike p")).not_to_be_empty(timeout=PATIENCE)
            page.get_by_role("tab", name="Live").click()
            page.locator("#camera").get_by_role("button", name="Start").click()
            page.wait_for_selector(".live[data-actor]")
            context.close()


def test_under_load_engines_are_added_and_killed_ones_leave_no_visitor_without_an_answer(
    served: Served,
) -> None:
    content, over = ASTRONAUT.read_bytes(), threading.Event()
    crowd = [Visitor(served.url, f"203.0.113.{number}") for number in range(CROWD)]
    threads = [
        threading.Thread(target=visitor.keep_asking, args=(content, over.is_set))
        for visitor in crowd
    ]
    for thread in threads:
        thread.start()
    killed: set[int] = set()
    try:
        wait_for(lambda: len(pids_of(ENGINE)) == ENGINES)  # one was enough before
        polite = {os.getpriority(os.PRIO_PROCESS, pid) for pid in pids_of(ENGINE)}
        assert polite == {os.getpriority(os.PRIO_PROCESS, 0)}  # others' programs do not go first
        for _ in range(2):
            wait_for(lambda: bool(set(pids_of(ENGINE)) - killed))
            killed.add(kill_one(ENGINE))
            time.sleep(AFTER_A_KILL)
        had = [len(visitor.answers) for visitor in crowd]
        wait_for(lambda: all(len(v.answers) > n for v, n in zip(crowd, had, strict=True)))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    answers = [answer for visitor in crowd for answer in visitor.answers]
    assert [answer for answer in answers if not is_right(answer, served.reference)] == []
    assert len(killed) == 2


def wait_for(happens: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENT_SECONDS
    while not happens():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_no_log_of_ray_names_a_photo(served: Served) -> None:
    import ray

    Visitor(served.url, "192.0.2.7").match(ASTRONAUT.read_bytes())
    Visitor(served.url, "192.0.2.7").match(b"no picture")
    session = Path(ray._private.worker.global_worker.node.get_session_dir_path())
    for file in session.rglob("*"):
        if file.is_file():
            with suppress(OSError):
                content = file.read_bytes()
                assert PHOTO.encode() not in content, file
                assert ASTRONAUT.read_bytes()[:64] not in content, file


def test_language_models_are_app_pys_alone(served: Served) -> None:
    from core.page.handlers import Handlers
    from core.page.layout import build_demo
    from core.page.serving.server import asgi_app

    handlers = Handlers(start(served.settings))
    demo = build_demo(handlers)
    object.__setattr__(handlers.finder, "settings", served.settings.replaced(mcp=True))
    with pytest.raises(SettingsError, match=r"app\.py"):
        asgi_app(demo, handlers)
