"""What a place that portraits come from gives: actors, and pictures of each that may do.

`collect` knows no more of a place than this. Another museum is one new file with a `Source`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.gallery.credits import Credit


@dataclass(frozen=True)
class SourceActor:
    """What a source knows of one actor; texts are empty where it knows nothing."""

    id: str  # Wikidata's "Q…", or of the source's own: how actors.csv tells two of one name apart
    name: str = ""  # English, else as in many languages, else in whichever there is
    names: Mapping[str, str] = field(default_factory=dict)  # in other languages, by their code
    portraits: tuple[str, ...] = ()  # pictures of this actor alone, as the source calls them
    category: str = ""  # where the source has more pictures
    countries: tuple[str, ...] = ()  # of citizenship, ISO 3166-1 alpha-2, sorted
    birth_year: str = ""
    gender: str = ""  # in Wikidata's words: "female", "male", …


@dataclass(frozen=True)
class Candidate:
    """One picture that may become a portrait, with what is needed to fetch and to credit it."""

    page: str  # shows the original and its licence; tells one picture from another
    url: str  # of the bytes to fetch
    credit: Credit
    refusal: str = ""  # why it must not be used; empty if it may be


class Source(Protocol):
    """Finds actors, and candidates for each."""

    def actors(self) -> Iterator[SourceActor]:
        """Actors, the most wanted first, found as they are asked for.

        Raises:
            SourceError: nothing answers.
        """
        ...

    def portraits(self, actor: SourceActor) -> Iterable[Candidate]:
        """Pictures that the source says are of this actor, the best first.

        Raises:
            SourceError: nothing answers.
        """
        ...

    def others(self, actor: SourceActor, wanted: int) -> Iterable[Candidate]:
        """More pictures, which may show somebody else too; read until `wanted` of them will do.

        Raises:
            SourceError: nothing answers.
        """
        ...

    def fetch(self, candidate: Candidate, max_bytes: int) -> bytes:
        """A candidate's picture, whole.

        Raises:
            GoneError: not there, or more than `max_bytes`.
            SourceError: it cannot be had now.
        """
        ...
