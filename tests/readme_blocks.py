"""Code blocks of README.md, so that tests run the very lines that people copy."""

from __future__ import annotations

import re

from tests.conftest import ROOT

HEADING = "## From code, the command line, the API"
LOCAL = "http://127.0.0.1:7860"  # where the README's lines find the app


def readme_block(marker: str, url: str = LOCAL) -> str:
    """The code block below `<!-- marker -->` in the README's part on the API.

    Args:
        marker: such as "run: python".
        url: put in the place of the README's address.
    """
    _, _, rest = (ROOT / "README.md").read_text("utf-8").partition(f"\n{HEADING}\n")
    part = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)\n```", part, re.DOTALL)
    assert found, f"README.md has no block marked {marker!r} below {HEADING!r}"
    return found[1].replace(LOCAL, url.rstrip("/"))
