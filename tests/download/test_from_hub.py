"""A gallery from a dataset repository on the Hub, through the real client, against a stand-in."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from core.download.from_hub import is_safe
from core.gallery.credits import Credit, read_credits, stamped, write_credits
from core.gallery.people import read_actors
from core.gallery.photos import scan_gallery
from tests.conftest import ASTRONAUT, ROOT
from tests.hub_standin import NOWHERE, finish, refusal
from tests.loopback import LoopbackHandler, LoopbackStandin
from tests.running_app import clean_env

REPO = "me/actors"
COMMIT = hashlib.sha1(b"one").hexdigest()
PHOTO = ASTRONAUT.read_bytes()


class DatasetHub(LoopbackStandin):
    """Serves one dataset repository: its listing, and its files by revision."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.listed: dict[str, bytes] = {}  # listed beside the files: what is not what it says
        self.content_status: int | None = None  # answers every file with this status
        self.requests: list[str] = []
        super().__init__(_Handler)

    def fetched(self) -> list[str]:
        return [path for path in self.requests if "/resolve/" in path]

    def entries(self) -> list[dict[str, Any]]:
        """Each file with its size, and its SHA-256 as a large file where it is a picture."""
        entries = []
        for name, data in (self.files | self.listed).items():
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
        if hub.content_status and self.command == "GET":
            self._send(hub.content_status, b"")
            return
        data = hub.files.get(name)
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        etag = hashlib.sha256(data).hexdigest()
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


def fetch(
    tmp_path: Path, *arguments: str, url: str, repo: str = REPO, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the script; it needs no contact and no model."""
    environment = clean_env(
        tmp_path,
        HF_ENDPOINT=url,
        HF_HUB_OFFLINE=env.pop("offline", "0"),
        NO_PROXY="*",
        LOOKALIKE_DATASET_DIR=str(tmp_path / "dataset"),
        LOOKALIKE_REMOVALS_FILE=str(tmp_path / "removals.json"),
        **env,
    )
    process = subprocess.Popen(
        [sys.executable, "scripts/download_dataset.py", "--from-hub", repo, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    return finish(process)


def files_in(dataset: Path) -> list[str]:
    return [photo.file for photo in scan_gallery(dataset)]


def test_folders_of_actors_become_the_gallery(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "송강호/1.png": PHOTO + b"1", "README.md": b"# Mine"}
    done = fetch(tmp_path, url=hub.url)
    assert done.returncode == 0, done.stderr
    assert "me/actors: 2 actors, 2 photos (2 new), 0 with a credit" in done.stdout
    assert files_in(dataset) == ["Ann/1.png", "송강호/1.png"]
    assert (dataset / "Ann" / "1.png").read_bytes() == PHOTO
    assert not (dataset / ".from_hub").exists()
    assert not any("README" in path for path in hub.fetched())


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
    assert "1 with a credit" in fetch(tmp_path, url=hub.url).stdout
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
    fetch(tmp_path, url=hub.url)
    (photo,) = scan_gallery(dataset)
    assert photo.credit is not None
    assert (photo.credit.licence, photo.credit.licence_url) == ("CC BY 4.0", "https://x/by")


def jpeg(quality: int = 90) -> bytes:
    stream = io.BytesIO()
    with Image.open(ASTRONAUT) as image:
        image.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def test_a_photo_with_a_credit_carries_it_and_is_not_fetched_again(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    credits = "file,source,author,licence,licence_url\nAnn/1.jpg,https://x/1,이브,CC0,\n"
    hub.files = {"Ann/1.jpg": jpeg(), "Ann/2.jpg": jpeg(80), "credits.csv": credits.encode()}
    assert "2 photos (2 new), 1 with a credit" in fetch(tmp_path, url=hub.url).stdout
    (dataset / "credits.csv").unlink()
    first, second = scan_gallery(dataset)
    assert first.credit == Credit("이브", "CC0", source="https://x/1")
    assert second.credit is None  # nobody said whose it is: the owner's, as their own folder's
    assert second.path.read_bytes() == jpeg(80)
    hub.requests.clear()
    assert "2 photos (0 new), 1 with a credit" in fetch(tmp_path, url=hub.url).stdout
    assert [path for path in hub.fetched() if path.endswith(".jpg")] == []
    assert read_credits(dataset / "credits.csv")["Ann/1.jpg"].author == "이브"


def test_a_credit_that_the_owner_corrected_stays(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    credits = "file,source,author,licence,licence_url\nAnn/1.jpg,,Eve,CC0,\n"
    hub.files = {"Ann/1.jpg": jpeg(), "credits.csv": credits.encode()}
    fetch(tmp_path, url=hub.url)
    write_credits(dataset / "credits.csv", {"Ann/1.jpg": Credit("Corrected", "CC BY 4.0")})
    fetch(tmp_path, url=hub.url)
    (photo,) = scan_gallery(dataset)
    assert photo.credit == Credit("Corrected", "CC BY 4.0")


def test_a_credit_in_the_photo_itself_is_taken_over(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    """As when a folder filled by the download was put on the Hub without its tables."""
    hub.files = {"Ann/1.jpg": stamped(jpeg(), Credit("Eve", "CC0"))}
    assert "1 with a credit" in fetch(tmp_path, url=hub.url).stdout
    assert read_credits(dataset / "credits.csv") == {"Ann/1.jpg": Credit("Eve", "CC0")}


def test_a_photo_of_a_page_that_names_nobody_is_never_shown(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    credits = "file,source,author,licence,licence_url\nAnn/1.jpg,https://x/1,,,\n"
    hub.files = {"Ann/1.jpg": jpeg(), "credits.csv": credits.encode()}
    assert "0 with a credit" in fetch(tmp_path, url=hub.url).stdout
    (dataset / "credits.csv").unlink()
    (photo,) = scan_gallery(dataset)
    assert photo.portrait().hidden


def test_a_second_run_fetches_only_what_is_missing(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "Bob/1.png": PHOTO}
    fetch(tmp_path, url=hub.url)
    hub.requests.clear()
    assert "2 photos (0 new)" in fetch(tmp_path, url=hub.url).stdout
    assert hub.fetched() == []
    (dataset / "Bob" / "1.png").unlink()
    assert "2 photos (1 new)" in fetch(tmp_path, url=hub.url).stdout
    assert [path for path in hub.fetched() if "Ann" in path] == []


def test_photos_of_the_owner_stay(hub: DatasetHub, tmp_path: Path, dataset: Path) -> None:
    (dataset / "Ann").mkdir(parents=True)
    (dataset / "Ann" / "1.png").write_bytes(b"mine")
    hub.files = {"Ann/1.png": PHOTO, "Ann/2.png": PHOTO}
    done = fetch(tmp_path, url=hub.url)
    assert "another photo is called Ann/1.png; it stays" in done.stdout
    assert (dataset / "Ann" / "1.png").read_bytes() == b"mine"
    assert (dataset / "Ann" / "2.png").read_bytes() == PHOTO


def test_what_is_no_photo_of_an_actor_is_left_out_with_its_reason(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {
        "Ann/1.png": PHOTO,
        "Ann/broken.jpg": b"no picture",
        "logo.png": PHOTO,
        "Ann/deep/er/1.png": PHOTO,
    }
    done = fetch(tmp_path, url=hub.url)
    assert "left out: 3 files" in done.stdout
    assert "Ann/broken.jpg: it cannot be read as a picture (unreadable)" in done.stdout
    assert "logo.png: not in a folder of an actor" in done.stdout
    assert files_in(dataset) == ["Ann/1.png"]


def test_no_path_of_a_repository_leaves_the_dataset(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    evil = ["../out.png", "Ann/../../out.png", "/abs/1.png", "..\\w/1.png", ".git/1.png"]
    hub.files = {"Ann/1.png": PHOTO, **dict.fromkeys(evil, PHOTO)}
    done = fetch(tmp_path, url=hub.url)
    assert done.returncode == 0, done.stderr
    assert "left out: 5 files" in done.stdout
    assert files_in(dataset) == ["Ann/1.png"]
    assert not list(tmp_path.rglob("out.png"))


@pytest.mark.parametrize("path", ["../a.jpg", "/a.jpg", "a/../b.jpg", "a\\b.jpg", ".a/b.jpg", ""])
def test_a_path_that_is_not_plain_is_not_safe(path: str) -> None:
    assert not is_safe(path)
    assert is_safe("train/Robert Downey Jr./1.jpg")


def test_a_file_that_is_not_what_the_listing_says_does_not_land(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "Bob/1.png": PHOTO}
    hub.listed = {"Bob/1.png": PHOTO[:-1] + b"x"}
    done = fetch(tmp_path, url=hub.url)
    assert files_in(dataset) in (["Ann/1.png"], [])
    assert "Bob" not in " ".join(files_in(dataset))
    assert done.returncode == 2 or "Bob/1.png: it is not what the Hub says" in done.stdout


def test_a_download_that_stops_leaves_nothing_half_done_and_goes_on(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO}
    hub.content_status = 403
    assert "me/actors stopped" in last_line(fetch(tmp_path, url=hub.url))
    assert files_in(dataset) == []
    hub.content_status = None
    assert fetch(tmp_path, url=hub.url).returncode == 0
    assert files_in(dataset) == ["Ann/1.png"]


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a run that failed under way says at its end."""
    assert done.returncode == 2, done.stderr
    return done.stderr.splitlines()[-1]


def test_a_dry_run_counts_and_writes_nothing(
    hub: DatasetHub, tmp_path: Path, dataset: Path
) -> None:
    hub.files = {"Ann/1.png": PHOTO, "Bob/1.png": PHOTO}
    done = fetch(tmp_path, "--dry-run", url=hub.url)
    assert "2 actors, 2 photos (2 would be fetched)" in done.stdout
    assert hub.fetched() == []
    assert not dataset.exists()


def test_a_repository_without_folders_is_refused(hub: DatasetHub, tmp_path: Path) -> None:
    hub.files = {"data.parquet": b"x"}
    assert "no folders of photos" in refusal(fetch(tmp_path, url=hub.url))


def test_a_repository_that_is_not_there_is_one_line(hub: DatasetHub, tmp_path: Path) -> None:
    assert "no dataset me/other" in refusal(fetch(tmp_path, url=hub.url, repo="me/other"))


@pytest.mark.parametrize("name", ["actors", "me/a/b", "../x", "me/..", "https://x/y", "me/a b"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(
    hub: DatasetHub, tmp_path: Path, name: str
) -> None:
    assert "owner/name" in refusal(fetch(tmp_path, url=hub.url, repo=name))
    assert hub.requests == []


def test_offline_the_hub_is_not_asked(hub: DatasetHub, tmp_path: Path) -> None:
    hub.files = {"Ann/1.png": PHOTO}
    assert "HF_HUB_OFFLINE is set" in refusal(fetch(tmp_path, url=hub.url, offline="1"))
    assert hub.requests == []


def test_a_hub_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "check the network" in refusal(fetch(tmp_path, url=NOWHERE))
