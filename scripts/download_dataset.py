"""Fill the dataset folder with actors, every portrait free to use and credited.

In: Wikidata and Wikimedia Commons (needs LOOKALIKE_CONTACT), or with --from-hub a dataset
repository on the Hugging Face Hub in imagefolder shape.
Out: <dataset>/<Actor name>/<n>.jpg, actors.csv, credits.csv, and refused.csv, which remembers what
was refused and why (delete a line to have it tried again). Stopped at any moment, run again it
goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from tqdm import tqdm

from core.download.collect import Collector, Outcome
from core.download.from_hub import fetch_from_hub
from core.download.http import WebClient
from core.download.source import Source, SourceActor
from core.download.store import Store, only_download
from core.download.wikimedia import Wikimedia
from core.gallery.removals import load_removals
from core.languages import ENGLISH, LANGUAGES
from core.models.install import ensure_models
from core.settings import Settings
from core.startup import load_engine, pack_for_photos
from scripts.cli import Parser, path, positive, run, settings_with, tell, tell_row

ACTORS = 302
PHOTOS = 5


def main() -> int:
    """Exit status 0 when there is no more to do, 2 for a set-up fault, 130 when interrupted."""
    args = _arguments()
    settings = settings_with(dataset_dir=args.dataset_dir)
    if args.from_hub is not None:
        counts, *left_out = fetch_from_hub(args.from_hub, settings).summary()
        tell(f"{args.from_hub}: {counts}", *left_out)
        return 0
    with WebClient(settings.contact) as client:
        source = Wikimedia(client, settings.wikidata_url, settings.commons_url, args.country)
        if args.dry_run:
            return _dry_run(args, source)
        with only_download(settings.dataset_dir):
            return _download(args, settings, source)


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
    args = parser.parse_args()
    if args.dry_run and args.from_hub:
        parser.error("--dry-run cannot look into a dataset repository; leave out one of the two")
    return args


def _countries(text: str) -> tuple[str, ...]:
    return tuple(code.strip().upper() for code in text.split(",") if code.strip())


def _download(args: argparse.Namespace, settings: Settings, source: Source) -> int:
    engine = load_engine(ensure_models(settings, pack_for_photos(settings)), settings)
    collector = Collector(
        source,
        engine,
        Store(settings.dataset_dir),
        photos=args.photos_per_actor,
        removals=load_removals(settings.removals_path),
        limits=settings.photo_limits,
    )
    outcomes: list[Outcome] = []
    with tqdm(total=args.limit, unit=" actors", disable=None) as bar:
        try:
            for outcome in collector.collect(args.limit):
                outcomes.append(outcome)
                bar.update(outcome.photos > 0)
                bar.set_postfix(_counts(outcomes))
        finally:  # interrupted too: what was done is said
            bar.close()
            tell(*summary(outcomes, args.limit))
    return 0


def _counts(outcomes: list[Outcome]) -> dict[str, int]:
    return {
        "photos": sum(outcome.photos for outcome in outcomes),
        "new": sum(outcome.new for outcome in outcomes),
        "left_out": sum(not outcome.photos for outcome in outcomes),
    }


def summary(outcomes: list[Outcome], limit: int) -> list[str]:
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
    return lines


def _label(actor: SourceActor) -> str:
    return f"{actor.name or 'no name'} ({actor.id})"


def _dry_run(args: argparse.Namespace, source: Source) -> int:
    """List the actors that would be asked for, with their main portrait; writes nothing."""
    actors, usable = 0, 0
    for actor in islice(source.actors(), args.limit):
        portrait = next(iter(source.portraits(actor)), None)
        fate = portrait.refusal or portrait.credit.licence if portrait else "there is no picture"
        names = (actor.names.get(lang, "") for lang in LANGUAGES if lang != ENGLISH)
        tell_row(_label(actor), *names, " ".join(actor.countries), fate)
        actors += 1
        usable += portrait is not None and not portrait.refusal
    tell(f"{actors} actors, {usable} with a main portrait that is free to use")
    return 0


if __name__ == "__main__":
    run(main)
