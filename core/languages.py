"""The languages of page, log and names, by their ISO 639-1 codes; the first is the default."""

from __future__ import annotations

ENGLISH = "en"
LANGUAGES = (ENGLISH, "ko")
