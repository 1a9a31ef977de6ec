"""Look through a gallery: likely mislabels, duplicates, group photos, look-alike actors, ….

In: <dataset>/<Actor name>/*.jpg; embeddings come from the cache where it has them.
Out: the faults, by kind, as `Actor/file.jpg: reason`; with --json one object a line, with the
keys file, actor, reason, detail and other. And a contact sheet of all photos,
<dataset>/contact_sheet.html. Nothing in the gallery is changed.
Exit status 0 when it ran, whatever it found; 2 for a set-up fault.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder


from core.errors import GalleryError, StorageError
from core.models.install import ensure_models
from core.settings import PACK_CHOICES
from core.startup import load_engine, pack_for_photos, progress_bar
from core.upkeep.check import REASONS, Report, check_gallery
from core.upkeep.contact_sheet import write_contact_sheet
from scripts.cli import Parser, path, run, settings_with, tell


def main() -> int:
    """Exit status 0 when the gallery was looked through."""
    parser = Parser(description="Look through a gallery for faults.")
    parser.add_argument("--dataset-dir", type=path, help="folder of actors; default: dataset")
    parser.add_argument(
        "--pack", choices=PACK_CHOICES, help="default: AuraFace if at hand, else SFace"
    )
    parser.add_argument("--json", action="store_true", help="one object a line for each fault")
    parser.add_argument("--html", type=path, help="default: <dataset>/contact_sheet.html")
    args = parser.parse_args()
    settings = settings_with(
        dataset_dir=args.dataset_dir,
        model_pack=args.pack,
    )
    if not settings.dataset_dir.is_dir():
        raise GalleryError(f"{settings.dataset_dir} is not a folder; name one with --dataset-dir")
    engine = load_engine(ensure_models(settings, pack_for_photos(settings)), settings)
    report = check_gallery(engine, settings, progress_bar)
    if args.json:
        tell(*(json.dumps(fault.to_json(), ensure_ascii=False) for fault in report.faults))
    else:
        tell(*summary(report))
    sheet = args.html or settings.dataset_dir / "contact_sheet.html"
    try:
        write_contact_sheet(report, sheet)
    except StorageError as error:
        raise StorageError(f"{error}; --html takes another place for the contact sheet") from error
    if not args.json:
        tell(f"contact sheet: {sheet}")
    return 0


def summary(report: Report) -> list[str]:
    """Lines: the faults by kind, and a count."""
    lines = []
    for reason, group in groupby(report.faults, lambda fault: fault.reason):
        row = list(group)
        lines.append(f"{REASONS[reason]}: {len(row)}")
        lines += [f"  {fault.file}: {fault.detail or REASONS[reason]}" for fault in row]
    actors = len({photo.actor for photo in report.photos})
    lines.append(
        f"{actors} actors, {len(report.photos)} photos, {report.worth_a_look()} faults,"
        f" {len(report.faults) - report.worth_a_look()} notes"
    )
    return lines


if __name__ == "__main__":
    run(main, sys.stderr)
