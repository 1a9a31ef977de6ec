"""A gallery on one HTML page, for human eyes: every actor's photos side by side, faults marked.

One file, light enough to open from disk: thumbnails are data URIs; no script, no other host.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from core.files import new_file
from core.upkeep.check import NOTES, REASONS, Fault, Report

TEMPLATE = Path(__file__).with_suffix(".html")


def write_contact_sheet(report: Report, path: Path) -> None:
    """Write the page by rename.

    Raises:
        StorageError: the folder cannot be written.
    """
    with new_file(path) as temporary:
        temporary.write_text(contact_sheet(report), encoding="utf-8")


def contact_sheet(report: Report) -> str:
    """The page as HTML."""
    by_file = defaultdict(list)
    for fault in report.faults:
        by_file[fault.file].append(fault)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        report=report,
        actors=[(name, list(row)) for name, row in groupby(report.photos, lambda p: p.actor)],
        summary=[(why, list(row)) for why, row in groupby(report.faults, lambda f: f.reason)],
        by_file=by_file,
        shown={photo.file for photo in report.photos},
        notes=NOTES,
        reasons=REASONS,
        kind=_kind,
        anchor=_anchor,
        base64=lambda data: base64.b64encode(data).decode(),
    )


def _kind(faults: list[Fault]) -> str:
    return "fault" if any(fault.reason not in NOTES for fault in faults) else "note"


def _anchor(file: str) -> str:
    """An id without spaces or quotes, the same in `id` and `href`."""
    return quote(file, safe="").replace("%", "_")
