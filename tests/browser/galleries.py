"""Galleries for the page's tests: one of one's own, and one of actors of whom more is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.faces.engine import FaceEngine
from tests.conftest import ASTRONAUT, six_actors

CREDITED, DAMAGED, COLLINS = "배우 3", "배우 5", "Eileen Collins"
CREDITS = f"""file,source,author,licence,licence_url
{CREDITED}/1.png,https://example.org/3,Jane <b>Doe</b>,CC BY-SA 4.0,https://example.org/by-sa
{COLLINS}/1.png,https://example.org/nasa,NASA,Public domain,
"""


@dataclass(frozen=True)
class OwnGallery:
    """Where it lies, and which actors are what."""

    folder: Path

    def portrait(self, actor: str) -> Path:
        return self.folder / actor / "1.png"

    def damage_a_portrait(self) -> None:
        """As a failing disk does, after it was enrolled."""
        self.portrait(DAMAGED).write_bytes(b"not a picture any more")


def make_own_gallery(folder: Path, engine: FaceEngine) -> OwnGallery:
    """The six people of one photo and the astronaut, a folder each."""
    six_actors(folder, engine)
    gallery = OwnGallery(folder)
    gallery.portrait(COLLINS).parent.mkdir()
    Image.open(ASTRONAUT).save(gallery.portrait(COLLINS))
    (folder / "credits.csv").write_text(CREDITS, "utf-8")
    return gallery


ACTORS = """folder,name,name_ko,wikidata,birth_year,gender,country
배우 1,Actor One,배우 하나,,,female,KR
배우 2,Actor Two,배우 둘,,,male,KR
배우 3,Actor Three,배우 셋,,,female,US
배우 4,Actor Four,배우 넷,,,male,US
배우 5,Actor Five,배우 다섯,,,female,US
배우 6,Actor Six,배우 여섯,,,male,US
"""


def make_known_gallery(folder: Path, engine: FaceEngine) -> Path:
    """The six people of one photo with names, genders and countries; one portrait is credited."""
    six_actors(folder, engine)
    (folder / "actors.csv").write_text(ACTORS, "utf-8")
    (folder / "credits.csv").write_text("".join(CREDITS.splitlines(keepends=True)[:2]), "utf-8")
    return folder
