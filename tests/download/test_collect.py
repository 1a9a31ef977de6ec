"""Which photos a gallery takes of an actor, and that it goes on where it was stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

import core.download.store
from core.download.collect import Collector, Outcome
from core.download.http import WebClient
from core.download.portrait import dominant_face
from core.download.source import Candidate, Source, SourceActor
from core.download.store import Refusals, Store
from core.download.wikimedia import Wikimedia
from core.errors import GoneError, SourceError, StorageError
from core.faces.engine import FaceEngine
from core.faces.framing import MARGINS, framed
from core.faces.photo import read_photo
from core.gallery.credits import Credit, read_credits, write_credits
from core.gallery.people import read_actors
from core.gallery.photos import scan_gallery
from core.gallery.removals import Removals
from core.settings import Settings
from tests.conftest import ASTRONAUT, SHARED, SIX_PEOPLE, needs_shared
from tests.wikimedia_standin import Fault, File, WikimediaStandin

GALLERY = SHARED / "gallery"


@pytest.fixture
def wikimedia(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikimediaStandin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with WikimediaStandin() as standin:
        yield standin


def collect(
    wikimedia: WikimediaStandin,
    engine: FaceEngine,
    settings: Settings,
    *,
    photos: int = 5,
    limit: int = 302,
    removals: Removals | None = None,
) -> list[Outcome]:
    """One run of the download, as the script does it."""
    settings = wikimedia.settings(settings)
    with WebClient(settings.contact, sleep=lambda _: None) as client:
        source = Wikimedia(client, settings.wikidata_url, settings.commons_url)
        return collect_from(source, engine, settings, photos, limit, removals)


def collect_from(
    source: Source,
    engine: FaceEngine,
    settings: Settings,
    photos: int,
    limit: int = 302,
    removals: Removals | None = None,
) -> list[Outcome]:
    store = Store(settings.dataset_dir)
    removals = removals or Removals()
    collector = Collector(source, engine, store, photos=photos, removals=removals)
    return list(collector.collect(limit))


def files_of(settings: Settings) -> list[str]:
    return [photo.file for photo in scan_gallery(settings.dataset_dir)]


def photos_of(name: str) -> list[Path]:
    return sorted((GALLERY / name).glob("*.jpg"))


@needs_shared
def test_an_actor_gets_the_portrait_and_further_photos_each_with_a_credit(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt"))
    (outcome,) = collect(wikimedia, engine, settings, photos=3)
    assert (outcome.photos, outcome.new, outcome.reason) == (3, 3, "")
    photos = scan_gallery(settings.dataset_dir)
    assert [photo.file for photo in photos] == [f"Brad Pitt/{number}.jpg" for number in (1, 2, 3)]
    for photo in photos:
        assert photo.credit is not None
        assert (photo.credit.author, photo.credit.licence) == ("Ann & Bob", "CC BY-SA 4.0")
        assert photo.credit.source.startswith("https://commons.wikimedia.org/wiki/File:Photo_1-")
    assert photos[0].credit is not None
    assert photos[0].credit.source.endswith("Photo_1-1.jpg")


@dataclass
class Museum:
    """Another source of portraits: a folder of photos for each actor, and nothing else."""

    folders: dict[str, list[Path]]
    licence: str = "CC0"

    def actors(self) -> Iterator[SourceActor]:
        for number, name in enumerate(self.folders, start=1):
            yield SourceActor(f"museum:{number}", name)

    def portraits(self, actor: SourceActor) -> Iterator[Candidate]:
        yield from map(self._candidate, self.folders[actor.name][:1])

    def others(self, actor: SourceActor, wanted: int) -> Iterator[Candidate]:
        yield from map(self._candidate, self.folders[actor.name][1:])

    def fetch(self, candidate: Candidate, max_bytes: int) -> bytes:
        path = Path(candidate.url)
        if path.stat().st_size > max_bytes:
            raise GoneError("too large")
        return path.read_bytes()

    def _candidate(self, path: Path) -> Candidate:
        page = f"https://museum.example.org/{path.parent.name}/{path.name}"
        sha1 = hashlib.sha1(path.read_bytes()).hexdigest()
        refusal = "" if self.licence == "CC0" else f"its licence is not free: {self.licence}"
        credit = Credit("The Museum", self.licence, source=page, sha1=sha1)
        return Candidate(page, str(path), credit, refusal)


@needs_shared
def test_another_museum_fills_a_gallery_with_nothing_but_a_source(
    engine: FaceEngine, settings: Settings
) -> None:
    brad, tom = photos_of("Brad Pitt"), photos_of("Tom Hardy")
    museum = Museum({"Brad Pitt": [*brad[:2], tom[1]], "Tom Hardy": tom[:1]})
    first, second = collect_from(museum, engine, settings, 3)
    assert (first.photos, second.photos) == (2, 1)
    assert first.refused == {"it shows somebody else": 1}
    photos = scan_gallery(settings.dataset_dir)
    assert [photo.file for photo in photos] == [
        "Brad Pitt/1.jpg",
        "Brad Pitt/2.jpg",
        "Tom Hardy/1.jpg",
    ]
    assert {photo.credit.author for photo in photos if photo.credit} == {"The Museum"}
    again = collect_from(museum, engine, settings, 3)
    assert [outcome.new for outcome in again] == [0, 0]


@needs_shared
def test_photos_of_others_in_the_category_are_not_taken(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    brad, tom = photos_of("Brad Pitt"), photos_of("Tom Hardy")
    nobody = sorted((SHARED / "no_face").glob("*.jpg"))[0]
    wikimedia.add("Brad Pitt", brad[0], *tom[:3], nobody, brad[1])
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.photos == 2
    assert outcome.refused == {"it shows somebody else": 3, "it shows no face": 1}
    sources = {c.source[-7:] for c in read_credits(settings.dataset_dir / "credits.csv").values()}
    assert sources == {"1-1.jpg", "1-6.jpg"}


@needs_shared
def test_copies_of_a_photo_are_not_taken(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    brad = photos_of("Brad Pitt")
    with Image.open(brad[0]) as image:
        portrait = image.convert("RGB")
    half = portrait.resize((portrait.width * 2 // 3, portrait.height * 2 // 3))
    half.save(tmp_path / "half.jpg", quality=60)
    ImageOps.mirror(portrait).save(tmp_path / "mirrored.jpg")
    ImageOps.grayscale(portrait).save(tmp_path / "grey.jpg")
    copies = [tmp_path / f"{name}.jpg" for name in ("half", "mirrored", "grey")]
    wikimedia.add("Brad Pitt", brad[0], *copies, brad[1])
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.refused == {"it is a copy of a photo already kept": 3}
    assert outcome.photos == 2


def side_by_side(left: Path, right: Path, target: Path) -> Path:
    """Two people in one photo, heads of one size."""
    images = []
    for path in (left, right):
        with Image.open(path) as image:
            images.append(ImageOps.contain(image.convert("RGB"), (2000, 500)))
    width = sum(image.width for image in images)
    photo = Image.new("RGB", (width, 500))
    photo.paste(images[0], (0, 0))
    photo.paste(images[1], (images[0].width, 0))
    photo.save(target, quality=92)
    return target


@needs_shared
def test_a_photo_of_several_people_is_cropped_to_the_right_one(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    brad, tom = photos_of("Brad Pitt"), photos_of("Tom Hardy")
    both = side_by_side(tom[1], brad[1], tmp_path / "both.jpg")
    wikimedia.add("Brad Pitt", brad[0], both)
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.photos == 2, outcome
    crop = read_photo(settings.dataset_dir / "Brad Pitt" / "2.jpg")
    subject = dominant_face(engine.find_faces(crop))
    assert subject is not None
    embeddings = {
        name: engine.find_faces(read_photo(path))[0].embedding
        for name, path in (("brad", brad[0]), ("tom", tom[1]))
    }
    assert subject.embedding @ embeddings["brad"] >= engine.pack.same_person
    assert subject.embedding @ embeddings["tom"] < engine.pack.same_person
    assert crop.pixels.shape[1] < read_photo(both).pixels.shape[1]


def test_a_group_photo_is_no_main_portrait(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Six", SIX_PEOPLE)
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.reason == "no main portrait: it shows several faces, none dominant"
    assert files_of(settings) == []


def test_a_crop_keeps_hair_and_shoulders_and_stays_inside() -> None:
    assert framed((400, 300, 500, 420), MARGINS[0], (1000, 1000)) == (300, 204, 600, 564)
    assert framed((10, 10, 110, 130), MARGINS[0], (150, 150)) == (0, 0, 150, 150)


def test_a_portrait_without_a_face_leaves_the_actor_out(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    Image.new("RGB", (600, 600), "grey").save(tmp_path / "grey.jpg")
    wikimedia.add("Ann", tmp_path / "grey.jpg")
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.reason == "no main portrait: it shows no face"


def test_the_next_image_stands_in_for_a_portrait_that_is_not_free(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    person = wikimedia.add("Ann", File(ASTRONAUT, licence="CC BY-ND 2.0"), ASTRONAUT)
    person.images = ["Photo 1-1.jpg", "Photo 1-2.jpg"]
    (outcome,) = collect(wikimedia, engine, settings, photos=1)
    assert outcome.photos == 1
    assert list(wikimedia.fetched()) == ["Photo 1-2.jpg"]  # the other was not even asked for


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (File(ASTRONAUT, licence="Fair use"), "its licence is not free: Fair use"),
        (File(ASTRONAUT, licence=None), "no licence is stated"),
        (File(ASTRONAUT, mime="image/svg+xml"), "it is no photo: image/svg+xml"),
        (None, "it is not on Commons"),
    ],
)
def test_what_must_not_be_used_is_never_fetched(
    wikimedia: WikimediaStandin,
    engine: FaceEngine,
    settings: Settings,
    file: File | None,
    reason: str,
) -> None:
    wikimedia.add("Ann", file or ASTRONAUT)
    if file is None:
        wikimedia.files.clear()
    (outcome,) = collect(wikimedia, engine, settings)
    assert outcome.reason == f"no main portrait: {reason}"
    assert not wikimedia.fetched()
    assert reason in (settings.dataset_dir / "refused.csv").read_text("utf-8")


def test_an_actor_without_a_name_is_left_out(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("", ASTRONAUT)
    (only,) = collect(wikimedia, engine, settings)
    assert "is no name for an actor" in only.reason
    assert files_of(settings) == []


def test_an_actor_of_whom_a_source_has_no_picture_is_left_out(
    engine: FaceEngine, settings: Settings
) -> None:
    (only,) = collect_from(Museum({"Ann": []}), engine, settings, 1)
    assert only.reason == "no main portrait: there is no picture"


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500, times=99), Fault(cut=True, times=99), Fault(html=True, times=99)],
    ids=["500", "cut", "html"],
)
def test_one_actors_failure_does_not_stop_the_rest_and_is_tried_again(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, fault: Fault
) -> None:
    wikimedia.add("Ann", ASTRONAUT)
    wikimedia.add("Bob", ASTRONAUT)
    wikimedia.faults["Photo 1-1.jpg"] = [fault]
    ann, bob = collect(wikimedia, engine, settings)
    assert (ann.photos, ann.unreachable, bob.photos) == (0, True, 1)
    assert "run it again later" in ann.reason
    fault.times = 0
    ann, bob = collect(wikimedia, engine, settings)
    assert (ann.photos, ann.new, bob.new) == (1, 1, 0)
    assert wikimedia.fetched()["Photo 2-1.jpg"] == 1


def test_a_damaged_picture_is_refused_and_not_fetched_again(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    wikimedia.add("Ann", ASTRONAUT)
    wikimedia.faults["Photo 1-1.jpg"] = [Fault(body=b"\xff\xd8\xff\xe0 no", times=9)]
    for _ in range(2):
        (outcome,) = collect(wikimedia, engine, settings)
        assert "cannot be read as a picture (unreadable)" in outcome.reason
    assert wikimedia.fetched() == {"Photo 1-1.jpg": 1}


def test_five_silent_actors_in_a_row_end_the_run(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    for number in range(12):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    wikimedia.faults["file"] = [Fault(status=503, times=999)]
    with pytest.raises(SourceError, match="5 actors in a row"):
        collect(wikimedia, engine, settings)
    assert len(wikimedia.fetched()) == 5


def test_actors_that_have_no_portrait_are_replaced_by_the_next(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    for number in range(8):
        licence = "GFDL" if number in (0, 2) else "CC0"
        wikimedia.add(f"Actor {number}", File(ASTRONAUT, licence=licence))
    outcomes = collect(wikimedia, engine, settings, limit=4)
    assert [outcome.photos for outcome in outcomes] == [0, 1, 0, 1, 1, 1]


@needs_shared
def test_a_second_run_asks_for_no_file(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt")[:2], *photos_of("Tom Hardy")[:2])
    wikimedia.add("Ann", File(ASTRONAUT, licence="GFDL"))
    collect(wikimedia, engine, settings)
    before = len(wikimedia.asked("api"))
    outcomes = collect(wikimedia, engine, settings)
    assert [outcome.photos for outcome in outcomes] == [2, 0]
    assert outcomes[1].reason == "no main portrait: its licence is not free: GFDL"
    assert set(wikimedia.fetched().values()) == {1}
    assert len(wikimedia.asked("api")) == before + 1  # the portraits of both, in one question


@needs_shared
def test_more_photos_wanted_later_are_added_to_those_there(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt"))
    collect(wikimedia, engine, settings, photos=1)
    (outcome,) = collect(wikimedia, engine, settings, photos=3)
    assert (outcome.photos, outcome.new) == (3, 2)
    assert set(wikimedia.fetched().values()) == {1}


@needs_shared
def test_a_photo_that_the_owner_took_out_stays_out_but_a_lost_folder_comes_back(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt")[:3])
    collect(wikimedia, engine, settings)
    folder = settings.dataset_dir / "Brad Pitt"
    (folder / "2.jpg").unlink()
    (outcome,) = collect(wikimedia, engine, settings)
    assert (outcome.photos, outcome.new) == (2, 0)
    assert "Brad Pitt/2.jpg" not in read_credits(settings.dataset_dir / "credits.csv")
    for photo in folder.iterdir():
        photo.unlink()
    (outcome,) = collect(wikimedia, engine, settings)
    assert (outcome.photos, outcome.new) == (2, 2)  # not the one that was taken out by hand


@needs_shared
def test_one_photo_taken_out_by_hand_stays_out_though_more_are_found(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt")[:4])
    collect(wikimedia, engine, settings, photos=3)
    (settings.dataset_dir / "Brad Pitt" / "2.jpg").unlink()
    (outcome,) = collect(wikimedia, engine, settings, photos=3)
    assert (outcome.photos, outcome.new) == (3, 1)
    assert set(wikimedia.fetched().values()) == {1}
    assert "taken out by hand" in (settings.dataset_dir / "refused.csv").read_text("utf-8")


@pytest.mark.parametrize("name", ["Ann", "앤"])
def test_someone_on_the_list_of_removals_is_not_asked_for(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, name: str
) -> None:
    wikimedia.add("Ann", ASTRONAUT, ko="앤")
    (outcome,) = collect(wikimedia, engine, settings, removals=Removals().and_of([name]))
    assert outcome.reason == "removed for good, by removals.json"
    assert wikimedia.asked("api") == []


@pytest.mark.parametrize("step", ["write_actors", "write_credits", "new_file"])
def test_stopped_before_any_write_the_next_run_makes_it_whole(
    wikimedia: WikimediaStandin,
    engine: FaceEngine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """Each write in turn is where the power goes."""
    wikimedia.add("Ann", ASTRONAUT)

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(core.download.store, step, cut)
        with pytest.raises(PowerCut):
            collect(wikimedia, engine, settings)
    assert files_of(settings) == []
    collect(wikimedia, engine, settings)
    check_ann(settings)


def check_ann(settings: Settings) -> None:
    assert files_of(settings) == ["Ann/1.jpg"]
    assert list(read_credits(settings.dataset_dir / "credits.csv")) == ["Ann/1.jpg"]
    assert list(read_actors(settings.dataset_dir / "actors.csv")) == ["Ann"]
    assert not list(settings.dataset_dir.rglob("*.tmp"))


@needs_shared
def test_killed_between_credit_and_photo_the_photo_is_fetched_again(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    """Unlike a photo that its owner took out, though credits.csv has the same row of both."""
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt")[:2])
    collect(wikimedia, engine, settings)
    folder = settings.dataset_dir / "Brad Pitt"
    (folder / "2.jpg").rename(folder / ".2.jpg.0123abcd.tmp")
    (settings.dataset_dir / "refused.csv").unlink()
    (outcome,) = collect(wikimedia, engine, settings)
    assert (outcome.photos, outcome.new) == (2, 1)
    assert files_of(settings) == ["Brad Pitt/1.jpg", "Brad Pitt/2.jpg"]
    assert not list(settings.dataset_dir.rglob("*.tmp"))


def test_refusals_whose_last_line_was_cut_short_are_read_and_added_to(tmp_path: Path) -> None:
    refusals = Refusals(tmp_path)
    refusals.note("Q1", "https://x/A,1.jpg", "it shows\nno face")
    refusals.note_searched("Q1", 5)
    with refusals.path.open("a", encoding="utf-8") as stream:
        stream.write('Q2,"https://x/B,')
    Refusals(tmp_path).note("Q3", "https://x/송강호.jpg", "it is too small")
    refusals = Refusals(tmp_path)
    assert refusals.reason_for("Q1", "https://x/A,1.jpg") == "it shows no face"
    assert refusals.is_searched("Q1", 5)
    assert not refusals.is_searched("Q1", 6)
    assert not refusals.is_searched("Q3", 5)
    assert refusals.reason_for("Q3", "https://x/송강호.jpg") == "it is too small"
    assert len(refusals.path.read_text("utf-8").splitlines()) == 4


NAMES = {
    "a/../../b": "a∕..∕..∕b",
    "/etc/passwd": "∕etc∕passwd",
    'Dwayne "The Rock" Johnson': "Dwayne ”The Rock” Johnson",
    "Robert Downey Jr.": "Robert Downey Jr",
    "C:\\Windows": "C꞉⧵Windows",
    "송강호": "송강호",
    "عمر الشريف": "عمر الشريف",
    ".hidden": "hidden",
    "D'Arcy Carden": "D'Arcy Carden",
}


def test_no_name_leaves_the_dataset_folder(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    for name in (*NAMES, "..", "."):
        wikimedia.add(name, ASTRONAUT)
    outside = {path for path in tmp_path.rglob("*") if settings.dataset_dir not in path.parents}
    outcomes = collect(wikimedia, engine, settings, photos=1)
    assert {photo.actor for photo in scan_gallery(settings.dataset_dir)} == set(NAMES.values())
    assert {row.name for row in read_actors(settings.dataset_dir / "actors.csv").values()} == set(
        NAMES
    )
    assert outside == {
        path
        for path in tmp_path.rglob("*")
        if settings.dataset_dir not in path.parents and path != settings.dataset_dir
    } | {settings.dataset_dir}
    assert all("is no name" in outcome.reason for outcome in outcomes[-2:])


def test_two_actors_of_one_name_have_a_folder_each(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Michael Jordan", ASTRONAUT)
    wikimedia.add("michael jordan", ASTRONAUT)
    for _ in range(2):
        collect(wikimedia, engine, settings, photos=1)
        folders = [file.partition("/")[0] for file in files_of(settings)]
        assert len(folders) == 2
        assert sum(folder.endswith(")") for folder in folders) == 1
    assert set(wikimedia.fetched().values()) == {1}


def test_the_owners_own_folder_is_left_as_it_is(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    own = settings.dataset_dir / "Ann"
    own.mkdir()
    (own / "mine.jpg").write_bytes(ASTRONAUT.read_bytes())
    wikimedia.add("Ann", ASTRONAUT)
    (outcome,) = collect(wikimedia, engine, settings)
    assert "Ann is a folder of your own" in outcome.reason
    assert files_of(settings) == ["Ann/mine.jpg"]


def test_credits_of_the_owners_own_photos_survive(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    credits = {"Eve/1.jpg": Credit("Me", "my own")}
    write_credits(settings.dataset_dir / "credits.csv", credits)
    wikimedia.add("Ann", ASTRONAUT)
    collect(wikimedia, engine, settings)
    assert set(read_credits(settings.dataset_dir / "credits.csv")) == {"Ann/1.jpg", "Eve/1.jpg"}


def test_a_full_disk_ends_the_run_with_one_error(
    wikimedia: WikimediaStandin,
    engine: FaceEngine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise StorageError("cannot write: no space left; free some space")

    monkeypatch.setattr(Store, "put", full)
    for number in range(6):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    with pytest.raises(StorageError, match="no space left"):
        collect(wikimedia, engine, settings)
    assert files_of(settings) == []


def test_a_kept_photo_keeps_its_credit_when_the_row_is_deleted(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Ann", ASTRONAUT)
    collect(wikimedia, engine, settings)
    (before,) = scan_gallery(settings.dataset_dir)
    assert before.credit is not None
    (settings.dataset_dir / "credits.csv").unlink()
    (after,) = scan_gallery(settings.dataset_dir)
    assert after.credit == before.credit


@needs_shared
def test_without_its_row_a_kept_photo_is_still_known_to_be_there(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings
) -> None:
    wikimedia.add("Brad Pitt", *photos_of("Brad Pitt")[:3])
    collect(wikimedia, engine, settings, photos=1)
    (settings.dataset_dir / "credits.csv").unlink()
    (outcome,) = collect(wikimedia, engine, settings, photos=2)
    assert (outcome.photos, outcome.new) == (2, 1)
    assert wikimedia.fetched()["Photo 1-1.jpg"] == 1


def test_a_kept_photo_is_a_plain_jpeg_without_the_originals_metadata(
    wikimedia: WikimediaStandin, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    with Image.open(ASTRONAUT) as image:
        exif = image.getexif()
        exif[0x010E] = "where I live"
        image.save(tmp_path / "exif.jpg", exif=exif)
    wikimedia.add("Ann", replace(File(tmp_path / "exif.jpg")))
    collect(wikimedia, engine, settings)
    with Image.open(settings.dataset_dir / "Ann" / "1.jpg") as kept:
        assert kept.format == "JPEG"
        tags = {ExifTags.TAGS[tag] for tag in kept.getexif()}
        assert tags == {"Software", "Artist", "Copyright", "ImageDescription", "ExifOffset"}
        assert "where I live" not in str(dict(kept.getexif()))
        assert np.asarray(kept).ndim == 3
