"""Whether a photo may be shown: which licences are free enough."""

from __future__ import annotations

import re

# Commons' short names: "Public domain", "CC0", "CC BY 2.0", "CC BY-SA 3.0 de", "CC BY-SA 2.5,2.0".
FREE = re.compile(
    r"public domain|pdm?|pd[- ].+|cc0( 1\.0)?|cc[ -]by([ -]sa)?([ -][\d.,-]+)?([ -][a-z]{2,3})?",
    re.IGNORECASE,
)
NO_AUTHOR_NEEDED = re.compile(r"public domain|pd.*|cc0.*", re.IGNORECASE)


def licence_refusal(licence: str, author: str = "someone", non_free: str = "") -> str:
    """Why a photo under this licence must not be used; "" if it may be.

    Free are public domain, CC0, CC BY and CC BY-SA of any version; nothing else, and nothing
    that asks for a credit without naming an author.
    """
    if not licence:
        return "no licence is stated"
    if not FREE.fullmatch(licence) or non_free.lower() in ("1", "true", "yes"):
        return f"its licence is not free: {licence}"
    if not author and not NO_AUTHOR_NEEDED.fullmatch(licence):
        return f"no author is named, whom {licence} asks to credit"
    return ""
