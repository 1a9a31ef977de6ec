"""From actors and Commons files to a gallery on disk, two actors at a time.

A photo lands only after its actor's row and its credit are written, each by rename, and the
log says what became of each file: stopped at any moment, the next run goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from core.commons import TITLES, CommonsFile, describe_files
from core.errors import GalleryError, SourceError, StorageError
from core.faces.engine import FaceEngine
from core.fill import ActorFiller
from core.in_parallel import in_parallel
from core.settings import Settings
from core.web import AT_ONCE, WebClient
from core.wikidata import WikidataActor

UNREACHABLE = 5  # actors in a row that Commons gave nothing for: then it is not the actors


@dataclass(frozen=True)
class Outcome:
    """What became of one actor in this run."""

    actor: WikidataActor
    photos: int = 0  # on disk now
    new: int = 0  # of them by this run
    reason: str = ""  # why there are none, or fewer than there might be
    refused: Counter[str] = field(default_factory=Counter)  # files refused by this run, by reason
    unreachable: bool = False  # the network's fault: the next run tries again


class Collector:
    """Fetches, checks, crops and keeps photos of actors, two actors at a time."""

    def __init__(
        self, client: WebClient, engine: FaceEngine, settings: Settings, photos: int
    ) -> None:
        """Look at what is on disk.

        Args:
            client: asks Commons.
            engine: finds and compares faces.
            settings: where to ask, where to write.
            photos: wanted of each actor.
        """
        self._client, self._settings = client, settings
        self._filler = ActorFiller(client, engine, settings, photos)

    def collect(self, actors: Iterator[WikidataActor], limit: int) -> Iterator[Outcome]:
        """Outcomes, until `limit` actors have photos or there are no more actors.

        Raises:
            SourceError: nothing answers any more.
            StorageError: the dataset cannot be written.
        """
        found, silent = 0, 0
        while found < limit and (some := list(islice(actors, min(limit - found, TITLES)))):
            portraits = self._filler.portraits_to_see(some)
            files = describe_files(self._client, self._settings, portraits)
            work = partial(self._outcome, files=files)
            for outcome in in_parallel(work, some, AT_ONCE, self._client.stopping):
                found += outcome.photos > 0
                silent = silent + 1 if outcome.unreachable else 0
                yield outcome
                if silent == UNREACHABLE:
                    raise SourceError(f"{outcome.reason} ({silent} actors in a row)")

    def _outcome(self, actor: WikidataActor, files: dict[str, CommonsFile]) -> Outcome:
        """What became of an actor; only a disk that refuses stops the others."""
        before = len(self._filler.on_disk(actor))
        refused: Counter[str] = Counter()
        reason, unreachable = "", False
        try:
            reason = self._filler.fill(actor, files, refused)
        except StorageError:
            raise
        except SourceError as error:
            reason, unreachable = str(error), True
        except GalleryError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - named in the summary, whatever it was
            reason = f"{type(error).__name__}: {error}; report it"
        photos = len(self._filler.on_disk(actor))
        return Outcome(actor, photos, photos - before, reason, refused, unreachable)
