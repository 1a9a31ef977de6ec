"""What the page says, a module a language: one more file, and its code in core/languages.py."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

from core import languages


@dataclass(frozen=True)
class Words:
    """One language, as its module has it."""

    name: str  # of the language, in itself
    words: Mapping[str, str]
    coaching: Mapping[str, str]  # by the codes of core/faces/quality.py
    no_face_tips: tuple[str, ...]
    gradio: Mapping[str, str]  # Gradio's own labels, and what core/page/page.js puts in their place


def words_of(lang: str) -> Words:
    """The words of a language of the page."""
    module = importlib.import_module(f"{__name__}.{lang}")
    return Words(module.NAME, module.WORDS, module.COACHING, module.NO_FACE_TIPS, module.GRADIO)


def page_languages() -> tuple[str, ...]:
    """Codes, the default first."""
    return languages.LANGUAGES
