"""Faults planted in a part of the development gallery are listed, and clean photos are not."""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from core.errors import GalleryError, StorageError
from core.faces.engine import FaceEngine
from core.gallery.credits import Credit, stamped
from core.gallery.folders import PASSED_OVER
from core.index.embeddings_cache import load_cache
from core.models.install import InstalledPack
from core.settings import Settings
from core.upkeep.check import NOTES, REASONS, Report, check_gallery
from core.upkeep.contact_sheet import contact_sheet
from scripts.check_gallery import main
from tests.conftest import ASTRONAUT, SHARED, copy_actors, enrolled, needs_shared
from tests.index.test_enrol import fill_gallery, head

ACTORS = 30  # of the gallery's 80; each fault has an actor of its own
MOST_CLEAN_FLAGGED = 1  # of 150
MOST_COPIES_MISSED = 1  # of 10: one that was cropped


def cropped(image: Image.Image) -> Image.Image:
    wide, high = image.width, image.height
    return image.crop((wide // 16, high // 16, wide - wide // 16, high))


def as_copy(image: Image.Image, kind: int, path: Path) -> None:
    """One of nine ways in which a photo comes back."""
    half = (image.width // 2, image.height // 2)
    made = [
        (image, 90),
        (image, 50),
        (image, 25),
        (image.resize(half), 85),
        (image.resize((image.width * 3 // 2, image.height * 3 // 2)), 85),
        (ImageOps.mirror(image), 80),
        (cropped(image), 80),
        (ImageOps.mirror(cropped(image)), 70),
        (image.convert("L").convert("RGB"), 80),
    ]
    copy, quality = made[kind - 1]
    copy.save(path, "JPEG", quality=quality)


def plant_swaps(dataset: Path, choice: random.Random, photos: list[Path]) -> set[str]:
    """Three exchanges between actors, and four photos replaced by probes of another actor."""
    first, second = photos[:3], photos[3:6]
    for one, other in zip(first, second, strict=True):
        ours, theirs = one.read_bytes(), other.read_bytes()
        one.write_bytes(theirs)
        other.write_bytes(ours)
    probes = [
        probe
        for probe in sorted((SHARED / "probes").glob("*/*.jpg"))
        if (dataset / probe.parent.name).is_dir()
    ]
    for photo in photos[6:10]:
        strangers = [probe for probe in probes if probe.parent.name != photo.parent.name]
        photo.write_bytes(choice.choice(strangers).read_bytes())
    return {f"{photo.parent.name}/{photo.name}" for photo in photos[:10]}


def plant_copies(dataset: Path, photos: list[Path]) -> dict[str, str]:
    """An exact copy and nine others, in the same folder and, two of them, in another actor's."""
    planted = {}
    for kind, photo in enumerate(photos):
        folder = photos[kind - 1].parent if kind in (2, 3) else photo.parent
        copy = folder / f"{6 + kind}.jpg"
        if kind == 0:
            shutil.copyfile(photo, copy)
        else:
            with Image.open(photo) as image:
                as_copy(image.convert("RGB"), kind, copy)
        planted[f"{folder.name}/{copy.name}"] = f"{photo.parent.name}/{photo.name}"
    return planted


def with_one_face(dataset: Path) -> Iterator[Path]:
    """Photos that are embedded: of one the second face is too large to tell who is meant."""
    cache = load_cache(dataset / "embeddings.json")
    found = cache.packs["sface"].photos
    for portrait in (portrait for row in cache.actors.values() for portrait in row):
        if portrait.file and found[portrait.sha256].embedding is not None:
            yield dataset / portrait.file


def head_of(photo: Path, boxes: dict[str, tuple[float, ...]]) -> Image.Image:
    """A head of the size that all heads have here."""
    x1, y1, x2, y2 = boxes[f"{photo.parent.name}/{photo.name}"]
    aside, above = (x2 - x1) / 2, (y2 - y1) / 2
    with Image.open(photo) as image:
        around = image.convert("RGB").crop((x1 - aside, y1 - above, x2 + aside, y2 + above))
    return around.resize((300, 400))


def plant_groups(dataset: Path, photos: list[Path], choice: random.Random) -> set[str]:
    """Three photos of several people, and two of two heads side by side."""
    cache = load_cache(dataset / "embeddings.json")
    found = cache.packs["sface"].photos
    boxes = {p.file: found[p.sha256].box for row in cache.actors.values() for p in row if p.file}
    groups = sorted((SHARED / "groups").iterdir())
    planted = set()
    for number, photo in enumerate(photos):
        target = photo.parent / f"group{number}.jpg"
        if number < 3:
            shutil.copyfile(choice.choice(groups), target)
        else:
            pair = Image.new("RGB", (600, 400))
            pair.paste(head_of(photo, boxes), (0, 0))
            pair.paste(head_of(photos[number - 3], boxes), (300, 0))
            pair.save(target)
        planted.add(f"{photo.parent.name}/{target.name}")
    return planted


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, engine: FaceEngine) -> Path:
    """A part of the development gallery with its cache, embedded once."""
    dataset = tmp_path_factory.mktemp("clean") / "dataset"
    copy_actors(sorted(path.name for path in (SHARED / "gallery").iterdir())[:ACTORS], dataset)
    enrolled(engine, Settings(dataset_dir=dataset))
    return dataset


@needs_shared
def test_every_planted_fault_is_listed_and_clean_photos_are_not(
    embedded: Path, engine: FaceEngine, tmp_path: Path
) -> None:
    choice, target = random.Random(2), tmp_path / "dataset"
    shutil.copytree(embedded, target)
    clean = {f"{photo.parent.name}/{photo.name}" for photo in target.glob("*/*.jpg")}
    photos = sorted(with_one_face(target))
    by_actor = {photo.parent.name: photo for photo in choice.sample(photos, len(photos))}
    apart = [by_actor[name] for name in sorted(by_actor)]  # one of each actor
    choice.shuffle(apart)
    swapped = plant_swaps(target, choice, apart[:10])
    copies = plant_copies(target, apart[10:20])
    groups = plant_groups(target, apart[20:25], choice)
    report = check_gallery(engine, Settings(dataset_dir=target))
    found = {
        (fault.file, fault.reason): fault for fault in report.faults if fault.reason not in NOTES
    }
    missed = {
        *((file, "likely_mislabel") for file in swapped),
        *((file, "several_faces") for file in groups),
    } - found.keys()
    assert not missed
    told = {copy for copy in copies if (copy, "duplicate") in found}
    assert len(told) >= len(copies) - MOST_COPIES_MISSED
    for copy in told:
        assert found[copy, "duplicate"].other == copies[copy]
    planted = swapped | copies.keys() | groups
    flagged = sorted({file for file, _ in found} - planted)
    assert set(flagged) <= clean
    print("clean photos that were flagged:", flagged)
    assert len(flagged) <= MOST_CLEAN_FLAGGED, flagged


def small_report(settings: Settings, engine: FaceEngine) -> Report:
    """Six people, three photos each, with some of everything that is wrong."""
    dataset = settings.dataset_dir
    fill_gallery(dataset, photos=1)
    (dataset / "Ann" / "2.png").write_bytes(b"no picture")
    Image.new("RGB", (300, 300), "white").save(dataset / "Bob" / "2.png")
    shutil.copyfile(dataset / "Cid" / "1.png", dataset / "Dan" / "9.png")
    return check_gallery(engine, settings)


def reasons_of(report: Report) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for fault in report.faults:
        found.setdefault(fault.file, set()).add(fault.reason)
    return found


def test_each_fault_has_its_reason(settings: Settings, engine: FaceEngine) -> None:
    found = reasons_of(small_report(settings, engine))
    assert found["Ann/2.png"] == {"unreadable"}
    assert found["Bob/2.png"] == {"no_face"}
    assert "duplicate" in found["Dan/9.png"]
    assert found["Eve/1.png"] == {"single_photo"}


def test_what_is_passed_over_is_listed_and_on_the_sheet(
    settings: Settings, engine: FaceEngine
) -> None:
    dataset = settings.dataset_dir
    fill_gallery(dataset, ["Ann", "Bob"], photos=1)
    for file in ("Ann/more/2.png", "#recycle/Ann/1.png", "Ann/Thumbs.db"):
        (dataset / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dataset / "Ann" / "1.png", dataset / file)
    shutil.copyfile(dataset / "Ann" / "1.png", dataset / "loose")
    report = check_gallery(engine, settings)
    told = {(f.file, f.actor, f.reason) for f in report.faults if f.reason in PASSED_OVER}
    assert told == {
        ("loose", "", "loose"),
        ("Ann/more", "Ann", "subfolder"),
        ("#recycle", "", "system"),
        ("Ann/Thumbs.db", "Ann", "system"),
    }
    assert report.worth_a_look() == 2
    page = contact_sheet(report)
    for words in ("loose", "a folder inside an actor", "#recycle"):
        assert words in page
    assert 'href="#loose"' not in page  # there is no picture to go to


def test_photos_without_a_credit_are_named_only_where_credits_are_kept(
    settings: Settings, engine: FaceEngine
) -> None:
    fill_gallery(settings.dataset_dir, ["Ann", "Bob"], photos=1)
    assert "no_credit" not in {fault.reason for fault in check_gallery(engine, settings).faults}
    (settings.dataset_dir / "credits.csv").write_text(
        "file,source,author,licence,licence_url\nAnn/1.png,s,a,CC0,u\n"
    )
    faults = check_gallery(engine, settings).faults
    assert [fault.file for fault in faults if fault.reason == "no_credit"] == ["Bob/1.png"]


def test_a_downloaded_photo_without_a_credit_is_named_with_what_becomes_of_it(
    engine: FaceEngine, settings: Settings
) -> None:
    fill_gallery(settings.dataset_dir, ("Ann", "Bob"), photos=1)
    stream = io.BytesIO()
    head("Ann").save(stream, "JPEG")
    path = settings.dataset_dir / "Ann" / "2.jpg"
    path.write_bytes(stamped(stream.getvalue(), Credit("", "")))
    faults = check_gallery(engine, settings).faults
    (fault,) = [fault for fault in faults if fault.reason == "no_credit"]
    assert (fault.file, "not shown" in fault.detail) == ("Ann/2.jpg", True)


@needs_shared
def test_one_person_under_two_names_is_a_suspicious_pair(
    embedded: Path, engine: FaceEngine, tmp_path: Path
) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(embedded, dataset)
    shutil.copytree(SHARED / "probes" / "Gal Gadot", dataset / "Gadot G.")
    faults = check_gallery(engine, Settings(dataset_dir=dataset)).faults
    pairs = [(f.actor, f.other) for f in faults if f.reason == "alike_actors"]
    assert pairs == [("Gadot G.", "Gal Gadot")]


def test_the_contact_sheet_shows_every_photo_and_needs_nothing_else(
    settings: Settings, engine: FaceEngine
) -> None:
    evil = settings.dataset_dir / '<b onclick="x">'
    evil.mkdir()
    with Image.open(ASTRONAUT) as photo:
        photo.convert("RGB").save(evil / "1.png")
    report = small_report(settings, engine)
    page = contact_sheet(report)
    readable = [photo for photo in report.photos if photo.size]
    assert page.count("data:image/jpeg;base64,") == len(readable) == len(report.photos) - 1
    assert page.count("<figure") == len(report.photos)
    assert "no picture" in page
    assert "shows the same as" in page
    assert '<b onclick="x">' not in page
    for outside in ("http:", "https:", "<script", "<link", "@import", "url("):
        assert outside not in page


def test_the_cache_spares_a_second_check_the_models(settings: Settings, engine: FaceEngine) -> None:
    fill_gallery(settings.dataset_dir, ["Ann", "Bob"], photos=2)
    first = check_gallery(engine, settings)
    before = settings.cache_path.read_bytes()

    class Forbidden(FaceEngine):
        def __init__(self) -> None:
            self.pack, self.options = engine.pack, engine.options

    assert check_gallery(Forbidden(), settings).faults == first.faults
    assert settings.cache_path.read_bytes() == before


@pytest.fixture
def script(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Calls the script; what it prints."""
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(settings.models_dir))

    def call(dataset: Path, *args: str) -> str:
        options = ["--dataset-dir", str(dataset), "--pack", "sface", *args]
        monkeypatch.setattr(sys, "argv", ["check_gallery.py", *options])
        assert main() == 0
        return capsys.readouterr().out

    return call


def test_the_script_prints_json_and_writes_the_sheet(
    script: Callable[..., str], settings: Settings, engine: FaceEngine
) -> None:
    report = small_report(settings, engine)
    dataset = settings.dataset_dir
    rows = [json.loads(line) for line in script(dataset, "--json").splitlines()]
    assert rows == [fault.to_json() for fault in report.faults]
    assert set(rows[0]) == {"file", "actor", "reason", "detail", "other"}
    assert {row["reason"] for row in rows} <= set(REASONS)
    assert (dataset / "contact_sheet.html").read_text() == contact_sheet(report)
    sheet = dataset / "other.html"
    assert "Ann/2.png: cannot be read as a picture" in script(dataset, "--html", str(sheet))
    assert sheet.is_file()


def test_findings_are_told_where_the_sheet_cannot_be_written(
    settings: Settings, engine: FaceEngine, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    small_report(settings, engine)
    (settings.dataset_dir / "contact_sheet.html").mkdir()  # in the way
    options = ["--dataset-dir", str(settings.dataset_dir), "--pack", "sface"]
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(settings.models_dir))
    monkeypatch.setattr(sys, "argv", ["check_gallery.py", *options])
    with pytest.raises(StorageError, match=r"cannot write .*; --html takes another place"):
        main()
    assert "Ann/2.png: cannot be read as a picture" in capsys.readouterr().out


def test_a_folder_without_photos_is_a_fault_in_one_line(
    script: Callable[..., str], settings: Settings, sface: InstalledPack
) -> None:
    with pytest.raises(GalleryError, match="has no photos"):
        script(settings.dataset_dir)
    shutil.copyfile(ASTRONAUT, settings.dataset_dir / "loose.png")
    with pytest.raises(GalleryError, match=r"what is there is passed over: loose\.png"):
        script(settings.dataset_dir)
    with pytest.raises(GalleryError, match="is not a folder"):
        script(settings.dataset_dir / "nowhere")
