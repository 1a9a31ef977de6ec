"""A gallery from a dataset repository on the Hub, through the real client, against a stand-in."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from core.download.from_hub import fetch_from_hub
from core.errors import SettingsError
from core.gallery.credits import Credit, read_credits, stamped, write_credits
from core.gallery.people import read_actors
from core.gallery.photos import scan_gallery
from core.gallery.removals import Removals, save_removals
from core.settings import Settings
from tests.conftest import ASTRONAUT, ROOT
from tests.hub_standin import NOWHERE, client_at, finish, refusal
from tests.loopback import LoopbackHandler, LoopbackStandin
from tests.running_app import clean_env
from tests.running_script import run_here

REPO = "me/actors"
COMMIT = hashlib.sha1(b"one").hexdigest()
PHOTO = ASTRONAUT.read_bytes()


class DatasetHub(LoopbackStandin):
    """Serves one dataset repository: its listing, and its files by revision."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()  # files that are refused
        self.delay = 0.0  # seconds that each file takes
        self.requests: list[str] = []
        super().__init__(_Handler)

    def fetched(self) -> list[str]:
        return [path.split("/", 6)[6] for path in self.requests if "/resolve/" in path]

    def entries(self) -> list[dict[str, Any]]:
        """Each file with its size, and its SHA-256 as a large file where it is a picture."""
        entries = []
        for name, data in self.files.items():
            entry: dict[str, Any] = {"size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            if not name.endswith(".csv"):
                digest = hashlib.sha256(data).hexdigest()
                entry["lfs"] = {"sha256": digest, "oid": digest, "size": len(data)}
                entry["lfs"]["pointerSize"] = 130
            entries.append({"rfilename": name, "path": name, "type": "file", **entry})
        return entries


class _Handler(LoopbackHandler):
    def answer(self) -> None:
        hub, path = self.standin, unquote(urlsplit(self.path).path)
        if self.command == "GET":
            hub.requests.append(path)
        listing = f"/api/datasets/{REPO}/"
        if path == f"/api/datasets/{REPO}" or path.startswith(f"{listing}revision/"):
            info = {"id": REPO, "sha": COMMIT, "siblings": hub.entries(), "tags": []}
            self._send(200, json.dumps(info).encode())
        elif path.startswith(f"{listing}tree/"):
            self._send(200, json.dumps(hub.entries()).encode())
        elif path.startswith(f"/datasets/{REPO}/resolve/"):
            self._send_file(path.split("/", 6)[6])
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _send_file(self, name: str) -> None:
        hub = self.standin
        if name in hub.broken and self.command == "GET":
            self._send(403, b"")
            return
        data = hub.files.get(name)
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        etag = hashlib.sha256(data).hexdigest()
        if self.command == "GET":
            time.sleep(hub.delay)
        self._send(200, data, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(OSError):
                self.wfile.write(body)


@pytest.fixture
def hub() -> Iterator[DatasetHub]:
    with DatasetHub() as standin:
        yield standin


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return tmp_path / "dataset"


def start(
    tmp_path: Path, *arguments: str, url: str, repo: str = REPO, **env: str
) -> subprocess.Popen[str]:
    """Start the script; it needs no contact and no model."""
    environment = clean_env(
        tmp_path,
        HF_ENDPOINT=url,
        HF_HUB_OFFLINE=env.pop("offline", "0"),
        NO_PROXY="*",
        LOOKALIKE_DATASET_DIR=str(tmp_path / "dataset"),
        LOOKALIKE_REMOVALS_FILE=str(tmp_path / "removals.json"),
        **env,
    )
    return subprocess.Popen(
        [sys.executable, "scripts/download_dataset.py", "--from-hub", repo, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def fetch(
    tmp_path: Path, *arguments: str, url: str, **others: str
) -> subprocess.CompletedProcess[str]:
    return finish(start(tmp_path, *arguments, url=url, **others))


def fetch_here(
    tmp_path: Path, *arguments: str, url: str, repo: str = REPO
) -> subprocess.CompletedProcess[str]:
    """The same in this process: of what no start of Python is the point."""
    env = {
        "LOOKALIKE_DATASET_DIR": str(tmp_path / "dataset"),
        "LOOKALIKE_REMOVALS_FILE": str(tmp_path / "removals.json"),
    }
    with client_at(url, tmp_path / "hf"):
        return run_here("download_dataset", "--from-hub", repo, *arguments, cwd=ROOT, env=env)


def files_in(dataset: Path) -> list[str]:
    return [photo.file for photo in scan_gallery(dataset)]


def test_folders_of_actors_become_the_gallery(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "송강호/1.PNG": PHOTO + b"1", "README.md": b"# Mine"}
    done = fetch(tmp_path, url=hub.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["me/actors: 2 photos (2 new, 0 of them with a credit)"]
    assert files_in(dataset) == ["Ann/1.png", "송강호/1.PNG"]
    assert (dataset / "Ann" / "1.png").read_bytes() == PHOTO
    assert not (dataset / ".from_hub").exists()
    assert "README.md" not in hub.fetched()


@pytest.mark.parametrize("place", ["", "train/"])
def test_credits_and_actors_of_the_repository_are_taken_over(
    hub: DatasetHub, tmp_path: Path, dataset: Path, place: str
) -> None:
    credits = "file,source,author,licence,licence_url\nAnn/1.png,https://x/1,Eve,CC0,\n"
    hub.files = {
        f"{place}Ann/1.png": PHOTO,
        f"{place}credits.csv": credits.encode(),
        f"{place}actors.csv": "folder,name,name_ko\nAnn,Ann Lee,앤\nGone,Gone,\n".encode(),
    }
    assert "1 of them with a credit" in fetch_here(tmp_path, url=hub.url).stdout
    (photo,) = scan_gallery(dataset)
    assert photo.credit is not None
    assert (photo.file, photo.credit.author) == ("Ann/1.png", "Eve")
    assert [row.names["ko"] for row in read_actors(dataset / "actors.csv").values()] == ["앤"]


def test_credits_in_imagefolders_metadata_are_taken_over(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    table = (
        "file_name,author,license,license_url\nAnn/1.png,Eve,CC BY 4.0,https://x/by\nB/1.png,,,\n"
    )
    hub.files = {"train/Ann/1.png": PHOTO, "train/metadata.csv": table.encode()}
    fetch_here(tmp_path, url=hub.url)
    (photo,) = scan_gallery(dataset)
    assert photo.credit == Credit("Eve", "CC BY 4.0", "https://x/by")


def jpeg(quality: int = 90) -> bytes:
    stream = io.BytesIO()
    with Image.open(ASTRONAUT) as image:
        image.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def test_a_photo_with_a_credit_carries_it(hub: DatasetHub, tmp_path: Path, dataset: Path) -> None:
    """A credit in the photo itself is as when a downloaded folder was put on the Hub bare."""
    credits = (
        "file,source,author,licence,licence_url\n"
        "Ann/1.jpg,https://x/1,이브,CC0,\nAnn/4.jpg,https://x/4,,,\n"
    )
    hub.files = {
        "Ann/1.jpg": jpeg(),
        "Ann/2.jpg": jpeg(80),
        "Ann/3.jpg": stamped(jpeg(), Credit("Eve", "CC0")),
        "Ann/4.jpg": jpeg(70),
        "credits.csv": credits.encode(),
    }
    assert "4 photos (4 new, 2 of them with a credit)" in fetch_here(tmp_path, url=hub.url).stdout
    assert read_credits(dataset / "credits.csv")["Ann/3.jpg"] == Credit("Eve", "CC0")
    (dataset / "credits.csv").unlink()
    first, second, third, fourth = scan_gallery(dataset)
    assert first.credit == Credit("이브", "CC0", source="https://x/1")
    assert second.credit is None  # nobody said whose it is: the owner's, as their own folder's
    assert second.path.read_bytes() == jpeg(80)
    assert third.credit == Credit("Eve", "CC0")
    assert fourth.portrait().hidden  # of a page that names nobody


def test_what_is_there_stays_and_only_what_is_missing_is_fetched(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    credits = "file,source,author,licence,licence_url\nAnn/1.png,,Eve,CC0,\nBob/1.png,,Eve,CC0,\n"
    hub.files = {"Ann/1.png": PHOTO, "train/Bob/1.png": PHOTO, "credits.csv": credits.encode()}
    (dataset / "Ann").mkdir(parents=True)
    (dataset / "Ann" / "1.png").write_bytes(b"mine")
    write_credits(dataset / "credits.csv", {"Ann/1.png": Credit("Me", "my own")})
    assert "2 photos (1 new" in fetch_here(tmp_path, url=hub.url).stdout
    assert (dataset / "Ann" / "1.png").read_bytes() == b"mine"
    assert read_credits(dataset / "credits.csv")["Ann/1.png"] == Credit("Me", "my own")
    assert "2 photos (0 new" in fetch_here(tmp_path, url=hub.url).stdout
    assert [name for name in hub.fetched() if name.endswith(".png")] == ["train/Bob/1.png"]


def test_what_must_not_be_in_the_gallery_is_left_out_with_its_reason(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    save_removals(Removals().and_of(["Eve"]), tmp_path / "removals.json")
    hub.files = {
        "Ann/1.png": PHOTO,
        "Ann/broken.jpg": b"no picture",
        "Eve/1.png": PHOTO,
        "logo.png": PHOTO,
        "train/logo.png": PHOTO,
        "Ann/deep/er/1.png": PHOTO,
    }
    done = fetch_here(tmp_path, url=hub.url)
    assert [line[:32] for line in done.stdout.splitlines()] == [
        "me/actors: 1 photos (1 new, 0 of",
        "  left out Ann/broken.jpg: broke",
        "  left out Ann/deep: a folder in",
        "  left out Eve/1.png: removed fo",
        "  left out logo.png: beside the ",
    ]
    assert files_in(dataset) == ["Ann/1.png"]


def test_no_path_of_a_repository_leaves_the_dataset(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    evil = ["../out.png", "Ann/../../out.png", "/abs/1.png", "..\\w/1.png", ".git/1.png"]
    hub.files = {"Ann/1.png": PHOTO, **dict.fromkeys(evil, PHOTO)}
    done = fetch_here(tmp_path, url=hub.url)
    assert done.returncode == 0, done.stderr
    assert hub.fetched() == ["Ann/1.png"]
    assert files_in(dataset) == ["Ann/1.png"]
    assert not list(tmp_path.rglob("out.png"))


def test_a_download_that_stops_leaves_nothing_half_done_and_goes_on(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "Ann/2.png": PHOTO}
    hub.broken = {"Ann/2.png"}
    done = fetch(tmp_path, url=hub.url)
    assert done.returncode == 2
    assert "me/actors stopped" in done.stderr.splitlines()[-1]
    assert files_in(dataset) == []
    hub.broken.clear()
    assert fetch(tmp_path, url=hub.url).returncode == 0
    assert files_in(dataset) == ["Ann/1.png", "Ann/2.png"]
    assert hub.fetched().count("Ann/1.png") == 1


@pytest.mark.slow
def test_killed_on_the_way_it_goes_on_and_every_photo_is_whole_and_credited(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    rows = [f"Ann/{number}.jpg,https://x/{number},Eve,CC0,\n" for number in range(12)]
    table = "file,source,author,licence,licence_url\n" + "".join(rows)
    hub.files = {f"Ann/{number}.jpg": jpeg() for number in range(12)}
    hub.files["credits.csv"] = table.encode()
    hub.delay = 0.1
    process = start(tmp_path, url=hub.url)
    deadline = time.monotonic() + 60
    while len(hub.fetched()) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert fetch(tmp_path, url=hub.url).returncode == 0
    photos = scan_gallery(dataset)
    assert len(photos) == 12
    assert {photo.credit.author for photo in photos if photo.credit} == {"Eve"}
    assert len(hub.fetched()) <= 13 + 2  # the one in hand at the kill, and the table
    assert not list(dataset.rglob("*.tmp"))


def test_a_repository_without_folders_is_refused(hub: DatasetHub, tmp_path: Path) -> None:
    hub.files = {"data.parquet": b"x"}
    done = fetch_here(tmp_path, url=hub.url)
    assert done.returncode == 2
    assert "no folders of photos" in done.stderr.splitlines()[-1]


def test_a_repository_that_is_not_there_is_one_line(hub: DatasetHub, tmp_path: Path) -> None:
    assert "no dataset me/other" in refusal(fetch_here(tmp_path, url=hub.url, repo="me/other"))


@pytest.mark.parametrize("name", ["actors", "me/a/b", "../x", "me/..", "https://x/y", "me/a b"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(
    name: str, settings: Settings
) -> None:
    with pytest.raises(SettingsError, match="owner/name"):
        fetch_from_hub(name, settings)


def test_offline_the_hub_is_not_asked(hub: DatasetHub, tmp_path: Path) -> None:
    hub.files = {"Ann/1.png": PHOTO}
    assert "HF_HUB_OFFLINE is set" in refusal(fetch(tmp_path, url=hub.url, offline="1"))
    assert hub.requests == []


def test_a_hub_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "check the name and the network" in refusal(fetch(tmp_path, url=NOWHERE))


def test_a_dry_run_is_for_wikimedia_only(tmp_path: Path) -> None:
    done = fetch_here(tmp_path, "--dry-run", url=NOWHERE)
    assert done.returncode == 2
    assert "--dry-run cannot look into" in done.stderr
