"""Make or update a Hugging Face Space with this app, in one commit.

In: this project's folder, and a token of the Hub that may write (HF_TOKEN, or `hf auth login`).
Out: the Space's files and variables. Without --go it only says what would be done, and asks
nobody. Run again with nothing changed, it changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from core.settings import ROOT, load_settings
from core.upkeep.space import Space, deploy, planned_space
from scripts.cli import Parser, run, tell

NOTHING_DONE = "nothing was done; --go does it"


def main() -> int:
    """Exit status 0 when the Space is as it should be, or was only looked at; 2 for a fault."""
    args = _arguments()
    space = planned_space(args.space, ROOT, dict(args.set), private=args.private)
    tell(*_plan(space))
    if not args.go:
        tell(NOTHING_DONE)
        return 0
    done = deploy(space, load_settings().hub_timeout)
    tell(*(f"deleted there: {name}" for name in done.deleted))
    tell(*(f"set: {name}" for name in done.variables))
    tell("files: one new commit" if done.committed else "files: nothing has changed")
    return 0


def _arguments() -> argparse.Namespace:
    parser = Parser(description="Make or update a Hugging Face Space with this app.")
    parser.add_argument("space", metavar="OWNER/NAME", help="the Space; made if it is not there")
    parser.add_argument("--go", action="store_true", help="do it; without, only say what")
    parser.add_argument(
        "--gallery",
        metavar="OWNER/NAME",
        dest="set",
        action="append",
        type=lambda name: ("LOOKALIKE_GALLERY", name),
        help="a dataset repository that the Space's gallery is filled from at its start",
    )
    parser.add_argument(
        "--set",
        metavar="LOOKALIKE_NAME=VALUE",
        action="append",
        type=_variable,
        help="a setting, as a variable that everybody can read; may be repeated",
    )
    parser.add_argument("--private", action="store_true", help="a new Space is only its owner's")
    parser.set_defaults(set=[])
    return parser.parse_args()


def _variable(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()


def _plan(space: Space) -> list[str]:
    """Lines: address; files by folder, with sizes; variables."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for name, path in space.files.items():
        folder, sign, _ = name.partition("/")
        sizes[folder + sign].append(path.stat().st_size)
    lines = [space.address, f"files: {len(space.files)}, {_megabytes(space.size)}"]
    for name, few in sizes.items():
        count = f"{len(few)} files, " if name.endswith("/") else ""
        lines.append(f"  {name}: {count}{_megabytes(sum(few))}")
    lines.append("others there, but for .gitattributes, are deleted")
    return lines + [f"variable: {name}={value}" for name, value in space.variables.items()]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3f} MB"


if __name__ == "__main__":
    run(main)
