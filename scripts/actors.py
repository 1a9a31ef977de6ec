"""The owner's tool: list, add, rename and remove actors of the gallery.

    actors.py list [--json]
    actors.py add NAME PHOTO…
    actors.py rename OLD NEW
    actors.py remove NAME

In and out: <dataset>/<Actor name>/*.jpg, actors.csv, credits.csv, the embeddings cache and the
index. `remove` is for good: it also takes the person out of the starter gallery and puts the
name's hash into dataset/removals.json, which every later build honours. Exit status 0 when it is
done, 2 with one line if not; what a kill or a full disk broke off, the same command ends.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from dataclasses import asdict

from core.faces.engine import FaceEngine
from core.models.install import ensure_models
from core.settings import PACK_CHOICES, Settings
from core.startup import load_engine
from core.upkeep.actors import add_photos, list_actors, remove_actor, rename_actor
from scripts.cli import Parser, need_folder, path, run, settings_with, tell


def main() -> int:
    """Exit status 0 when the change is made."""
    args = parsed()
    settings = settings_with(
        dataset_dir=args.dataset_dir,
        model_pack=args.pack,
        starter_file=args.starter,
        removals_file=args.removals,
    )
    if args.command != "add":
        need_folder(settings.dataset_dir)

    def make_engine(pack: str) -> FaceEngine:
        return load_engine(ensure_models(settings, pack), settings)

    if args.command == "list":
        show(settings, as_json=args.json)
    elif args.command == "add":
        actor = add_photos(args.name, args.photos, settings, make_engine)
        tell(f"{actor}: {len(args.photos)} photos added")
    elif args.command == "rename":
        actor = rename_actor(args.old, args.new, settings, make_engine)
        tell(f"{args.old} is {actor} now")
    else:
        actor = remove_actor(args.name, settings, make_engine)
        tell(f"{actor} is gone, for good: the name's hash is in {settings.removals_path}")
    return 0


def parsed() -> argparse.Namespace:
    """The arguments; options may stand before or after the command's own."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--dataset-dir", type=path, help="folder of actors; default: dataset")
    common.add_argument("--pack", choices=PACK_CHOICES, help="default: that of the index")
    common.add_argument("--starter", type=path, help="default: dataset/starter_embeddings.json")
    common.add_argument("--removals", type=path, help="default: dataset/removals.json")
    parser = Parser(description="Change the actors of the gallery.", parents=[common])
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    listing = commands.add_parser("list", parents=[common], help="actors and their photos")
    listing.add_argument("--json", action="store_true", help="one object a line")
    listing.set_defaults(json=False)
    add = commands.add_parser("add", parents=[common], help="photos of an actor, new or known")
    add.add_argument("name", metavar="NAME")
    add.add_argument("photos", type=path, nargs="+", metavar="PHOTO")
    rename = commands.add_parser("rename", parents=[common], help="give an actor another name")
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    remove = commands.add_parser("remove", parents=[common], help="take a person out for good")
    remove.add_argument("name", metavar="NAME")
    # Not by set_defaults: a command's own parser would put these in the place of what was given.
    unset = argparse.Namespace(dataset_dir=None, pack=None, starter=None, removals=None)
    return parser.parse_args(namespace=unset)


def show(settings: Settings, *, as_json: bool) -> None:
    """One actor a line."""
    actors = list_actors(settings)
    for entry in actors:
        line = json.dumps(asdict(entry), ensure_ascii=False)
        tell(line if as_json else f"{entry.photos:4}  {entry.actor}")
    if not as_json:
        source = actors[0].source if actors else "gallery"
        count = sum(entry.photos for entry in actors)
        tell(f"{len(actors)} actors, {count} photos, from the {source}")


if __name__ == "__main__":
    run(main, sys.stderr)
