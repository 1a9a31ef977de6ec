"""Code blocks of the documents, so that tests run the very lines that people copy."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = "docs/api.md"
LOCAL = "http://127.0.0.1:7860"  # where its lines find the app


def readme_block(marker: str, url: str = LOCAL, page: str = PAGE) -> str:
    """The code block below `<!-- marker -->` on a page, by default the one about the API.

    Args:
        marker: such as "run: python".
        url: put in the place of the page's address.
        page: the document's path.
    """
    text = (ROOT / page).read_text("utf-8")
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)\n```", text, re.DOTALL)
    assert found, f"{page} has no block marked {marker!r}"
    return found[1].replace(LOCAL, url.rstrip("/"))
