"""The page's HTML: Jinja2 templates, in which whatever comes in is escaped."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension

# Of the whitespace only line ends between two tags: there a browser would show them as a space.
LINE_BETWEEN_TAGS = re.compile(r"(?<=[>}])\n\s*(?=[<{])")


class _OneLine(Extension):
    """Templates are written in lines, their HTML is sent in one."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return LINE_BETWEEN_TAGS.sub("", source.strip())


def initials(name: str) -> str:
    """First and last word's, or one syllable of a name in a script without cases."""
    words = name.split() or ["?"]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]]
    return "".join(letters).upper()


def hue(name: str) -> int:
    """A colour of the name's own, 0-359 degrees."""
    return sum(map(ord, name)) * 47 % 360


def _token(html: str) -> str:
    """By which the page tells a new answer from the old."""
    return hashlib.sha256(html.encode()).hexdigest()[:12]


ENVIRONMENT = Environment(
    loader=PackageLoader("core.page"),
    autoescape=True,
    undefined=StrictUndefined,
    extensions=[_OneLine],
)
ENVIRONMENT.filters |= {"initials": initials, "hue": hue, "token": _token}
ENVIRONMENT.policies["json.dumps_kwargs"] = {"ensure_ascii": False}


def render(template: str, **values: Any) -> str:
    """The HTML of `<template>.html` in this folder."""
    return ENVIRONMENT.get_template(f"{template}.html").render(values)
