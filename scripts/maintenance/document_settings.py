"""Write the table of settings in docs/settings.md anew from core/settings.py.

In: docs/settings.md with the marks `<!-- settings -->` and `<!-- /settings -->`.
Out: the same file, with one row a setting between them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by path, from any folder

from core.settings import ROOT, Settings
from scripts.cli import Parser, run, tell

PAGE = ROOT / "docs" / "settings.md"
START, END = "<!-- settings -->", "<!-- /settings -->"


def settings_table() -> str:
    """Markdown rows: variable, default, meaning."""
    rows = [
        f"| `LOOKALIKE_{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _shown(default: object) -> str:
    if default in (None, ""):
        return "–"
    if isinstance(default, Path):
        inside = default.is_relative_to(ROOT)
        return f"`{(default.relative_to(ROOT) if inside else default).as_posix()}`"
    return f"`{default:g}`" if isinstance(default, int | float) else f"`{default}`"


def with_table(page: str) -> str:
    """A page's text with the table as it is now between its marks."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{settings_table()}\n{END}{after}"


def main() -> int:
    """Rewrite the page."""
    Parser(description="Write the table of settings in docs/settings.md anew.").parse_args()
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
    tell(f"{PAGE}: {len(Settings.model_fields)} settings")
    return 0


if __name__ == "__main__":
    run(main)
