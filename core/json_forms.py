"""The stable JSON forms that others build on: of a match, of the gallery, of the app's state.

Types and words stand here once; core/json_schema.py turns them into what the API says of itself.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict


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
