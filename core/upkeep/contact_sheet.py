"""A gallery on one HTML page, for human eyes: every actor's photos side by side, faults marked.

One file, light enough to open from disk: thumbnails are data URIs; no script, no other host.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from core.files import new_file
from core.upkeep.check import NOTES, REASONS, CheckedPhoto, Fault, Report

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; background: #fff }
section { content-visibility: auto; contain-intrinsic-size: auto 230px; margin-top: 1.5rem }
h2 { font-size: 1.1rem; margin: 0 0 .4rem }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: flex-start }
figure { margin: 0; padding: 4px; border: 3px solid transparent; width: 164px }
figure.fault { border-color: #c5221f; background: #fdf0ef }
figure.note { border-color: #b98900 }
figure:target { outline: 4px solid #1a5fb4 }
img { display: block; max-width: 160px; max-height: 160px }
.nothing { height: 120px; background: #ddd; text-align: center; line-height: 120px }
figcaption { font-size: .8rem; overflow-wrap: anywhere }
figcaption b { color: #a01a17; display: block }
.note b { color: #7a5b00 }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #181818 } figure.fault { background: #3a1f1e }
  figcaption b { color: #ff9d97 } .note b { color: #ffd25e } a { color: #9cc4ff }
  .nothing { background: #444 }
}
"""


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
    actors = [(name, list(row)) for name, row in groupby(report.photos, lambda p: p.actor)]
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contact sheet</title><style>{STYLE}</style>
<h1>Contact sheet</h1>
<p>{len(actors)} actors, {len(report.photos)} photos, {report.worth_a_look()} faults.
Where most photos of a folder are of the wrong person, no rule can tell: please look.</p>
{_summary(report.faults)}
{"".join(_section(name, row, by_file) for name, row in actors)}
</html>
"""


def _summary(faults: Sequence[Fault]) -> str:
    parts = []
    for reason, group in groupby(faults, lambda fault: fault.reason):
        row = list(group)
        links = "".join(f'<li><a href="#{_anchor(f.file)}">{_text(f)}</a></li>' for f in row)
        is_open = "" if reason in NOTES else " open"
        title = f"{REASONS[reason]}: {len(row)}"
        parts.append(f"<details{is_open}><summary>{title}</summary><ul>{links}</ul></details>\n")
    return "".join(parts)


def _section(name: str, row: list[CheckedPhoto], by_file: dict[str, list[Fault]]) -> str:
    figures = "".join(_figure(photo, by_file.get(photo.file, [])) for photo in row)
    return f'<section><h2>{escape(name)}</h2><div class="row">{figures}</div></section>\n'


def _figure(photo: CheckedPhoto, faults: list[Fault]) -> str:
    kind = "fault" if any(fault.reason not in NOTES for fault in faults) else "note"
    said = "".join(f"<b>{escape(sentence(fault))}</b>" for fault in faults)
    picture = '<div class="nothing">no picture</div>'
    if photo.thumbnail:
        data = base64.b64encode(photo.thumbnail).decode()
        picture = f'<img alt="{escape(photo.file)}" src="data:image/jpeg;base64,{data}">'
    marked = f' class="{kind}"' if faults else ""
    return (
        f'<figure id="{_anchor(photo.file)}"{marked}>{picture}'
        f"<figcaption>{escape(photo.file)}{said}</figcaption></figure>\n"
    )


def sentence(fault: Fault) -> str:
    """Reason and detail of a fault."""
    return REASONS[fault.reason] + (f": {fault.detail}" if fault.detail else "")


def _text(fault: Fault) -> str:
    return escape(f"{fault.file}: {fault.detail}" if fault.detail else fault.file)


def _anchor(file: str) -> str:
    """An id without spaces or quotes, the same in `id` and `href`."""
    return quote(file, safe="").replace("%", "_")
