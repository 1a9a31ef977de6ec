"""Wikimedia as a source of portraits: actors from Wikidata, their pictures from Commons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from core.download.commons import TITLES, category_files, describe_files, missing_file
from core.download.http import WebClient
from core.download.source import Candidate, SourceActor
from core.download.wikidata import band_query, bands, find_actors

CATEGORY_FILES = 200  # listed of an actor's category, and spread over


class Wikimedia:
    """Asks Wikidata and Commons; files are described fifty at a time."""

    def __init__(
        self,
        client: WebClient,
        wikidata_url: str,
        commons_url: str,
        countries: Sequence[str] = (),
    ) -> None:
        """Nothing is asked yet.

        Args:
            client: asks.
            wikidata_url: of the query service.
            commons_url: of the API.
            countries: of citizenship, ISO 3166-1 alpha-2; none means all.

        Raises:
            SettingsError: a country that is no two-letter code.
        """
        band_query(bands()[0], countries)
        self._client, self._wikidata, self._commons = client, wikidata_url, commons_url
        self._countries = countries
        self._next: list[SourceActor] = []  # whose portraits are described in one go
        self._described: dict[str, Candidate] = {}

    def actors(self) -> Iterator[SourceActor]:
        """Actors with a picture, most widely known first."""
        found = find_actors(self._client, self._wikidata, self._countries)
        while some := list(islice(found, TITLES)):
            self._next = some
            yield from some

    def portraits(self, actor: SourceActor) -> Iterator[Candidate]:
        """Wikidata's images of an actor."""
        if not self._described.keys() >= set(actor.portraits):
            names = [name for one in (actor, *self._next) for name in one.portraits]
            found = describe_files(self._client, self._commons, names)
            self._described = {name: found.get(name) or missing_file(name) for name in names}
        yield from (self._described[name] for name in actor.portraits)

    def others(self, actor: SourceActor, wanted: int) -> Iterator[Candidate]:
        """Files of an actor's category on Commons, spread over it."""
        if not actor.category:
            return
        titles = category_files(self._client, self._commons, actor.category, CATEGORY_FILES)
        spread = _spread(titles, wanted)
        for start in range(0, len(spread), TITLES):
            names = spread[start : start + TITLES]
            yield from describe_files(self._client, self._commons, names).values()

    def fetch(self, candidate: Candidate, max_bytes: int) -> bytes:
        """The picture, in the width that Commons was asked for."""
        return self._client.picture(candidate.url, max_bytes)


def _spread(titles: Sequence[str], wanted: int) -> list[str]:
    """The same titles, neighbours apart: a category's neighbours are often one event."""
    step = max(1, len(titles) // max(1, wanted))
    return [title for start in range(step) for title in titles[start::step]]
