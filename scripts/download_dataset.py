"""Fill the dataset folder with actors, every portrait free to use and credited.

In: Wikidata and Wikimedia Commons (needs LOOKALIKE_CONTACT), or with --from-hub a dataset
repository on the Hugging Face Hub in imagefolder shape.
Out: <dataset>/<Actor name>/<n>.jpg, actors.csv, credits.csv, and download_log.jsonl, which
remembers what was refused and why. Stopped at any moment, run again it goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from tqdm import tqdm

from core.download.collect import Collector, Outcome
from core.download.commons import describe_files
from core.download.from_hub import fetch_from_hub
from core.download.http import WebClient
from core.download.store import only_download
from core.download.wikidata import WikidataActor, actor_query, find_actors
from core.models.install import ensure_models
from core.settings import Settings, load_settings
from core.startup import load_engine, pack_for_photos
from scripts.cli import Parser, path, positive, run

ACTORS = 302
PHOTOS = 5


def main() -> int:
    """Exit status 0 when there is no more to do, 2 for a set-up fault, 130 when interrupted."""
    args = _arguments()
    settings = load_settings()
    settings = settings.replaced(dataset_dir=args.dataset_dir or settings.dataset_dir)
    if args.from_hub:
        return _from_hub(args, settings)
    actor_query(1, 0, args.country)  # refuses a country that is none, before anything is asked
    with _client(settings) as client:
        if args.dry_run:
            return _dry_run(args, settings, client)
        with only_download(settings.dataset_dir):
            return _download(args, settings, client)


def _arguments() -> argparse.Namespace:
    parser = Parser(description="Fill the dataset folder with actors and credited portraits.")
    parser.add_argument("--limit", type=positive, default=ACTORS, help=f"actors; default: {ACTORS}")
    parser.add_argument(
        "--country", type=_countries, default=(), help="citizens of these only, as in KR,US"
    )
    parser.add_argument(
        "--photos-per-actor", type=positive, default=PHOTOS, help=f"at most; default: {PHOTOS}"
    )
    parser.add_argument("--dataset-dir", type=path, help="folder to fill; default: dataset")
    parser.add_argument(
        "--from-hub", metavar="OWNER/NAME", help="a dataset repository with a folder per actor"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; no more")
    return parser.parse_args()


def _countries(text: str) -> tuple[str, ...]:
    return tuple(code.strip().upper() for code in text.split(",") if code.strip())


@contextmanager
def _client(settings: Settings) -> Iterator[WebClient]:
    client = WebClient(settings)
    try:
        yield client
    finally:
        client.stop()


def _download(args: argparse.Namespace, settings: Settings, client: WebClient) -> int:
    engine = load_engine(ensure_models(settings, pack_for_photos(settings)), settings)
    collector = Collector(client, engine, settings, args.photos_per_actor)
    actors = find_actors(client, settings, args.country)
    outcomes: list[Outcome] = []
    with tqdm(total=args.limit, unit=" actors", disable=None) as bar:
        try:
            for outcome in collector.collect(actors, args.limit):
                outcomes.append(outcome)
                bar.update(outcome.photos > 0)
                bar.set_postfix(_counts(outcomes))
        finally:  # interrupted too: what was done is said
            bar.close()
            print(summary(outcomes, args.limit))
    return 0


def _counts(outcomes: list[Outcome]) -> dict[str, int]:
    return {
        "photos": sum(outcome.photos for outcome in outcomes),
        "new": sum(outcome.new for outcome in outcomes),
        "left_out": sum(not outcome.photos for outcome in outcomes),
    }


def summary(outcomes: list[Outcome], limit: int) -> str:
    """Counts; then who was left out, which files were not taken, and why."""
    counts = _counts(outcomes)
    actors = len(outcomes) - counts["left_out"]
    lines = [f"{actors} of {limit} actors, {counts['photos']} photos ({counts['new']} new)"]
    left_out = [outcome for outcome in outcomes if not outcome.photos]
    if left_out:
        lines.append(f"left out: {len(left_out)} actors")
        lines += [f"  {_label(one.actor)}: {one.reason}" for one in left_out]
    unfinished = [one for one in outcomes if one.photos and one.reason]
    if unfinished:
        lines.append(f"not finished: {len(unfinished)} actors; run it again to go on")
        lines += [f"  {_label(one.actor)}: {one.reason}" for one in unfinished]
    refused = sum((one.refused for one in outcomes), Counter[str]())
    if refused:
        lines.append(f"photos not taken: {refused.total()}")
        lines += [f"  {count} × {reason}" for reason, count in refused.most_common()]
    return "\n".join(lines)


def _label(actor: WikidataActor) -> str:
    return f"{actor.name or 'no name'} ({actor.wikidata})"


def _dry_run(args: argparse.Namespace, settings: Settings, client: WebClient) -> int:
    """List the actors that would be asked for, with their main portrait; writes nothing."""
    actors = list(islice(find_actors(client, settings, args.country), args.limit))
    names = [name for actor in actors for name in actor.images[:1]]
    files = describe_files(client, settings, names)
    for actor in actors:
        file = files.get(actor.images[0]) if actor.images else None
        fate = "no image on Commons" if file is None else file.refusal or file.credit.licence
        print("\t".join((_label(actor), actor.name_ko, " ".join(actor.countries), fate)))
    usable = sum(file.usable for file in files.values())
    print(f"{len(actors)} actors, {usable} with a main portrait that is free to use")
    return 0


def _from_hub(args: argparse.Namespace, settings: Settings) -> int:
    result = fetch_from_hub(args.from_hub, settings, dry_run=args.dry_run)
    print(result.summary())
    return 0


if __name__ == "__main__":
    run(main)
