"""Code blocks of docs/api.md, so that tests run the very lines that people copy."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = "docs/api.md"
LOCAL = "http://127.0.0.1:7860"  # where its lines find the app


def readme_block(marker: str, url: str = LOCAL) -> str:
    """The code block below `<!-- marker -->` on the page about the API.

    Args:
        marker: such as "run: python".
        url: put in the place of the page's address.
    """
    text = (ROOT / PAGE).read_text("utf-8")
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)\n```", text, re.DOTALL)
    assert found, f"{PAGE} has no block marked {marker!r}"
    return found[1].replace(LOCAL, url.rstrip("/"))
