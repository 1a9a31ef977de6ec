"""A photo's answer, the gallery and the app's state as JSON, whose forms others build on.

Types and words of every field stand here once: what the API says of itself is made from them.
"""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from core.errors import PhotoError
from core.faces.engine import Face
from core.faces.framing import in_frame
from core.faces.parts import Part
from core.faces.photo import Photo
from core.faces.quality import coach, measure_quality
from core.gallery.people import EVERYONE, GENDERS, Filter
from core.index.actor_index import Match
from core.index.alike import Alike
from core.lookalike import Judged, LookalikeFinder

NAMES = "by the code of their language, such as en and ko, as far as the gallery knows them"
PACK_NAMES = "sface or auraface, with -alone where the second network is missing"


class Form(BaseModel):
    """Part of an answer; it can be read from an object with the same attributes."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class CreditJson(Form):
    """Who is to be named where a portrait is shown."""

    author: str = Field(description="who made the photo")
    licence: str = Field(description="under which it may be shown")
    licence_url: str = Field(description="the licence's text; empty if unknown")
    source: str = Field(description="page the photo came from; empty if unknown")


SHARE = "of what the likeness rests on, a share of 0 to 1; the four make 1"


class PartsJson(Form):
    """What carries a likeness: each part is covered, and the similarity falls."""

    eyes: float = Field(description=f"eyes and brows: {SHARE}")
    nose: float = Field(description=f"nose: {SHARE}")
    mouth: float = Field(description=f"mouth and chin: {SHARE}")
    shape: float = Field(description=f"shape of the face, with the hair: {SHARE}")
    clear: bool = Field(description="one or two of them stand out")
    told: list[Part] = Field(description="those, the first of them first; empty where none does")


class MatchJson(Form):
    """One actor, as close as the face came."""

    actor: str = Field(description="the actor in this gallery")
    name: str = Field(description="in English where the gallery knows it")
    name_ko: str | None = Field(description="in Korean; null if unknown")
    names: dict[str, str] = Field(description=NAMES)
    similarity: float = Field(description="cosine of the two face embeddings, -1 to 1")
    score: float | None = Field(
        description="0 to 99.9: of the five lookalikes that each of the gallery's actors would get"
        " among the others, this per cent are less alike; null where the gallery has fewer than"
        " three actors"
    )
    portrait: str | None = Field(
        description="the actor's photo closest to the face, a file below the dataset folder; null"
        " where the gallery keeps no picture"
    )
    credit: CreditJson | None = Field(description="of the portrait; null where it has none")
    parts: PartsJson | None = Field(
        description="which parts of the face carry the likeness; null unless it was asked for, and"
        " where the gallery has fewer than 20 actors"
    )


class VerdictJson(Form):
    """What may be said of the first match."""

    share: int | None = Field(description="its score as a whole number, rounded down")
    same_photo: bool = Field(description="its portrait is this very photo")
    same_person: bool = Field(description="the similarity is one that strangers hardly ever reach")
    close_race: bool = Field(description="the second match is as good as level with it")
    rough: bool = Field(description="the gallery is small, so the score is a rough one")


class FaceJson(Form):
    """One face of the photo."""

    box: list[float] = Field(description="x1, y1, x2, y2 in pixels of the upright photo")
    detection_score: float = Field(description="how surely this is a face, 0 to 1")
    matches: list[MatchJson] = Field(
        description="best first; empty where no actor passes the filter"
    )
    verdict: VerdictJson
    tips: list[str] = Field(
        description="what a better photo would change, as codes, such as too_dark"
    )


class AnswerJson(Form):
    """A photo with at least one face."""

    photo: str = Field(description="the photo's file name")
    pack: str = Field(description=f"the model pack that embedded the face: {PACK_NAMES}")
    faces: list[FaceJson] = Field(description="the likely subject first, never empty")


class ProblemJson(Form):
    """Why a photo has no answer."""

    code: str = Field(description="no_face, unreadable or too_large")
    message: str = Field(description="one English sentence, with what to do")


class NoAnswerJson(Form):
    """A photo that cannot be matched."""

    photo: str = Field(description="the photo's file name")
    error: ProblemJson


class ActorJson(Form):
    """One actor of the gallery."""

    actor: str = Field(description="as in the matches")
    name: str = Field(description="in English where the gallery knows it")
    name_ko: str | None = Field(description="in Korean; null if unknown")
    names: dict[str, str] = Field(description=NAMES)
    gender: Literal["women", "men"] | None = Field(
        description="which gender filter finds the actor, as the gallery says"
    )
    country: list[str] = Field(description="ISO 3166 codes of citizenship; empty if unknown")
    portraits: int = Field(description="photos the actor was enrolled with")


class HealthJson(Form):
    """The app's state."""

    status: Literal["ok"] = Field(description="the app answers only once it is ready")
    pack: str = Field(description=f"the model pack in use: {PACK_NAMES}")
    warning: str | None = Field(
        description="why this is not the pack that was wished for, in English; null if it is"
    )
    gallery: Literal["gallery", "starter"] = Field(
        description="what the index was made from: gallery (its photos, or the cache of their"
        " embeddings) or starter"
    )
    actors: int = Field(description="actors in the gallery")
    portraits: int = Field(description="photos they were enrolled with")
    built: str = Field(description="when the index was made, ISO 8601, UTC")


class _Schema(GenerateJsonSchema):
    """Without titles, which only repeat the names of the fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(form: Any) -> dict[str, Any]:
    """The JSON schema of a form, or of a list or union of forms."""
    return TypeAdapter(form).json_schema(mode="serialization", schema_generator=_Schema)


def answer_json(
    finder: LookalikeFinder,
    source: str | Path,
    top_k: int | None = None,
    wanted: Filter = EVERYONE,
    *,
    parts: bool = False,
) -> dict[str, Any]:
    """A photo's matches (AnswerJson), or why there are none (NoAnswerJson).

    Args:
        finder: which gallery.
        source: the photo's file.
        top_k: matches per face; default: the setting.
        wanted: which actors may be answered.
        parts: whether to tell which parts of a face carry each likeness.
    """
    try:
        answer = finder.find(source, top_k, wanted)
    except PhotoError as error:
        problem = ProblemJson(code=error.code, message=str(error))
        return NoAnswerJson(photo=str(source), error=problem).model_dump()
    return AnswerJson(
        photo=str(source),
        pack=answer.pack,
        faces=[_face(finder, answer.photo, entry, parts=parts) for entry in answer.faces],
    ).model_dump()


def actors_json(finder: LookalikeFinder, wanted: Filter = EVERYONE) -> list[dict[str, Any]]:
    """The gallery's actors that pass a filter, by name (ActorJson each)."""
    index, people = finder.index, finder.people
    among = people.among(wanted, index.actors)
    return [
        _actor(finder, actor, count).model_dump()
        for actor, count in zip(index.actors, index.portrait_counts.tolist(), strict=True)
        if among is None or actor in among
    ]


def health_json(finder: LookalikeFinder) -> dict[str, Any]:
    """What runs here (HealthJson)."""
    index = finder.index
    return HealthJson(
        status="ok",
        pack=index.info.pack,
        warning=finder.notice,
        gallery="starter" if index.info.source == "starter" else "gallery",
        actors=len(index.actors),
        portraits=int(index.portrait_counts.sum()),
        built=index.info.built,
    ).model_dump()


def _face(finder: LookalikeFinder, photo: Photo, entry: Judged[Face], *, parts: bool) -> FaceJson:
    detection = entry.face.detection
    framed = in_frame(photo.pixels, detection.landmarks) if parts else None
    found = finder.alike(framed, entry.matches) if framed else ()
    return FaceJson(
        box=[round(value * photo.zoom, 1) for value in detection.box],
        detection_score=round(detection.detection_score, 4),
        matches=[
            _match(finder, match, alike) for match, alike in zip_longest(entry.matches, found)
        ],
        verdict=VerdictJson.model_validate(entry.verdict),
        tips=list(coach(measure_quality(photo, detection))),
    )


def _match(finder: LookalikeFinder, match: Match, alike: Alike | None) -> MatchJson:
    has_picture = finder.portrait_path(match.portrait) is not None
    credit = match.portrait.credit if has_picture else None
    return MatchJson(
        actor=match.actor,
        **_names(finder, match.actor),
        similarity=round(match.similarity, 4),
        score=match.score,
        portrait=match.portrait.file if has_picture else None,
        credit=CreditJson.model_validate(credit) if credit else None,
        parts=_parts(alike) if alike else None,
    )


def _parts(alike: Alike) -> PartsJson:
    shares = {part: round(share, 3) for part, share in alike.shares.items()}
    return PartsJson(**shares, clear=bool(alike.told), told=list(alike.told))


def _actor(finder: LookalikeFinder, actor: str, portraits: int) -> ActorJson:
    entry = finder.people.entries.get(actor)
    genders: tuple[Literal["women", "men"], ...] = ("women", "men")
    return ActorJson(
        actor=actor,
        **_names(finder, actor),
        gender=next((word for word in genders if entry and entry.gender in GENDERS[word]), None),
        country=entry.country.split() if entry else [],
        portraits=portraits,
    )


def _names(finder: LookalikeFinder, actor: str) -> dict[str, Any]:
    names = finder.people.names(actor)
    return {"name": names["en"], "name_ko": names.get("ko") or None, "names": names}
