"""How often is the first answer right? Enrols a gallery, matches probes, prints the share.

In: a gallery and folders of probes, each `<folder>/<Actor name>/*`, with the same names.
Out: a line per folder of probes, by the largest face and by any face of the photo. The probes
go through scripts/find_lookalike.py --json, as a user's would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from dataclasses import dataclass
from typing import Any

from core.errors import GalleryError
from core.gallery import scan_gallery
from scripts.cli import Parser, path, run

SCRIPTS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Tally:
    """Right first answers of one folder of probes."""

    photos: int
    no_face: int
    largest: int  # right for the largest face
    any_face: int  # right for some face of the photo

    def __str__(self) -> str:
        """Counts and shares."""
        shares = (f"{count} ({count / self.photos:.1%})" for count in (self.largest, self.any_face))
        return "{} photos, right by the largest face {}, by any face {}, no face {}".format(
            self.photos, *shares, self.no_face
        )


def main() -> int:
    """Print a tally per folder of probes."""
    parser = Parser(description="How often is the first answer right?")
    parser.add_argument("--gallery", type=path, required=True, help="folder of actors to enrol")
    parser.add_argument("--probes", type=path, required=True, nargs="+", help="folders of probes")
    parser.add_argument("--pack", default="sface", choices=("auraface", "sface"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index.npz"
        cache = Path(scratch) / "cache.json"
        script("build_actor_index_insightface.py", f"--dataset-dir={args.gallery}",
               f"--index={index}", f"--cache={cache}", f"--pack={args.pack}")  # fmt: skip
        for folder in args.probes:
            print(f"{folder.name}: {tally(folder, index)}", flush=True)
    return 0


def tally(folder: Path, index: Path) -> Tally:
    """Match every photo of a folder of probes."""
    truth = {str(photo.path): photo.actor for photo in scan_gallery(folder)}
    if not truth:
        raise GalleryError(f"{folder} has no photos; it needs <Actor name>/*.jpg")
    output = script("find_lookalike.py", "--json", "--top-k=1", f"--index={index}", *truth)
    answers = [json.loads(line) for line in output.splitlines()]
    firsts = [first_names(answer) for answer in answers]
    names = [truth[answer["photo"]] for answer in answers]
    return Tally(
        photos=len(truth),
        no_face=sum(not found for found in firsts),
        largest=sum(found[:1] == [name] for found, name in zip(firsts, names, strict=True)),
        any_face=sum(name in found for found, name in zip(firsts, names, strict=True)),
    )


def first_names(answer: dict[str, Any]) -> list[str]:
    """The first actor for each face, largest face first."""
    return [face["matches"][0]["actor"] for face in answer.get("faces", [])]


def script(name: str, *arguments: str | Iterable[str]) -> str:
    """Run a script of this folder; its standard output. Status 1 (a photo without face) is fine."""
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode > 1:
        raise GalleryError(f"{name} ended with status {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    run(main)
