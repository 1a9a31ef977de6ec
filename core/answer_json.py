"""Answers as JSON: one function for the API, language models and the command line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

from core.errors import PhotoError
from core.faces.photo import Photo
from core.faces.quality import coach, measure_quality
from core.gallery.people import GENDERS, Filter
from core.gallery.photos import Portrait
from core.index.actor_index import Match
from core.index.verdict import Verdict
from core.json_forms import (
    ActorJson,
    AnswerJson,
    CreditJson,
    FaceJson,
    HealthJson,
    MatchJson,
    NoAnswerJson,
    VerdictJson,
)
from core.lookalike import FaceMatches, LookalikeFinder


def answer_json(
    finder: LookalikeFinder,
    source: str | Path,
    top_k: int | None = None,
    wanted: Filter | None = None,
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


def actors_json(finder: LookalikeFinder, wanted: Filter | None = None) -> list[ActorJson]:
    """The gallery's actors that pass a filter, by name."""
    index, people = finder.index, finder.people
    among = people.among(wanted or Filter(), index.actors)
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


def _face_json(finder: LookalikeFinder, photo: Photo, entry: FaceMatches) -> FaceJson:
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
    return (entry and entry.name_ko) or None
