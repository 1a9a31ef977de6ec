"""What callers of the API may send, checked before Gradio reads it: one sentence for each fault.

Gradio would answer most of them with null.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import PhotoError, SettingsError

ENDPOINTS = {  # name: arguments, in their order
    "match": ("photo", "top_k", "gender", "country", "parts"),
    "actors": ("gender", "country"),
    "health": (),
}
FORMS = (
    'send an uploaded file as {"path": "..."}, or an address or data:image/jpeg;base64,... as'
    ' {"url": "..."}'
)
NOT_UPLOADED = "photo is no file that was uploaded here, or it is deleted by now; upload it first"
NO_BASE64 = "photo is no base64 of a picture; send it whole, as data:image/jpeg;base64,..."
FAILED = "something went wrong on the server; try again, and report it if it happens twice"
FILE = {"meta": {"_type": "gradio.FileData"}}  # by which Gradio knows a file
PICTURE = re.compile(r"data:image/([a-z0-9]{1,20})(?![a-z0-9])[^,]*;base64,", re.IGNORECASE)
MOST = 10**300  # of matches; a float holds it
LONGEST_ADDRESS = 8000  # characters, as servers take them
LONGEST = 60  # characters of a value that are repeated


def checked(endpoint: str, sent: list[Any], uploads: Path) -> list[Any]:
    """An endpoint's arguments, in the form that Gradio reads.

    Args:
        endpoint: one of ENDPOINTS.
        sent: as they came, one an argument.
        uploads: where uploaded files lie.

    Raises:
        SettingsError: another number of them, or one that cannot be used; with how it can.
    """
    names = ENDPOINTS[endpoint]
    if len(sent) != len(names):
        wanted = f"{len(names)} values, {', '.join(names)}" if names else "no values"
        raise SettingsError(f"/{endpoint} takes {wanted}; {len(sent)} were sent")
    return [
        CHECKS[name](value) if name != "photo" else _photo(value, uploads)
        for name, value in zip(names, sent, strict=True)
    ]


def check_names(sent: Mapping[str, Any], names: Sequence[str], needed: Sequence[str]) -> None:
    """Refuse arguments by name that an endpoint does not have, or lacks.

    Raises:
        SettingsError: with what it takes.
    """
    takes = f"this endpoint takes {', '.join(names) or 'no arguments'}"
    for name in sent:
        if name not in names:
            raise SettingsError(f"{shown(name)} is no argument; {takes}")
    for name in needed:
        if name not in sent:
            raise SettingsError(f"{name} is missing; {takes}")


def picture_of(uri: str, folder: Path) -> Path:
    """The bytes of a data URI as a file below `folder`; whether it is a photo is seen later.

    Raises:
        PhotoError: no picture's data URI, or no base64.
    """
    head = PICTURE.match(uri)
    try:
        if head is None:
            raise ValueError(uri[:LONGEST])
        content = base64.b64decode("".join(uri[head.end() :].split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise PhotoError(NO_BASE64) from error
    path = folder / uuid.uuid4().hex / f"photo.{head[1].lower()}"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def is_upload(path: str, uploads: Path) -> bool:
    """Whether this can only be a file that a visitor uploaded, and no other of this machine."""
    try:
        return Path(path).resolve().is_relative_to(uploads.resolve())
    except (OSError, ValueError):  # too long, or with a zero in it
        return False


def _photo(value: Any, uploads: Path) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = {"url": value}
    path, url = (value.get("path"), value.get("url")) if isinstance(value, dict) else (None, None)
    if isinstance(path, str) and path:
        if _is_address(path):
            return {"path": path, **FILE}
        if not (is_upload(path, uploads) and Path(path).is_file()):
            raise SettingsError(NOT_UPLOADED)
        name = value.get("orig_name")
        return {"path": path, "orig_name": name if isinstance(name, str) else None, **FILE}
    if isinstance(url, str) and _is_address(url):
        return {"path": url, **FILE}
    if isinstance(url, str) and url.startswith("data:"):
        return {"url": url, **FILE}
    raise SettingsError(f"photo is {shown(url or value)}; {FORMS}")


def _is_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and text.lower().startswith(("http://", "https://"))


def _top_k(value: Any) -> Any:
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    whole = whole or (isinstance(value, float) and value.is_integer())
    if whole and value < 1:
        raise SettingsError(f"top_k is {shown(value)}; set it to 1 or more")
    if not whole:
        raise SettingsError(f"top_k is {shown(value)}; set it to a whole number, 1 or more")
    return min(value, MOST)


def _text(name: str, remedy: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        raise SettingsError(f"{name} is {shown(value)}; {remedy}, or leave it empty")

    return check


def _parts(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    raise SettingsError(f"parts is {shown(value)}; set it to true or false")


def shown(value: Any) -> str:
    """What was sent, as a sentence repeats it."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


CHECKS: dict[str, Callable[[Any], Any]] = {
    "top_k": _top_k,
    "gender": _text("gender", "set it to women or men"),
    "country": _text("country", "set it to an ISO 3166 code, such as KR"),
    "parts": _parts,
}
