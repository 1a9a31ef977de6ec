"""Answers as JSON: one function for the API, language models and the command line.

The stable JSON forms that others build on: of a match, of the gallery, of the app's state.

Types and words stand here once; core/answer.py turns them into what the API says of itself.

JSON schema of the typed answers, so that the API's own description cannot drift from them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from core.errors import PhotoError
from core.faces.engine import Face
from core.faces.photo import Photo
from core.faces.quality import coach, measure_quality
from core.gallery.people import EVERYONE, GENDERS, Filter
from core.gallery.photos import Portrait
from core.index.actor_index import Match
from core.index.verdict import Verdict
from core.lookalike import Judged, LookalikeFinder


class CreditJson(TypedDict):
    """Who is to be named where a portrait is shown."""

    author: Annotated[str, "who made the photo"]
    licence: Annotated[str, "under which it may be shown"]
    licence_url: Annotated[str, "the licence's text; empty if unknown"]
    source: Annotated[str, "page the photo came from; empty if unknown"]


class MatchJson(TypedDict):
    """One actor, as close as the face came."""

    actor: Annotated[str, "the actor in this gallery"]
    name: Annotated[str, "in English where the gallery knows it"]
    name_ko: Annotated[str | None, "in Korean; null if unknown"]
    similarity: Annotated[float, "cosine of the two face embeddings, -1 to 1"]
    score: Annotated[
        float | None,
        "0 to 99.9: closer to the photo's face than this per cent of the gallery's actors come to"
        " any other of them; null where the gallery has fewer than three actors",
    ]
    portrait: Annotated[
        str | None,
        "the actor's photo closest to the face, a file below the dataset folder; null where the"
        " gallery keeps no picture",
    ]
    credit: Annotated[CreditJson | None, "of the portrait; null where it has none"]


class VerdictJson(TypedDict):
    """What may be said of the first match."""

    share: Annotated[int | None, "its score as a whole number, rounded down"]
    same_photo: Annotated[bool, "its portrait is this very photo"]
    same_person: Annotated[bool, "the similarity is one that strangers hardly ever reach"]
    close_race: Annotated[bool, "the second match is as good as level with it"]
    rough: Annotated[bool, "the gallery is small, so the score is a rough one"]


class FaceJson(TypedDict):
    """One face of the photo."""

    box: Annotated[list[float], "x1, y1, x2, y2 in pixels of the upright photo"]
    detection_score: Annotated[float, "how surely this is a face, 0 to 1"]
    matches: Annotated[list[MatchJson], "best first; empty where no actor passes the filter"]
    verdict: VerdictJson
    tips: Annotated[list[str], "what a better photo would change, as codes, such as too_dark"]


class AnswerJson(TypedDict):
    """A photo with at least one face."""

    photo: Annotated[str, "the photo's file name"]
    pack: Annotated[str, "the model pack that embedded the face: sface or auraface"]
    faces: Annotated[list[FaceJson], "the likely subject first, never empty"]


class ProblemJson(TypedDict):
    """Why a photo has no answer."""

    code: Annotated[str, "no_face, unreadable or too_large"]
    message: Annotated[str, "one English sentence, with what to do"]


class NoAnswerJson(TypedDict):
    """A photo that cannot be matched."""

    photo: Annotated[str, "the photo's file name"]
    error: ProblemJson


class ActorJson(TypedDict):
    """One actor of the gallery."""

    actor: Annotated[str, "as in the matches"]
    name: Annotated[str, "in English where the gallery knows it"]
    name_ko: Annotated[str | None, "in Korean; null if unknown"]
    gender: Annotated[
        Literal["women", "men"] | None, "which gender filter finds the actor, as the gallery says"
    ]
    country: Annotated[list[str], "ISO 3166 codes of citizenship; empty if unknown"]
    portraits: Annotated[int, "photos the actor was enrolled with"]


class HealthJson(TypedDict):
    """The app's state."""

    status: Annotated[Literal["ok"], "the app answers only once it is ready"]
    pack: Annotated[str, "the model pack in use: sface or auraface"]
    gallery: Annotated[str, "what the index was made from: gallery, cache or starter"]
    actors: Annotated[int, "actors in the gallery"]
    portraits: Annotated[int, "photos they were enrolled with"]
    built: Annotated[str, "when the index was made, ISO 8601, UTC"]


NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type.

    Args:
        kind: str, int, float, bool, None, Literal of texts, list, union or TypedDict of these;
            the text of an Annotated is its description.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return {**schema_of(arguments[0]), "description": arguments[1]}
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(choice) for choice in arguments]}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if is_typeddict(kind):
        fields = get_type_hints(kind, include_extras=True)
        properties = {name: schema_of(field) for name, field in fields.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": NAMES[kind]}


def answer_json(
    finder: LookalikeFinder,
    source: str | Path,
    top_k: int | None = None,
    wanted: Filter = EVERYONE,
) -> AnswerJson | NoAnswerJson:
    """A photo's matches, or why there are none."""
    try:
        answer = finder.find(source, top_k, wanted)
    except PhotoError as error:
        return {"photo": str(source), "error": {"code": error.code, "message": str(error)}}
    return {
        "photo": str(source),
        "pack": answer.pack,
        "faces": [_face_json(finder, answer.photo, entry) for entry in answer.faces],
    }


def actors_json(finder: LookalikeFinder, wanted: Filter = EVERYONE) -> list[ActorJson]:
    """The gallery's actors that pass a filter, by name."""
    index, people = finder.index, finder.people
    among = people.among(wanted, index.actors)
    counts = Counter(index.portrait_actor.tolist())
    return [
        _actor_json(finder, actor, counts[row])
        for row, actor in enumerate(index.actors)
        if among is None or actor in among
    ]


def health_json(finder: LookalikeFinder) -> HealthJson:
    """What runs here."""
    index = finder.index
    return {
        "status": "ok",
        "pack": index.info.pack,
        "gallery": index.info.source,
        "actors": len(index.actors),
        "portraits": len(index.portraits),
        "built": index.info.built,
    }


def _face_json(finder: LookalikeFinder, photo: Photo, entry: Judged[Face]) -> FaceJson:
    detection = entry.face.detection
    return {
        "box": [round(value, 1) for value in detection.box],
        "detection_score": round(detection.detection_score, 4),
        "matches": [_match_json(finder, match) for match in entry.matches],
        "verdict": _verdict_json(entry.verdict),
        "tips": list(coach(measure_quality(photo, detection))),
    }


def _match_json(finder: LookalikeFinder, match: Match) -> MatchJson:
    has_picture = finder.portrait_path(match.portrait) is not None
    return {
        "actor": match.actor,
        "name": finder.people.name(match.actor, "en"),
        "name_ko": _korean_name(finder, match.actor),
        "similarity": round(match.similarity, 4),
        "score": match.score,
        "portrait": match.portrait.file if has_picture else None,
        "credit": _credit_json(match.portrait) if has_picture else None,
    }


def _verdict_json(verdict: Verdict) -> VerdictJson:
    return {
        "share": verdict.share,
        "same_photo": verdict.same_photo,
        "same_person": verdict.same_person,
        "close_race": verdict.close_race,
        "rough": verdict.rough,
    }


def _credit_json(portrait: Portrait) -> CreditJson | None:
    credit = portrait.credit
    if credit is None:
        return None
    return {
        "author": credit.author,
        "licence": credit.licence,
        "licence_url": credit.licence_url,
        "source": credit.source,
    }


def _actor_json(finder: LookalikeFinder, actor: str, portraits: int) -> ActorJson:
    entry = finder.people.entries.get(actor)
    genders: tuple[Literal["women", "men"], ...] = ("women", "men")
    return {
        "actor": actor,
        "name": finder.people.name(actor, "en"),
        "name_ko": _korean_name(finder, actor),
        "gender": next((word for word in genders if entry and entry.gender in GENDERS[word]), None),
        "country": entry.country.split() if entry else [],
        "portraits": portraits,
    }


def _korean_name(finder: LookalikeFinder, actor: str) -> str | None:
    entry = finder.people.entries.get(actor)
    return (entry and entry.names.get("ko")) or None
